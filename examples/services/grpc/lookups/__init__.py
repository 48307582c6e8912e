"""Which country a phone number is of: an ordinary gRPC service, which knows nothing of Glidepath."""

from google.protobuf.wrappers_pb2 import StringValue

NAME, METHOD = "lookups.Lookups", "Country"
__all__ = ["METHOD", "NAME", "StringValue"]
