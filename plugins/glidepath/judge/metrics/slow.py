"""The share of successful requests that are slower than an edge, such as an objective for latency has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from glidepath.judge.counts import ArmCounts
from glidepath.judge.evalue import Array
from glidepath.judge.metrics.base import Told, none
from glidepath.judge.metrics.errors import Errors
from glidepath.judge.plan import MetricPlan
from glidepath.judge.settings import MetricSettings

# Edges that belong together are told to six digits.
EDGE_DIGITS = 1e-4
# So many edges are named where there is none, on either side.
NAMED = 2


class Slow(Errors):
    """Requests slower than a threshold, among successful ones; fewer are better. Exact: buckets count at their edges."""

    name = "slow"

    def planned(self, settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
        place = place_of(settings.threshold, edges)
        if place < 0:
            return none(settings, no_edge(settings.threshold, edges))
        return self.rated(settings, *self.events(settings, place, baseline), place)

    def events(self, settings: MetricSettings, edge: int, arm: ArmCounts) -> tuple[int, int]:
        return (sum(arm.latency[edge + 1 :]), sum(arm.latency)) if edge >= 0 else (0, 0)

    def counted(self, settings: MetricSettings, arm: ArmCounts) -> bool:
        return sum(arm.latency) > 0

    def counts(
        self, metric: MetricPlan, rows: NDArray[np.int64], stable: ArmCounts, canary: ArmCounts, below: Array
    ) -> tuple[float, float, Array | float, float]:
        everybody, canaries = float(below[0, -1]), float(below[1, -1])
        if metric.edge < 0:
            return canaries, everybody, 0.0, 0.0
        slow, theirs = (float(below[arm, -1] - below[arm, metric.edge]) for arm in (1, 0))
        return canaries, everybody, slow, theirs

    def estimated(
        self, settings: MetricSettings, edges: Sequence[float], counted: Sequence[tuple[int, int]], below: Array
    ) -> Told:
        place = place_of(settings.threshold, edges)
        counted = [(round(arm[-1] - arm[place]), round(arm[-1])) if place >= 0 else (0, 0) for arm in below]
        return super().estimated(settings, edges, counted, below)


def place_of(threshold: float, edges: Sequence[float]) -> int:
    """Which edge is the threshold; -1 for none."""
    return next((at for at, edge in enumerate(edges) if abs(edge / threshold - 1) <= EDGE_DIGITS), -1)


def no_edge(threshold: float, edges: Sequence[float]) -> str:
    """That there is no such edge, and which there are; seconds."""
    around = [edge for edge in edges if edge < threshold][-NAMED:] + [edge for edge in edges if edge > threshold][
        :NAMED
    ]
    there = f"; there are edges at {', '.join(f'{edge:.6g}' for edge in around)} s" if around else ""
    return (
        f"resolution_limited: no latency bucket has its edge at {threshold:.6g} s{there}: take one of these as the threshold, or "
        "configure the buckets"
    )
