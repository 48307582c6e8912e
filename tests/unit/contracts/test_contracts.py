"""The in-memory API server and the in-memory Helm keep the contracts that the real ones keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contracts import claims, deploy, traffic
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


@pytest.mark.parametrize(
    "contract",
    [
        claims.keeps,
        claims.lets_who_wants_it_refuse,
        traffic.keeps,
        traffic.names_what_is_around,
        traffic.holds_versions_one_by_one,
        deploy.keeps,
        deploy.knows_a_version_by_its_image,
    ],
    ids=lambda one: f"{one.__module__.rpartition('.')[2]}-{one.__name__}",
)
def test_it_keeps_the_contract(place: Place, contract: Callable[[Place], None]) -> None:
    contract(place)
