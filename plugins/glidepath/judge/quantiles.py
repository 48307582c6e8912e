"""Quantiles out of bucket counts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from glidepath.judge.evalue import Array
from glidepath.judge.survival import Survival, positive

# So many points between two edges are read off a curve, to find where it has a share.
POINTS = 33
# A quantile stays between the same two edges for many looks: so many such places are kept ready.
CURVES = 512


def quantile(counts: ArrayLike, edges: Sequence[float], q: float) -> float | None:
    """A quantile out of bucket counts, seconds, interpolated on a logarithmic scale; None beyond the last edge, and at 0.

    Args:
        counts: Per bucket, not cumulative; one more than there are edges.
        edges: The finite edges, seconds, ascending.
        q: Which quantile, 0 to 1.
    """
    return quantile_below(np.cumsum(counts, dtype=np.float64), edges, q)


def quantile_below(below: Array, edges: Sequence[float], q: float) -> float | None:
    """The same out of cumulative counts."""
    if below[-1] == 0 or not edges:
        return None
    place = int(np.searchsorted(below, q * below[-1]))
    if place >= len(edges) or edges[place] <= 0:
        return None
    upper, before = edges[place], float(below[place - 1]) if place else 0.0
    lower = edges[place - 1] if place and edges[place - 1] > 0 else upper / 2
    return float(lower * (upper / lower) ** ((q * float(below[-1]) - before) / (float(below[place]) - before)))


def quantile_on_curve(below: Array, edges: Sequence[float], q: float) -> float | None:
    """The same, read off the curve that the nulls are read off: on coarse buckets what is told then agrees with what is judged."""
    straight = quantile_below(below, edges, q)
    if straight is None:
        return straight
    first, survival, latencies = _curve(tuple(edges), int(np.searchsorted(below, q * below[-1])))
    if survival is None:
        return straight
    beyond = (below[-1] - below[:-1] + 0.5) / (below[-1] + 1.0)
    read, _ = survival.at(beyond[first:])
    odds = np.maximum.accumulate(np.log1p(-read) - np.log(read))
    return float(np.exp(np.interp(np.log(q) - np.log1p(-q), odds, latencies)))


@lru_cache(maxsize=CURVES)
def _curve(edges: tuple[float, ...], place: int) -> tuple[int, Survival | None, Array]:
    """The first edge that is a latency, what reads the points below an edge, None for too few edges, and their logarithms."""
    above = positive(edges)
    if len(above) < 2:
        return above.start, None, np.empty(0)
    lower = edges[place - 1] if place > above.start else edges[place] / 4
    at = np.geomspace(lower, edges[place], POINTS)
    return above.start, Survival(edges[above.start :], at.tolist()), np.log(at)
