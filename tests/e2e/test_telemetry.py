"""What the callers' proxies count is what the callers sent."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests

from rig import stage
from rig.environment import NAMESPACE, cluster, kubectl
from tests.support.world import World

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(600)]
OF = f'destination_service_name="model-service",destination_service_namespace="{NAMESPACE}",destination_version="v1"'
SEEN = {
    "mesh": f"sum(istio_requests_total{{{OF}}})",
    "latency": f"sum(istio_request_duration_milliseconds_count{{{OF}}})",
    "service": f'sum(app_predictions_total{{namespace="{NAMESPACE}",version="v1"}})',
}


def counted() -> dict[str, float]:
    """What the proxies and the service have counted for v1."""
    found = {}
    for name, query in SEEN.items():
        answer = requests.get(f"{cluster()['PROMETHEUS_URL']}/api/v1/query", params={"query": query}, timeout=10)
        found[name] = float(answer.json()["data"]["result"][0]["value"][1])
    return found


@pytest.fixture
def mirrored(on_v1: World) -> Iterator[World]:
    """Each request to v1 is sent to v1 once more, as a mirrored one."""
    name = ("virtualservice", "model-service", "-n", NAMESPACE)
    http = json.loads(kubectl("get", *name, "-o", "json"))["spec"]["http"]
    for entry in http:
        entry |= {"mirror": entry["route"][0]["destination"], "mirrorPercentage": {"value": 100}}
    kubectl("patch", *name, "--type=merge", "-p", json.dumps({"spec": {"http": http}}))
    yield on_v1
    # The routes are a person's now: the next stage is made anew.
    stage.remove()


@pytest.mark.long
def test_mirrored_requests_are_the_services_and_no_callers(mirrored: World) -> None:
    grown = {"mesh": 0.0, "latency": 0.0, "service": 0.0}

    def twice() -> bool:
        before = counted()
        mirrored.wait("8,000 more requests", lambda: counted()["service"] - before["service"] >= 8000, 180)
        after = counted()
        grown.update({name: after[name] - before[name] for name in after})
        return grown["service"] > 1.6 * grown["mesh"]

    mirrored.wait("the service to count each request twice", twice, 400)
    assert grown["mesh"] == pytest.approx(grown["service"] / 2, rel=0.2)
    # Errors have no part in the latency that is judged, but they have one in this count. Envoy brings its histograms up to date
    # every 5 s only, so some 500 requests more or less of 4,000 may be in it.
    assert grown["latency"] == pytest.approx(grown["mesh"], rel=0.2)
