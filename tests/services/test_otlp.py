"""A service that OpenTelemetry watches, by what it sends to Prometheus over OTLP: nothing of it is scraped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.running import PAST, Running, running
from tests.support.services import BY_MESH, SIDECAR, Service
from tests.support.world import World

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(900)]
LENGTHS = Service(
    name="lengths",
    path="/lengths",
    given={
        "service": {"port": 8000},
        # A scrape would be a request for a page that it does not have.
        "podAnnotations": SIDECAR,
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}},
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 2},
    },
    evidence={"source": "otel-http-otlp", "scrape": "5s", "baseline": "5m"},
    metrics=[
        {"kind": "errors", "harm_margin": 0.001, "safety_margin": 0.01},
        {"kind": "latency", "quantile": 0.95, "tolerance": 1.3},
    ],
)


@pytest.fixture(scope="module")
def lengths(world: World) -> Iterator[Running]:
    with running(world, LENGTHS) as made:
        made.adopted("--version", "v1")
        LENGTHS.wait_scraped("v1", PAST)
        yield made


def test_a_slow_version_is_taken_back(lengths: Running) -> None:
    lengths.taken_back("v4", "latency_p95")


def test_a_failing_version_is_taken_back(lengths: Running) -> None:
    lengths.taken_back("v3", "errors")


def test_a_good_version_is_promoted_and_no_request_fails(lengths: Running) -> None:
    lengths.promoted(lengths.another())


def test_the_meshs_metrics_say_the_same(lengths: Running) -> None:
    lengths.taken_back("v4", "latency_p95", evidence=BY_MESH)
    lengths.taken_back("v3", "errors", evidence=BY_MESH)
    lengths.promoted(lengths.another(), evidence=BY_MESH)
