"""Native histograms: cut at edges they give the counts that classic buckets there would have had."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.errors import EvidenceError
from glidepath.evidence.native import FINEST_SCHEMA, choose_edges, cut
from glidepath.evidence.series import Histogram

# Milliseconds, as the mesh has them.
LATENCIES = st.lists(st.floats(0.5, 5000.0), min_size=1, max_size=60)


def exponential(values: list[float], scale: int, at: float = 100.0) -> Histogram:
    """What a client with this schema would have counted."""
    places = Counter(math.ceil(math.log2(value) * 2.0**scale) for value in values)
    buckets = [(2 ** ((at - 1) / 2**scale), 2 ** (at / 2**scale), float(n)) for at, n in sorted(places.items())]
    return Histogram({"pod": "a", "version": "v1"}, ((at, float(len(values)), tuple(buckets)),))


def custom(values: list[float], edges: tuple[float, ...]) -> Histogram:
    """Custom buckets, as Prometheus makes them of classic ones."""
    bounds = [-math.inf, *edges, math.inf]
    rows = ((low, high, float(sum(low < one <= high for one in values))) for low, high in itertools.pairwise(bounds))
    return Histogram({"pod": "a"}, ((100.0, float(len(values)), tuple(row for row in rows if row[2])),))


def told(histogram: Histogram, edges: tuple[float, ...]) -> list[float]:
    """The cumulative counts at the edges, and of all."""
    return [one.samples[0][1] for one in cut([histogram], edges, 0.001)]


def known(values: list[float], edges: tuple[float, ...]) -> list[float]:
    """The same, counted one by one."""
    return [*(float(sum(one <= edge * 1000 * (1 + 1e-9) for one in values)) for edge in edges), float(len(values))]


@given(LATENCIES, st.integers(1, 8))
def test_every_edge_that_is_chosen_is_one_of_the_buckets(values: list[float], scale: int) -> None:
    histogram = exponential(values, scale)
    edges = choose_edges([histogram], 0.001)
    assert edges == tuple(sorted(set(edges)))
    high = {round(math.log2(1000 * edge) * 2 ** min(scale, FINEST_SCHEMA), 6) for edge in edges}
    assert all(one == round(one) for one in high)
    assert told(histogram, edges) == told_by_buckets(histogram, edges)


def told_by_buckets(histogram: Histogram, edges: tuple[float, ...]) -> list[float]:
    (_, total, buckets), = histogram.samples  # fmt: skip
    return [*(sum(n for _, high, n in buckets if high <= edge * 1000 * (1 + 1e-9)) for edge in edges), total]


@given(LATENCIES, LATENCIES, st.integers(1, FINEST_SCHEMA))
def test_another_resolution_gives_the_same_counts_while_it_is_no_coarser(
    past: list[float], later: list[float], scale: int
) -> None:
    edges = choose_edges([exponential(past, scale)], 0.001)
    counts = [told(exponential(later, finer), edges) for finer in (scale, scale + 2)]
    assert counts[0] == counts[1]
    assert counts[0] == told_by_buckets(exponential(later, scale), edges)


def test_one_that_has_become_coarser_is_no_evidence() -> None:
    edges = choose_edges([exponential([10.0, 20.0, 40.0], 3)], 0.001)
    with pytest.raises(EvidenceError, match=r"pod a has a bucket from 0\.016 s to 0\.032 s, across the edge"):
        cut([exponential([20.0], 0)], edges, 0.001)


def test_edges_go_on_above_the_slowest_and_begin_with_the_quickest_percent() -> None:
    edges = choose_edges([exponential([1.0] * 5 + [10.0] * 1000 + [20.0], 3)], 0.001)
    assert edges[-1] == pytest.approx(0.0207 * 4, rel=0.1)
    assert 0.009 < edges[0] < 0.011


@given(LATENCIES, LATENCIES)
def test_custom_buckets_keep_the_edges_that_were_seen(past: list[float], later: list[float]) -> None:
    layout = (1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0)
    edges = choose_edges([custom(past, layout)], 0.001)
    assert {round(1000 * edge, 9) for edge in edges} <= set(layout)
    assert told(custom(later, layout), edges) == known(later, edges)


def test_what_is_coarse_in_one_pod_is_cut_as_coarse_in_all() -> None:
    fine, coarse = exponential([10.0, 20.0, 40.0], 4), exponential([10.0, 20.0, 40.0], 2)
    edges = choose_edges([fine, coarse], 0.001)
    for one in (fine, coarse):
        assert told(one, edges)[-1] == 3
    assert edges[1] / edges[0] == pytest.approx(2**0.25)


def test_a_zero_bucket_that_is_wider_in_one_pod_has_no_edge_within() -> None:
    """As client_golang's NativeHistogramMaxZeroThreshold makes it; the past itself must be cut at its edges."""
    quick, usual = (2**-10, 2**-9.75, 50.0), (2**-8, 2**-7.75, 50.0)
    wide = Histogram({"pod": "a"}, ((1.0, 100.0, ((-0.002, 0.002, 50.0), usual)),))
    fine = Histogram({"pod": "b"}, ((1.0, 100.0, (quick, usual)),))
    edges = choose_edges([wide, fine], 1.0)
    assert [[one.samples[0][1] for one in cut([each], edges, 1.0)][-1] for each in (wide, fine)] == [100, 100]
    assert 0.002 < edges[0] < 2**-8


def test_zeros_are_below_every_edge() -> None:
    buckets = ((-1e-9, 1e-9, 4.0), (8.0, 16.0, 6.0))
    histogram = Histogram({"pod": "a"}, ((1.0, 10.0, buckets),))
    assert told(histogram, (0.008, 0.016)) == [4, 10, 10]
    assert choose_edges([histogram], 0.001) == pytest.approx((1e-12, 0.008, 0.016))


def test_nothing_seen_has_no_edges() -> None:
    assert choose_edges([], 1.0) == ()
    assert cut([], (), 1.0) == []
