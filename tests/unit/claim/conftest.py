"""A world for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.apiserver import ApiServer
from tests.unit.claim.world import World


@pytest.fixture
def world() -> Iterator[World]:
    with ApiServer() as server:
        yield World(server)
