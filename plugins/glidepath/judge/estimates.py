"""Estimates for people to read; no test uses them.

They are of the weight in force. Added up over weights, an arm whose share grows while the service drifts would look
worse or better than it is at every weight (Simpson's paradox).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from glidepath.judge.counts import ArmCounts
from glidepath.judge.evalue import Array
from glidepath.judge.settings import MetricSettings


class Estimates:
    """One metric's estimates of both arms.

    Args:
        settings: The metric's.
        edges: The latency buckets' finite edges, seconds.
    """

    def __init__(self, settings: MetricSettings, edges: tuple[float, ...]) -> None:
        self._settings, self._edges = settings, edges
        self.restart()

    def restart(self) -> None:
        """Another weight: forget."""
        self._requests, self._errors = [0, 0], [0, 0]
        self._below: Array = np.zeros((2, len(self._edges) + 1))

    def add(self, stable: ArmCounts, canary: ArmCounts, below: Array) -> None:
        """Take in an interval; `below` are its cumulative bucket counts, shaped (2, buckets)."""
        for number, arm in enumerate((stable, canary)):
            events, of = arm.proportion(self._settings)
            self._requests[number] += of
            self._errors[number] += events
        self._below = self._below + below

    def told(self) -> tuple[float | None, float | None, float | None]:
        """Stable's and canary's error share or quantile in seconds, and the effect: a difference or a ratio."""
        if self._settings.kind != "latency":
            stable, canary = (
                bad / all_ if all_ else None for bad, all_ in zip(self._errors, self._requests, strict=True)
            )
            return stable, canary, canary - stable if stable is not None and canary is not None else None
        stable, canary = (_quantile(one, self._edges, self._settings.quantile) for one in self._below)
        return stable, canary, canary / stable if stable is not None and canary is not None else None


def quantile(counts: ArrayLike, edges: Sequence[float], q: float) -> float | None:
    """A quantile out of bucket counts, seconds, interpolated on a logarithmic scale; None beyond the last edge.

    Args:
        counts: Per bucket, not cumulative; one more than there are edges.
        edges: The finite edges, seconds, ascending.
        q: Which quantile, 0 to 1.
    """
    return _quantile(np.cumsum(counts, dtype=np.float64), edges, q)


def _quantile(below: Array, edges: Sequence[float], q: float) -> float | None:
    if below[-1] == 0 or not edges:
        return None
    place = int(np.searchsorted(below, q * below[-1]))
    if place >= len(edges):
        return None
    upper = edges[place]
    lower, before = (edges[place - 1], float(below[place - 1])) if place else (upper / 2, 0.0)
    return float(lower * (upper / lower) ** ((q * float(below[-1]) - before) / (float(below[place]) - before)))
