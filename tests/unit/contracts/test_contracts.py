"""The in-memory API server and the in-memory Helm keep the contracts that the real ones keep."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.every import Contract, every_contract
from tests.contracts.place import Place
from tests.support.apiserver import NAMESPACE, SERVICE, ApiServer
from tests.support.helm import HelmInMemory
from tests.support.per_version import PerVersionInMemory
from tests.support.stage import Stage


@pytest.fixture(params=[HelmInMemory, PerVersionInMemory], ids=["one release", "a release per version"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Place]:
    with ApiServer() as server:
        stage = Stage(server, tmp_path, request.param)
        yield Place(
            NAMESPACE,
            SERVICE,
            claims=lambda: stage.ports().claims,
            traffic=lambda: stage.ports().traffic,
            fence=lambda: stage.ports().fence,
            deploy=lambda: stage.ports().helm,
            workloads=lambda: stage.ports().workloads,
        )


@every_contract
def test_it_keeps_the_contract(place: Place, contract: Contract) -> None:
    contract(place)
