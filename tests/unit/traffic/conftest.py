"""The worlds of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.apiserver import ApiServer
from tests.support.installed import install
from tests.unit.traffic.world import CLAIM, World


@pytest.fixture
def world() -> Iterator[World]:
    with ApiServer() as server:
        install(server, {"v1": 100, "v2": 0})
        yield World(server)


@pytest.fixture
def taken(world: World) -> World:
    """A service that CLAIM holds."""
    world.traffic.take(CLAIM)
    return world
