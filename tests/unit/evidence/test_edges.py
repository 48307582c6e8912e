"""Latency is counted at edges that all have, that were there all the time, and that what counts can tell apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.errors import EvidenceError
from glidepath.evidence import Collector, baseline, mesh_source
from glidepath.evidence.bins import bin_of, told_apart, usable
from tests.unit.evidence.scraped import SOURCE, Scraped
from tests.unit.evidence.test_collector import SCRAPE, collected

MESH = mesh_source("sms-app", "model-service", ["v1", "v2"])


def envoy(edge: float, value: float, inclusive: bool) -> bool:
    """Whether Envoy counts a latency below an edge, by the rule of 1.38 (inclusive) or the one before."""
    exponent = 0
    while value / 10**exponent >= 100:
        exponent += 1
    low = int(value / 10**exponent) * 10**exponent
    return low <= edge if inclusive else low + 10**exponent <= edge


@settings(deadline=None)
@given(st.integers(10, 99), st.integers(0, 3), st.booleans())
def test_edges_that_are_kept_are_told_apart_by_either_rule(digits: int, exponent: int, inclusive: bool) -> None:
    lower = digits * 10**exponent
    upper = next(edge for edge in told_apart([float(lower), *map(float, range(lower, 3 * lower))]) if edge > lower)
    between = [value for value in range(lower, round(upper)) if envoy(upper, value, inclusive)]
    assert [value for value in between if not envoy(lower, value, inclusive)]


@pytest.mark.parametrize(
    ("edges", "kept"),
    [
        ([180.5, 198.55], []),
        ([100, 110, 120, 130], [100, 120]),
        ([0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000], [0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000]),
        ([95, 96, 97, 99, 100, 110, 120], [95, 97, 99, 110]),
        ([500, 550, 605, 610], [500, 550, 610]),
        ([0, float("inf"), -3], []),
    ],
)  # fmt: skip
def test_which_edges_envoy_tells_apart(edges: list[float], kept: list[float]) -> None:
    assert told_apart(edges) == kept
    assert bin_of(180.5) is None


def test_the_edges_that_are_named_are_told_apart() -> None:
    assert usable(180.5, 1.10) == [140, 160, 180, 200, 220, 240]
    for around in (0.7, 3.3, 19, 99.9, 512, 7777):
        assert told_apart(usable(around, 1.10)) == usable(around, 1.10)


def mesh(scraped: Scraped, at: float, version: str, edges: dict[str, int]) -> None:
    """What a gateway saw of a version."""
    seen = {"pod": "gateway", "destination_version": version}
    scraped.add(at, edges["+Inf"], name=MESH.requests.split("{")[0], **seen, response_code="200")
    for upper, below in edges.items():
        scraped.add(at, below, name=MESH.latency.split("{")[0], **seen, response_code="200", le=upper)


def test_a_mesh_baseline_is_counted_at_edges_that_envoy_tells_apart() -> None:
    scraped = Scraped()
    for at in (100, 105):
        counts = {"100": at, "180.5": 2 * at, "198.55": 3 * at, "200": 4 * at, "210": 5 * at, "+Inf": 6 * at}
        mesh(scraped, at, "v1", counts)
    past = baseline(scraped, MESH, "v1", 60, 106)
    assert past.seen.edges == (0.1, 0.2)
    assert past.blind == (0.1805, 0.19855, 0.21)
    assert past.seen.versions["v1"].latency == (5, 15, 10)


def test_versions_with_other_buckets_are_counted_at_the_edges_that_both_have() -> None:
    source, scraped = replace(SOURCE, edges=(0.05, 0.1)), Scraped()
    for at, good in ((100, 1000), (105, 1100)):
        scraped.pod(at, "v1", "a", good, 0, (good - 800, good - 500, good))
        for edge, below in (("0.07", good - 900), ("0.1", good - 300), ("+Inf", good)):
            scraped.add(at, below, name="latency", version="v2", pod="c", status="success", le=edge)
        scraped.add(at, good, name="requests", version="v2", pod="c", status="success")
        if at == 100:
            watch = Collector(scraped, source, "v1", ["v1", "v2"], SCRAPE)
            watch.collect(101)
    scraped.add(103, 0, name="requests", version="v2", pod="c", status="error")
    got = collected(watch, 106)
    assert (got.edges, got.common) == ((0.05, 0.1), (0.1,))
    assert got.versions["v1"].latency == got.versions["v2"].latency == (0, 100, 0)


def test_edges_that_change_within_a_pod_are_no_baseline() -> None:
    """A restart with another library: the same pod has the old edges, then the new ones."""
    scraped = Scraped()
    for at, edges in ((100, ("0.05", "0.1")), (105, ("0.05", "0.1")), (110, ("0.05", "0.2")), (115, ("0.05", "0.2"))):
        scraped.add(at, at, name="requests", version="v1", pod="a", status="success")
        for edge in (*edges, "+Inf"):
            scraped.add(at, at, name="latency", version="v1", pod="a", status="success", le=edge)
    with pytest.raises(
        EvidenceError, match=r"buckets of pod a \(version v1\) changed: an edge at 0.1 s .*a part of the time"
    ):
        baseline(scraped, SOURCE, "v1", 600, 116)
    assert baseline(scraped, SOURCE, "v1", 9, 116).seen.edges == (0.05, 0.2)
