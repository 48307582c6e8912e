"""A service that nobody here wrote, by its own names: one Prometheus is the service, another scrapes it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from bench.evidence.__main__ import prometheus as started
from glidepath.evidence import Collector, Prometheus, source_of
from glidepath.evidence.fitting import fitting
from glidepath.evidence.interval import Collected
from glidepath.policy.load import parse_policy

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]
POLICY = """\
service: tsdb
namespace: prod
helm: {release: tsdb}
steps: [{weight: 50}]
evidence:
  source: own
  counts:
    requests: prometheus_http_requests_total
    where: {namespace: "{namespace}"}
    errors: {code: "=~5.."}
    good: {code: "=~[1-4].."}
    client_errors: {code: "=~4.."}
    ignore: {handler: [/metrics, "=~/-/.*"]}
    latency: {histogram: prometheus_http_request_duration_seconds}
    version: {pod_name: true}
    pod: kubernetes_pod_name
"""
PODS = {"v1": "tsdb-v1-5d4f9c7b6d-x2k9q", "v2": "tsdb-v2-7f6d5c4b3a-p8w2z"}
GOOD, REFUSED = {"v1": 60, "v2": 20}, {"v1": 6, "v2": 4}


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The address of each version's pod."""
    with (
        started(tmp_path_factory.mktemp("v1")) as one,
        started(tmp_path_factory.mktemp("v2")) as other,
    ):
        yield {"v1": one, "v2": other}


@pytest.fixture(scope="module")
def url(services: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What scrapes them, once a second."""
    targets = [
        {
            "targets": [address.removeprefix("http://")],
            "labels": {"namespace": "prod", "kubernetes_pod_name": PODS[version]},
        }
        for version, address in services.items()
    ]
    config = {"scrape_configs": [{"job_name": "pods", "scrape_interval": "1s", "static_configs": targets}]}
    folder: Path = tmp_path_factory.mktemp("scraper")
    with started(folder, yaml.safe_dump(config)) as url:
        yield url


def ask(address: str, good: int, refused: int) -> None:
    """So many queries that are answered, and so many that are refused; and probes beside them."""
    for _ in range(good):
        assert requests.get(f"{address}/api/v1/query", params={"query": "1"}, timeout=5).status_code == 200
    for _ in range(refused):
        assert requests.get(f"{address}/api/v1/query", params={"query": "("}, timeout=5).status_code == 400
    for _ in range(10):
        assert requests.get(f"{address}/-/healthy", timeout=5).ok


def test_requests_4xx_and_latency_are_counted_and_scrapes_and_probes_are_not(
    url: str, services: dict[str, str], tmp_path: Path
) -> None:
    policy = parse_policy(POLICY, "p", tmp_path)
    # Each code has a counter once it was answered; what is there at first is nobody's.
    for address in services.values():
        ask(address, 1, 1)
    versions = list(services)
    collector = Collector(Prometheus(url), source_of(policy, versions), "v1", versions, 1.0)
    until, asked, found = time.monotonic() + 60, False, list[Collected]()
    wanted = sum(GOOD.values()) + sum(REFUSED.values())
    while sum(one.versions[version].requests for one in found for version in versions) < wanted:
        assert time.monotonic() < until, [one.versions for one in found]
        one = collector.collect(collector.prometheus.now())
        if isinstance(one, Collected):
            found.append(one)
        if found and not asked:
            found.clear()
            for version, address in services.items():
                ask(address, GOOD[version], REFUSED[version])
            asked = True
        time.sleep(0.1)
    for version in versions:
        counts = [one.versions[version] for one in found]
        assert sum(one.requests for one in counts) == GOOD[version] + REFUSED[version]
        assert sum(one.errors for one in counts) == 0
        assert sum(one.shares["client-errors"][0] for one in counts) == REFUSED[version]
        assert sum(sum(one.latency) for one in counts) == GOOD[version] + REFUSED[version]
    assert found[0].edges[0] == 0.1
    # No preset claims it: its names are its own.
    assert fitting(Prometheus(url), "prod", "tsdb", "v1") == []
