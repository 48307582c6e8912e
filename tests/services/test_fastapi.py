"""A FastAPI service under several workers, by its own metrics' names and stock buckets, and by the mesh's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.running import PAST, Running, running
from tests.support.services import BY_MESH, Service, percent
from tests.support.world import World

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(900)]
SEGMENTS = Service(
    name="segments",
    path="/segments",
    given={
        "service": {"port": 8000},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http"}},
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 2},
    },
    evidence={"source": "fastapi-instrumentator", "scrape": "5s", "baseline": "5m"},
    metrics=[
        {"kind": "errors", "harm_margin": 0.001, "safety_margin": 0.01},
        {"kind": "latency", "quantile": 0.95, "tolerance": 1.3},
    ],
)


@pytest.fixture(scope="module")
def segments(world: World) -> Iterator[Running]:
    with running(world, SEGMENTS) as made:
        made.adopted("--version", "v1")
        SEGMENTS.wait_scraped("v1", PAST)
        yield made


def test_a_slow_version_is_taken_back(segments: Running) -> None:
    segments.taken_back("v4", "latency_p95")


def test_a_failing_version_is_taken_back(segments: Running) -> None:
    segments.taken_back("v3", "errors")


def test_a_good_version_is_promoted_and_no_request_fails(segments: Running) -> None:
    segments.promoted(segments.another())


def test_the_meshs_metrics_say_the_same_of_each(segments: Running) -> None:
    segments.taken_back("v4", "latency_p95", evidence=BY_MESH)
    another = segments.another()
    with SEGMENTS.with_fault(another, abort={"http_status": 503, "percentage": percent(10)}):
        segments.taken_back(another, "errors", evidence=BY_MESH)
    segments.promoted(another, evidence=BY_MESH)
