"""A service that OpenTelemetry watches, by what it sends to Prometheus over OTLP: nothing of it is scraped."""

from __future__ import annotations

from tests.support.running import Instrumented, Running
from tests.support.services import BY_MESH, ERRORS, LONG, P95, SIDECAR, Service, probes

pytestmark = LONG
LENGTHS = Service(
    name="lengths",
    path="/lengths",
    port=8000,
    given={
        # A scrape would be a request for a page that it does not have.
        "podAnnotations": SIDECAR,
        **probes("/healthz", "/healthz"),
    },
    evidence={"source": "otel-http-otlp"},
    metrics=[ERRORS, P95],
)


class TestLengths(Instrumented):
    service = LENGTHS

    def test_the_meshs_metrics_say_the_same(self, live: Running) -> None:
        live.taken_back("v4", "latency_p95", evidence=BY_MESH)
        live.taken_back("v3", "errors", evidence=BY_MESH)
        live.promoted(live.another(), evidence=BY_MESH)
