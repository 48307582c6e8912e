"""The real API server, Istio's webhook and Helm keep the contracts of the ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from glidepath.deploy import Deploy, Helm, KubernetesWorkloads
from glidepath.deploy.charts import LocalChart
from glidepath.wiring import cluster as wiring
from rig.environment import cluster, glidepath_kubeconfig
from tests.contracts.every import Contract, every_contract
from tests.contracts.place import Place
from tests.support.chart import CHART, any_chart, deploys_any, installed, plain_chart

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
NAMESPACE, SERVICE = "contracts-test", "contracted"
# Of an image that is not there: what is tested is who writes what, not pods.
GIVEN = (
    f"service.name={SERVICE},image.repository=localhost/none,roles.canary=,glidepath.watchdog.enabled=false,"
    "istio.hosts={contracts.example.com}"
)


def placed(api: client.ApiClient, namespace: str, service: str, deploys: Callable[[], Deploy]) -> Place:
    """The ports of a service on the real API server."""
    return Place(
        namespace,
        service,
        claims=lambda: wiring.claims(api, namespace, service),
        traffic=lambda: wiring.mesh(api, namespace, service)[0],
        fence=lambda: wiring.mesh(api, namespace, service)[1],
        deploy=deploys,
        workloads=lambda: KubernetesWorkloads(api, namespace, service),
    )


@pytest.fixture(scope="module", params=["one release of a chart", "a release per version"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if request.param == "one release of a chart":
        with installed(NAMESPACE, GIVEN):
            api = config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE)))
            deploys = lambda: Helm(LocalChart(Path(CHART)), "app", NAMESPACE, api, cluster()["HELM"])  # noqa: E731
            yield placed(api, NAMESPACE, SERVICE, deploys)
        return
    plain, namespace = plain_chart(tmp_path_factory.mktemp("charts"), "plain"), f"{NAMESPACE}-any"
    given = "image: {repository: localhost/none}"
    with any_chart(namespace, SERVICE, plain, given) as api:
        yield placed(api, namespace, SERVICE, lambda: deploys_any(api, namespace, SERVICE, plain, given))


@every_contract
def test_it_keeps_the_contract(place: Place, contract: Contract) -> None:
    contract(place)
