"""A FastAPI service under several workers, by its own metrics' names and stock buckets, and by the mesh's."""

from __future__ import annotations

import pytest

from tests.support.running import Instrumented, Running
from tests.support.services import BY_MESH, ERRORS, MARKS, P95, Service, percent, probes

pytestmark = MARKS
SEGMENTS = Service(
    name="segments",
    path="/segments",
    port=8000,
    given=probes("/healthz", "/healthz"),
    evidence={"source": "fastapi-instrumentator"},
    metrics=[ERRORS, P95],
)


class TestSegments(Instrumented):
    service = SEGMENTS

    @pytest.mark.long
    def test_the_meshs_metrics_say_the_same_of_each(self, live: Running) -> None:
        live.taken_back("v4", "latency_p95", evidence=BY_MESH)
        another = live.another()
        with SEGMENTS.with_fault(another, abort={"http_status": 503, "percentage": percent(10)}):
            live.taken_back(another, "errors", evidence=BY_MESH)
        live.promoted(another, evidence=BY_MESH)
