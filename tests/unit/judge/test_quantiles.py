"""Quantiles that people read: on coarse buckets they agree with what is judged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.judges.world import STOCK, Gamma, Shape
from glidepath.judge.quantiles import quantile_below, quantile_on_curve
from tests.unit.judge.test_edges import exact

LAWS = {
    "wide": Shape(((1.0, 0.05, 0.5),)),
    "narrow": Shape(((1.0, 0.05, 0.25),)),
    "gamma": Gamma(order=2.0, mean_s=0.05),
}
COARSE = (0.1, 0.5, 1.0)


def below(law: Shape, edges: tuple[float, ...], slower: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Cumulative counts of many requests, without chance."""
    return np.cumsum(exact(law, edges, 100_000, slower=slower).latency, dtype=np.float64)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("layout", STOCK)
@pytest.mark.parametrize("asked", [0.5, 0.95, 0.99])
@pytest.mark.parametrize("slower", [1.1, 1.3, 1.6])
def test_how_much_slower_a_version_is_is_told_though_no_edge_is_near(
    law: str, layout: str, asked: float, slower: float
) -> None:
    edges = STOCK[layout]
    stable, canary = (quantile_on_curve(below(LAWS[law], edges, by), edges, asked) for by in (1.0, slower))
    assert stable is not None
    assert canary is not None
    assert canary / stable == pytest.approx(slower, rel=0.12)


@pytest.mark.parametrize("slower", [1.3, 1.6])
def test_on_three_edges_too_it_is_nearer_than_a_straight_line(slower: float) -> None:
    law = LAWS["wide"]
    told = [
        [read(below(law, COARSE, by), COARSE, 0.95) for by in (1.0, slower)]
        for read in (quantile_on_curve, quantile_below)
    ]
    curve, line = (float(canary or 0) / float(stable or 1) for stable, canary in told)
    assert abs(curve / slower - 1) < 0.15
    assert abs(curve / slower - 1) < abs(line / slower - 1)


@given(st.lists(st.integers(0, 10_000), min_size=4, max_size=4), st.floats(0.01, 0.999))
def test_it_lies_in_the_bucket_that_has_the_quantile(counts: list[int], asked: float) -> None:
    total = np.cumsum(counts, dtype=np.float64)
    straight, curve = quantile_below(total, COARSE, asked), quantile_on_curve(total, COARSE, asked)
    assert (straight is None) == (curve is None)
    if straight is not None and curve is not None:
        place = int(np.searchsorted(total, asked * total[-1]))
        assert curve <= COARSE[place] * (1 + 1e-9)
        assert curve >= (COARSE[place - 1] if place else COARSE[0] / 4) * (1 - 1e-9)


def test_buckets_that_begin_at_nothing_are_read_as_others() -> None:
    edges = (0.0, *COARSE)
    counted = below(LAWS["wide"], COARSE, 1.0)
    assert quantile_on_curve(np.concatenate([[0.0], counted]), edges, 0.95) == quantile_on_curve(counted, COARSE, 0.95)
