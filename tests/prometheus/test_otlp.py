"""What OpenTelemetry sends to a real Prometheus by OTLP is counted, by the names that Prometheus makes of it."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from bench.evidence.__main__ import prometheus as started
from glidepath.evidence import Collector, Prometheus, Source, source_of
from glidepath.evidence.interval import Collected
from glidepath.evidence.named import named
from tests.unit.evidence.behaviour.test_presets import (
    ANSWERED,
    V1,
    V2,
    VERSIONS,
    asked_of,
    instrumented,
    policy,
    rightly,
)

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]
PROMOTED = {"otlp": {"promote_resource_attributes": ["k8s.pod.name", "k8s.namespace.name"]}}


def test_what_is_sent_by_otlp_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with started(tmp_path, yaml.safe_dump(PROMOTED)) as url:
        prometheus = Prometheus(url)
        source = source_of(policy("otel-http-otlp"), VERSIONS)
        collector = Collector(prometheus, source, "v1", VERSIONS, 5.0)
        apps = []
        for pod in (V1, V2):
            exporter = OTLPMetricExporter(f"{url}/api/v1/otlp/v1/metrics")
            reader = PeriodicExportingMetricReader(exporter, export_interval_millis=1e9)
            resource = Resource({"k8s.pod.name": pod, "k8s.namespace.name": "prod", "service.name": "shop"})
            provider = MeterProvider([reader], resource=resource)
            apps.append((instrumented(monkeypatch, provider), provider))
        seen, sent, until = None, 0, time.monotonic() + 60
        # Requests are made in two rounds; what is sent after them says nothing new. On a busy machine the pods' first rounds
        # may lie too far apart for an interval.
        while seen is None:
            for app, provider in apps:
                asked_of(app, rounds=[sent] if sent < 2 else [])
                assert provider.force_flush()
            sent += 1
            now = all_read(prometheus, source, sent, until)
            one = collector.collect(now)
            seen = one if isinstance(one, Collected) else None
        for _, provider in apps:
            provider.shutdown()
    assert sent >= 2
    rightly(seen, ANSWERED, (0.005, 0.01, 0.025))


def all_read(prometheus: Prometheus, source: Source, sent: int, until: float) -> float:
    """When all that both pods sent can be read, epoch seconds on Prometheus' clock."""
    while True:
        assert time.monotonic() < until
        now = prometheus.now()
        series = named(prometheus, source).range_vector(source.requests, 60, now)
        if len(series) == 6 and all(len(one.samples) == sent for one in series):
            return now
        time.sleep(0.1)
