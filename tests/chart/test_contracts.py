"""The real API server, Istio's webhook and Helm keep the contracts of the ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import config

from glidepath.deploy import Helm, KubernetesWorkloads
from glidepath.wiring import cluster as wiring
from rig.environment import cluster, glidepath_kubeconfig
from tests.contracts import claims, deploy, traffic
from tests.contracts.place import Place
from tests.support.chart import CHART, installed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
NAMESPACE, SERVICE = "contracts-test", "contracted"
# Of an image that is not there: what is tested is who writes what, not pods.
GIVEN = (
    f"service.name={SERVICE},image.repository=localhost/none,roles.canary=,glidepath.watchdog.enabled=false,"
    "istio.hosts={contracts.example.com}"
)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with installed(NAMESPACE, GIVEN):
        api = config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE)))
        yield Place(
            NAMESPACE,
            SERVICE,
            claims=lambda: wiring.claims(api, NAMESPACE, SERVICE),
            traffic=lambda: wiring.mesh(api, NAMESPACE, SERVICE)[0],
            fence=lambda: wiring.mesh(api, NAMESPACE, SERVICE)[1],
            deploy=lambda: Helm(Path(CHART), "app", NAMESPACE, api, cluster()["HELM"]),
            workloads=lambda: KubernetesWorkloads(api, NAMESPACE, SERVICE),
        )


@pytest.mark.parametrize(
    "contract",
    [
        deploy.keeps,
        deploy.knows_a_version_by_its_image,
        claims.keeps,
        claims.lets_who_wants_it_refuse,
        traffic.keeps,
        traffic.names_what_is_around,
        traffic.holds_versions_one_by_one,
    ],
    ids=lambda one: f"{one.__module__.rpartition('.')[2]}-{one.__name__}",
)
def test_it_keeps_the_contract(place: Place, contract: Callable[[Place], None]) -> None:
    contract(place)
