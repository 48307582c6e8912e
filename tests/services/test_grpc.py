"""A gRPC service by its own metrics: errors are codes, of calls that all have HTTP status 200."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.running import PAST, Running, running
from tests.support.services import Service
from tests.support.world import World

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(900)]
LOOKUPS = Service(
    name="lookups",
    path="",
    given={
        "service": {"port": 8000},
        # The chart's own values ask by HTTP: null takes that out.
        "livenessProbe": {"httpGet": None, "grpc": {"port": 8000}},
        "readinessProbe": {"httpGet": None, "grpc": {"port": 8000}, "periodSeconds": 2},
    },
    evidence={"source": "grpc", "scrape": "5s", "baseline": "5m"},
    metrics=[
        {"kind": "errors", "harm_margin": 0.001, "safety_margin": 0.01},
        {"kind": "latency", "quantile": 0.95, "tolerance": 1.3},
    ],
    # By the name `http` Istio takes it for HTTP/1.
    port_name="grpc",
    scraped=9100,
    caller="lookups-caller",
    answers=("OK", "UNAVAILABLE"),
)


@pytest.fixture(scope="module")
def lookups(world: World) -> Iterator[Running]:
    with running(world, LOOKUPS) as made:
        made.adopted("--version", "v1")
        LOOKUPS.wait_scraped("v1", PAST)
        yield made


def test_a_failing_version_is_taken_back(lookups: Running) -> None:
    lookups.taken_back("v3", "errors")


def test_a_slow_version_is_taken_back(lookups: Running) -> None:
    lookups.taken_back("v4", "latency_p95")


def test_a_good_version_is_promoted_and_no_request_fails(lookups: Running) -> None:
    lookups.promoted(lookups.another())
