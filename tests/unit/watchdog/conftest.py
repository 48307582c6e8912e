"""The world of each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.apiserver import ApiServer
from tests.support.installed import install
from tests.unit.watchdog.world import Abandoned


@pytest.fixture
def world() -> Iterator[Abandoned]:
    with ApiServer() as server:
        install(server, {"v1": 100, "v2": 0})
        yield Abandoned(server)
