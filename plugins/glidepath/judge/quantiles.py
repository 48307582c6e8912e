"""Quantiles out of bucket counts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from glidepath.judge.evalue import Array


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
