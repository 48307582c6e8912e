"""The fence is tried on the worlds of the traffic."""

from tests.unit.traffic.conftest import taken, world

__all__ = ["taken", "world"]
