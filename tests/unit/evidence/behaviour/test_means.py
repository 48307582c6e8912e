"""Means out of a histogram's sum and count: fractions are kept, and a sum counts no requests."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest

from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, Waiting
from glidepath.evidence.baseline import baseline
from glidepath.evidence.collector import Collected
from glidepath.evidence.selected import source_of
from glidepath.evidence.source import ShareSeries
from glidepath.policy.load import parse_policy
from tests.unit.evidence.scraped import SOURCE, Scraped

MEAN = ShareSeries("latency_mean", "took_count{x}", (), "took_sum{x}", (), "version", None, 0.001)


def scraped(at: Scraped, second: float, version: str, pod: str, count: int, milliseconds: float) -> None:
    """One scrape of a pod that has served so many requests in so much time."""
    at.pod(second, version, pod, count)
    at.add(second, count, name="took_count", version=version, pod=pod)
    at.add(second, milliseconds, name="took_sum", version=version, pod=pod)


def watching(at: Scraped, **given: float) -> Collector:
    watch = Collector(at, replace(SOURCE, shares=(MEAN,)), "v1", ["v1", "v2"], 5.0, **given)  # type: ignore[arg-type]
    assert isinstance(watch.collect(101), Waiting)
    return watch


def sums(watch: Collector, now: float, version: str = "v1") -> tuple[int, int]:
    got = watch.collect(now)
    assert isinstance(got, Collected)
    return got.versions[version].sums["latency_mean"]


@pytest.mark.parametrize(
    ("scrapes", "told"),
    [
        pytest.param([(1000, 4000.25), (1003, 4000.75), (1003, 4000.75)], [(500, 3), (0, 0)], id="in microseconds"),
        pytest.param(
            [(5000, 1_000_000), (5100, 1_020_000), (40, 9_000)],
            [(20_000_000, 100), (9_000_000, 40)],
            id="a restart counts both",
        ),
    ],
)
def test_a_sum_is_told_with_what_it_is_the_sum_of(
    scrapes: list[tuple[int, float]], told: list[tuple[int, int]]
) -> None:
    at = Scraped()
    scraped(at, 100, "v1", "a", *scrapes[0])
    watch = watching(at)
    for second, scrape, expected in zip((105, 110), scrapes[1:], told, strict=True):
        scraped(at, second, "v1", "a", *scrape)
        assert sums(watch, second + 1) == expected


def test_a_pod_that_is_new_counts_both_or_none() -> None:
    at = Scraped()
    scraped(at, 100, "v1", "a", 5000, 1_000_000)
    watch = watching(at, planned_per_s=20.0)
    scraped(at, 105, "v1", "a", 5100, 1_020_000)
    scraped(at, 105, "v2", "b", 60, 30_000)
    assert sums(watch, 106, "v2") == (30_000_000, 60)
    scraped(at, 110, "v1", "a", 5200, 1_040_000)
    scraped(at, 110, "v2", "b", 120, 60_000)
    scraped(at, 110, "v2", "c", 400_000, 80_000_000)  # was there all along
    assert sums(watch, 111, "v2") == (30_000_000, 60)


def test_a_sum_makes_no_room_for_requests_that_nobody_made() -> None:
    """Of 100 requests a scrape, 20,000 milliseconds: a counter that comes back with 9,000 can't have counted them."""
    at = Scraped()
    for second in (100, 105, 110):
        scraped(at, second, "v1", "a", 1000 + 20 * second, 1e6 + 4000 * second)
        if second == 100:
            watch = watching(at)
        else:
            assert sums(watch, second + 1)[1] == 100
    scraped(at, 115, "v1", "a", 1000 + 20 * 115, 1e6 + 4000 * 115)
    at.add(115, 9000, name="requests", version="v1", pod="a", status="error")
    got = watch.collect(116)
    assert isinstance(got, Collected)
    assert got.versions["v1"].errors == 0


@pytest.mark.parametrize("observed", [math.nan, math.inf])
def test_a_sum_that_is_no_number_is_no_evidence(observed: float) -> None:
    """One request that observes NaN leaves a sum of NaN for good: the mean would seem to be zero."""
    at = Scraped()
    scraped(at, 100, "v1", "a", 5000, 1_000_000)
    scraped(at, 100, "v2", "b", 5000, 1_000_000)
    watch = watching(at)
    for second, value in ((105, observed), (110, observed), (115, 3000), (120, 7000)):
        scraped(at, second, "v1", "a", 5000 + second, 1_000_000 + 200 * second)
        if second > 110:  # it has restarted
            scraped(at, second, "v2", "b", int(value) // 200, value)
            continue
        scraped(at, second, "v2", "b", 5000 + second, value)
        with pytest.raises(EvidenceError, match="of pod b was not a finite number"):
            watch.collect(second + 1)
    assert sums(watch, 121, "v2") == (7_000_000, 35)


def test_a_past_with_a_sum_that_is_no_number_is_none_to_plan_by() -> None:
    at = Scraped()
    for second in range(100, 400, 5):
        scraped(at, second, "v1", "a", 20 * second, math.nan if second == 200 else 4000.0 * second)
    with pytest.raises(EvidenceError, match="of pod a was not a finite number"):
        baseline(at, replace(SOURCE, shares=(MEAN,)), "v1", 300, 400)


@pytest.mark.parametrize(
    ("source", "of"),
    [
        ("istio", "istio_request_duration_milliseconds"), ("micrometer", "http_server_requests_seconds"),
        ("app", "app_prediction_latency_seconds"), ("mesh", "istio_request_duration_milliseconds"),
    ],
)  # fmt: skip
def test_it_is_read_beside_the_buckets(source: str, of: str) -> None:
    text = "service: shop\nnamespace: prod\nhelm: {release: shop}\nsteps: [{weight: 50}]\nmetrics: [{kind: errors}, {kind: mean}]\n"
    read = source_of(parse_policy(f"{text}evidence: {{source: {source}}}\n", "p.yaml", Path("/checkout")), ["v1", "v2"])
    [mean] = [share for share in read.shares if share.name == "latency_mean"]
    assert mean.of.startswith(f"{of}_count{{")
    assert mean.events == mean.of.replace("_count{", "_sum{", 1)
    assert mean.sum_seconds == (0.001 if "milliseconds" in of else 1.0)
    assert read.latency == ""
