"""The recorded releases of the replay's tests."""

from tests.unit.replay.conftest import folder, record

__all__ = ["folder", "record"]
