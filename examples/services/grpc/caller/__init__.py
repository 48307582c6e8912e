"""The traffic generator of the examples, as a caller by gRPC."""
