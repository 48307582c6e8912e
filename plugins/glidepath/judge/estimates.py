"""Estimates for people to read; no test uses them.

They are of the weight in force. Added up over weights, an arm whose share grows while the service drifts would look
worse or better than it is at every weight (Simpson's paradox).
"""

from __future__ import annotations

import numpy as np

from glidepath.judge.counts import ArmCounts
from glidepath.judge.evalue import Array
from glidepath.judge.metrics import kind_of
from glidepath.judge.metrics.base import Told
from glidepath.judge.quantiles import quantile_on_curve
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
        self._requests, self._events = [0, 0], [0, 0]
        self._below: Array = np.zeros((2, len(self._edges) + 1))

    def add(self, stable: ArmCounts, canary: ArmCounts, below: Array) -> None:
        """Take in an interval; `below` are its cumulative bucket counts, shaped (2, buckets)."""
        kind = kind_of(self._settings)
        for number, arm in enumerate((stable, canary)):
            events, of = kind.counted_of(self._settings, arm)
            self._requests[number] += of
            self._events[number] += events
        self._below = self._below + below

    def told(self) -> Told:
        """Stable's and canary's error share or quantile in seconds, and the effect: a difference or a ratio."""
        counted = tuple(zip(self._events, self._requests, strict=True))
        return kind_of(self._settings).estimated(self._settings, self._edges, counted, self._below)

    def on_curve(self) -> Told:
        """The same of a quantile, read off the curve that its nulls are read off."""
        stable, canary = (quantile_on_curve(arm, self._edges, self._settings.quantile) for arm in self._below)
        return stable, canary, canary / stable if stable and canary else None
