"""Which latency edges Envoy can tell apart.

Envoy keeps latencies in bins of two digits (…, 98, 99, 100, 110, 120, …; circllhist), and answers how many lie below an edge by
whole bins: from 1.38 on the bin that an edge lies in, or begins, is below it, before that it is not. So an edge between
two bins' borders stands for one of them, and edges that are neighbours may stand for the same. Those of two digits with
a bin between them are told apart by either rule.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

ROUNDING = 1e-9
# The bins of a decade: 1.0, 1.1, ... 9.9.
DECADE = 90


def bin_of(value: float) -> int | None:
    """Which bin begins at a value, counted through all decades; None if none does."""
    if not 0 < value < math.inf:
        return None
    exponent = math.floor(math.log10(value) + ROUNDING)
    digits = value / 10.0**exponent * 10
    nearest = round(digits)
    return exponent * DECADE + nearest - 10 if abs(digits - nearest) <= ROUNDING * digits else None


def told_apart(edges: Iterable[float]) -> list[float]:
    """Of some edges, in Envoy's unit, those that its bins tell apart, ascending."""
    kept: list[tuple[int, float]] = []
    for edge in sorted(edges):
        place = bin_of(edge)
        if place is not None and (not kept or place >= kept[-1][0] + 2):
            kept.append((place, edge))
    return [edge for _, edge in kept]


def usable(around: float, ratio: float, steps: Sequence[int] = range(-3, 4)) -> list[float]:
    """Edges to configure around one: of two digits, a bin between them, spaced by about a ratio."""
    return told_apart({_two_digits(around * ratio**step) for step in steps})


def _two_digits(value: float) -> float:
    return float(f"{value:.1e}")
