"""Prometheus itself is released, by the chart that `helm create` makes and its own metrics: nobody here wrote either."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from rig.environment import kubectl
from tests.support import services
from tests.support.running import Running, found, helm_releases, running
from tests.support.services import BY_MESH, ERRORS, MARKS, NAMESPACE, P95, Service, percent, probes
from tests.support.world import World

pytestmark = MARKS
PROMETHEUS = Service(
    name="prometheus",
    path="/api/v1/query?query=up",
    port=9090,
    given={
        **probes("/-/healthy", "/-/ready"),
        "volumes": [{"name": "data", "emptyDir": {}}],
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    },
    evidence={
        "source": "own",
        "counts": {
            "requests": "prometheus_http_requests_total",
            "where": {"namespace": "{namespace}"},
            "errors": {"code": "=~5.."},
            "client_errors": {"code": "=~4.."},
            "ignore": {"handler": ["/metrics", "=~/-/.*"]},
            "latency": {"histogram": "prometheus_http_request_duration_seconds"},
            "version": {"pod_name": True},
            "seen_by": "service",
        },
    },
    # It answers in a millisecond or two, and its buckets begin with a tenth of a second: p95 can't be asked for.
    metrics=[
        ERRORS,
        {**ERRORS, "source": "istio"},
        {"kind": "latency", "threshold": "100ms", "margin": 0.01, "role": "guard"},
    ],
)
# A fault of the mesh's is seen by the mesh.
MESH_ALONE = [ERRORS, {**P95, "tolerance": 2.0}]


@pytest.fixture(scope="module")
def metrics(world: World) -> Iterator[Running]:
    with running(world, PROMETHEUS) as made:
        yield made


def test_it_is_adopted_without_a_failed_request(metrics: Running) -> None:
    name, before, began = PROMETHEUS.name, found(f"service/{PROMETHEUS.name}"), time.time()
    metrics.adopted("--version", "v1")
    after = found(f"service/{name}")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"]["clusterIP"] == before["spec"]["clusterIP"]
    assert helm_releases() == {name, f"{name}-v1"}
    assert kubectl("get", f"deployment/{name}", "-n", NAMESPACE, "--ignore-not-found") == ""
    metrics.adopted("--version", "v1")
    assert set(services.statuses(began)) == {"200"}


def test_a_failing_version_is_taken_back(metrics: Running) -> None:
    PROMETHEUS.wait_scraped("v1", 6000)
    with PROMETHEUS.with_fault("v3", abort={"http_status": 503, "percentage": percent(10)}):
        metrics.taken_back("v3", "errors_istio")


@pytest.mark.long
def test_a_slow_version_is_taken_back_by_the_meshs_metrics(metrics: Running) -> None:
    with PROMETHEUS.with_fault("v3", delay={"fixed_delay": "0.02s", "percentage": percent(100)}):
        metrics.taken_back("v3", "latency_p95", evidence=BY_MESH, metrics=MESH_ALONE)


def test_a_good_version_is_promoted_and_no_request_fails(metrics: Running) -> None:
    metrics.promoted("v2")


@pytest.mark.long
def test_it_goes_back_to_plain_helm_without_a_failed_request(metrics: Running) -> None:
    name, before, began = PROMETHEUS.name, found(f"service/{PROMETHEUS.name}"), time.time()
    metrics.adopted("--back")
    assert found(f"service/{name}")["metadata"]["uid"] == before["metadata"]["uid"]
    assert helm_releases() == {name}
    deployed = found(f"deployment/{name}")
    assert deployed["spec"]["template"]["spec"]["containers"][0]["image"] == "localhost/prometheus:v2"
    assert kubectl("get", "virtualservice,destinationrule", "-n", NAMESPACE, "-o", "name") == ""
    assert set(services.statuses(began)) == {"200"}
