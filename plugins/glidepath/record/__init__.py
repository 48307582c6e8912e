"""The record: what every release did, saw and decided, in a SQL database."""

from glidepath.record.known import Event
from glidepath.record.release import Release
from glidepath.record.store import Record

__all__ = ["Event", "Record", "Release"]
