"""A real Prometheus with native histograms: exponential ones that a client sent, and those it makes of classic ones."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation
from opentelemetry.sdk.resources import Resource
from prometheus_client import CollectorRegistry, Counter, start_http_server
from prometheus_client import Histogram as ClassicHistogram

from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, Prometheus, Source, app_source, baseline
from glidepath.evidence.interval import Collected
from rig.environment import free_port
from sandbox.build import binaries

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]
SCRAPE_S = 1.0
MEDIAN_S, SIGMA = 0.05, 0.4


def wait(what: str, holds: Callable[[], object], timeout_s: float = 30) -> None:
    """Until it holds."""
    until = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < until, f"{what} not within {timeout_s:.0f} s"
        time.sleep(0.1)


class Pod:
    """Serves `app_predictions_total` and a classic histogram, and sends an exponential one."""

    def __init__(self, name: str, version: str, otlp: str, port: int) -> None:
        self.version, self.port = version, port
        registry = CollectorRegistry()
        self.requests = Counter("app_predictions", "Requests.", ["version", "status"], registry=registry)
        edges = [0.01 * 1.1**step for step in range(40)]
        self.classic = ClassicHistogram(
            "app_prediction_latency_seconds", "Latency.", ["version", "status"], buckets=edges, registry=registry
        )
        self.server, _ = start_http_server(port, addr="127.0.0.1", registry=registry)
        aggregation = ExponentialBucketHistogramAggregation(max_scale=5)
        exporter = OTLPMetricExporter(otlp, preferred_aggregation={Histogram: aggregation})
        self.reader = PeriodicExportingMetricReader(exporter, export_interval_millis=1e9)
        resource = Resource({"pod": name, "version": version, "namespace": "exponential"})
        self.meters = MeterProvider([self.reader], resource=resource)
        self.exponential = self.meters.get_meter("app").create_histogram("app_prediction_latency", unit="s")
        self.values: list[float] = []

    def answer(self, seconds: np.ndarray) -> None:
        """So many requests, with these latencies."""
        for one in map(float, seconds):
            self.requests.labels(self.version, "success").inc()
            self.classic.labels(self.version, "success").observe(one)
            self.exponential.record(one, {"status": "success"})
            self.values.append(one)

    def close(self) -> None:
        """End."""
        self.meters.shutdown()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[tuple[list[Pod], Prometheus]]:
    """Two pods, and the Prometheus that scrapes them and takes what they send."""
    port, targets = free_port(), [free_port(), free_port()]
    names = ["model-service-v1-6c4f9d8b71-x001a", "model-service-v2-6c4f9d8b72-x001b"]
    static = [
        {"targets": [f"127.0.0.1:{target}"], "labels": {"pod": name, "namespace": "custom"}}
        for name, target in zip(names, targets, strict=True)
    ]
    job = {"job_name": "pods", "static_configs": static, "convert_classic_histograms_to_nhcb": True}
    counters = {"job_name": "counters", "static_configs": [
        {**one, "labels": {**one["labels"], "namespace": "exponential"}} for one in static],
        "metric_relabel_configs": [{"source_labels": ["__name__"], "regex": ".*latency.*", "action": "drop"}]}  # fmt: skip
    config = {
        "global": {"scrape_interval": f"{SCRAPE_S:.0f}s"},
        "otlp": {"promote_resource_attributes": ["pod", "version", "namespace"]},
        "scrape_configs": [job, counters],
    }
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(config))
    process = subprocess.Popen([
        str(binaries() / "prometheus"), f"--config.file={tmp_path}/prometheus.yaml", f"--storage.tsdb.path={tmp_path}/tsdb",
        f"--web.listen-address=127.0.0.1:{port}", "--web.enable-otlp-receiver", "--log.level=warn",
    ])  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    prometheus = Prometheus(url)
    otlp = f"{url}/api/v1/otlp/v1/metrics"
    made = [Pod(name, version, otlp, at) for name, version, at in zip(names, ("v1", "v2"), targets, strict=True)]
    try:
        wait("Prometheus", lambda: answers(prometheus))
        yield made, prometheus
    finally:
        for pod in made:
            pod.close()
        process.terminate()
        process.wait(20)


def answers(prometheus: Prometheus) -> bool:
    """Whether Prometheus is up."""
    try:
        prometheus.now()
    except EvidenceError:
        return False
    return True


def scraped(prometheus: Prometheus, source: Source, pods: list[Pod]) -> bool:
    """Whether Prometheus has all that was observed, of both kinds."""
    for pod in pods:
        pod.reader.collect()
    now = prometheus.now()
    versions = {one.labels.get("version"): one for one in prometheus.range_histograms(source.latency, 5, now)}
    counted = {one.labels.get("version"): one for one in prometheus.range_vector(source.requests, 5, now)}
    return all(
        pod.version in versions
        and versions[pod.version].samples[-1][1] == len(pod.values)
        and pod.version in counted
        and counted[pod.version].samples[-1][1] == len(pod.values)
        for pod in pods
    )


@pytest.mark.parametrize("kind", ["custom", "exponential"])
def test_a_release_counts_what_happened(pods: tuple[list[Pod], Prometheus], kind: str) -> None:
    both, prometheus = pods
    rng = np.random.default_rng(5)
    source = app_source(kind, "model-service", ["v1", "v2"], native=True)
    stable, canary = both
    edges: tuple[float, ...] = ()

    def planned() -> bool:
        nonlocal edges
        stable.answer(rng.lognormal(np.log(MEDIAN_S), SIGMA, 100))
        wait("the stable's requests", lambda: scraped(prometheus, source, [stable]))
        with suppress(EvidenceError):  # a baseline looks every five seconds
            edges = baseline(prometheus, source, "v1", 60, prometheus.now()).seen.edges
        return len(edges) > 15

    wait("the stable's past", planned)
    source = replace(source, edges=edges)
    collector = Collector(prometheus, source, "v1", ["v1", "v2"], SCRAPE_S)
    before = len(stable.values)
    stable.answer(rng.lognormal(np.log(MEDIAN_S), SIGMA, 200))
    canary.answer(rng.lognormal(np.log(2 * MEDIAN_S), SIGMA, 200))
    wait("the first samples", lambda: scraped(prometheus, source, both))
    collector.collect(prometheus.now())
    marks = [len(one.values) for one in both]
    assert marks[0] == before + 200
    stable.answer(rng.lognormal(np.log(MEDIAN_S), SIGMA, 300))
    canary.answer(rng.lognormal(np.log(2 * MEDIAN_S), SIGMA, 300))
    wait("all of it", lambda: scraped(prometheus, source, both))
    got: list[Collected] = []

    def collected() -> bool:
        one = collector.collect(prometheus.now())
        got.extend([one] if isinstance(one, Collected) else [])
        return sum(one.versions["v2"].requests for one in got) == 300

    wait("the counts", collected)
    for pod, mark in zip(both, marks, strict=True):
        seen = np.sum([one.versions[pod.version].latency for one in got], axis=0)
        bounds = [-np.inf, *edges, np.inf]
        assert seen.tolist() == np.histogram(pod.values[mark:], bounds)[0].tolist()
