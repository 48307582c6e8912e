"""A gRPC service by its own metrics: errors are codes, of calls that all have HTTP status 200."""

from __future__ import annotations

from tests.support.running import Instrumented
from tests.support.services import ERRORS, LONG, P95, Service

pytestmark = LONG
LOOKUPS = Service(
    name="lookups",
    path="",
    port=8000,
    given={
        # The chart's own values ask by HTTP: null takes that out.
        "livenessProbe": {"httpGet": None, "grpc": {"port": 8000}},
        "readinessProbe": {"httpGet": None, "grpc": {"port": 8000}, "periodSeconds": 2},
    },
    evidence={"source": "grpc"},
    metrics=[ERRORS, P95],
    # By the name `http` Istio takes it for HTTP/1.
    port_name="grpc",
    scraped=9100,
    caller="lookups-caller",
    answers=("OK", "UNAVAILABLE"),
)


class TestLookups(Instrumented):
    service = LOOKUPS
