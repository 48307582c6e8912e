"""The record: what every release did, saw and decided, in a SQL database."""

from glidepath.record.store import Event, Record, Release

__all__ = ["Event", "Record", "Release"]
