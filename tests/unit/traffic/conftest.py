"""The worlds of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.apiserver import ApiServer
from tests.support.installed import install
from tests.unit.traffic.world import CLAIM, RoutesInMemory


@pytest.fixture
def world() -> Iterator[RoutesInMemory]:
    with ApiServer() as server:
        install(server, {"v1": 100, "v2": 0})
        yield RoutesInMemory(server)


@pytest.fixture
def taken(world: RoutesInMemory) -> RoutesInMemory:
    """A service that CLAIM holds."""
    world.traffic.take(CLAIM)
    return world
