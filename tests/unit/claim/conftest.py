"""A world for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.apiserver import ApiServer
from tests.unit.claim.world import Leases


@pytest.fixture
def world() -> Iterator[Leases]:
    with ApiServer() as server:
        yield Leases(server)
