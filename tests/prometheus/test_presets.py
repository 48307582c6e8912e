"""A real Prometheus scrapes what the real packages printed: its parser and its selectors say what the tests in memory do."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml

from bench.evidence.__main__ import prometheus as started
from glidepath.evidence import Collector, Prometheus, source_of
from glidepath.evidence.interval import Collected
from glidepath.evidence.series import Samples, Series
from tests.unit.evidence.behaviour.test_presets import ALL, ANSWERED, FAILED, REFUSED, V1, V2, VERSIONS, kept, policy

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]
SCRAPE_S = 1.0
NAMES = ("promhttp", "grpc", "micrometer", "envoy")


class Pods:
    """Serves each exposition at `/NAME`: the first scrape, later on the second."""

    def __init__(self) -> None:
        self.round = dict.fromkeys(NAMES, 0)
        self.scrapes = {name: kept(name) for name in NAMES}
        pods = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.strip("/")
                body = pods.scrapes[name][pods.round[name]].encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def pods() -> Iterator[Pods]:
    served = Pods()
    yield served
    served.server.shutdown()
    served.server.server_close()


@pytest.fixture(scope="module")
def url(pods: Pods, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that scrapes a pod of each version for each exposition, in a namespace of its name."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    address = f"127.0.0.1:{pods.server.server_port}"
    jobs = []
    for name in NAMES:
        targets = [V1, V2] if name != "envoy" else ["gateway-0"]
        configs = [
            {"targets": [address], "labels": {"namespace": "prod", "pod": pod, "set": name, "instance": pod}}
            for pod in targets
        ]
        jobs.append({"job_name": name, "metrics_path": f"/{name}", "scrape_interval": "1s", "static_configs": configs})
    with started(folder, yaml.safe_dump({"scrape_configs": jobs})) as url:
        yield url


def scraped(prometheus: Samples, selector: str) -> list[Series]:
    """What Prometheus has of a selector."""
    return prometheus.range_vector(selector, 30, prometheus.now())


def collected(name: str, url: str, pods: Pods) -> list[Collected]:
    """What a collector sees from the first scrape until the second was read; all of them."""
    made = policy(name, counts={"where": {"set": name}})
    source = source_of(made, VERSIONS)
    collector = Collector(Prometheus(url), source, "v1", VERSIONS, SCRAPE_S)
    found: list[Collected] = []
    until = time.monotonic() + 60
    # A pod whose first sample came later would count its whole life.
    targets = 1 if name == "envoy" else 2
    while len({one.labels["pod"] for one in scraped(collector.prometheus, source.requests)}) < targets:
        assert time.monotonic() < until, f"{name} was not scraped"
        time.sleep(0.1)
    while sum(one.versions[version].requests for one in found for version in VERSIONS) < 2 * ALL:
        assert time.monotonic() < until, [one.versions for one in found]
        now = collector.prometheus.now()
        one = collector.collect(now)
        if collector.end is not None:
            pods.round[name] = 1
        if isinstance(one, Collected):
            found.append(one)
        time.sleep(0.1)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_real_prometheus_gives_the_same_counts(name: str, url: str, pods: Pods) -> None:
    found = collected(name, url, pods)
    for version in VERSIONS:
        counts = [one.versions[version] for one in found]
        assert sum(one.requests for one in counts) == ALL
        assert sum(one.errors for one in counts) == FAILED
        assert sum(one.shares["client-errors"][0] for one in counts) == REFUSED
        assert sum(sum(one.latency) for one in counts) == (ANSWERED if name in ("promhttp", "micrometer") else ALL)
