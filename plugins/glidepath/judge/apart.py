"""One metric where some of the stable's pods are set apart: harm against all pods, safety against the others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from glidepath.judge.counts import ArmCounts
from glidepath.judge.edges import Edges
from glidepath.judge.evalue import Array
from glidepath.judge.feasibility import Comparable
from glidepath.judge.plan import MetricPlan
from glidepath.judge.process import MetricProcess
from glidepath.judge.two_sided import TwoSided
from glidepath.judge.values import MetricLook

NOTE = "beside the stable's pods that are not set apart, harm beside all of them"


class Apart:
    """Both questions' processes; used as a `MetricProcess` is.

    A canary that is as bad as the sick pod makes the whole stable version is not proven safe by that, and one that is as the
    healthy pods are never looks harmful.

    Args:
        plan: The metric's frozen plan; it has a `rest`.
        made: Makes the process of a plan.

    Attributes:
        plan: The one that safety is judged by.
    """

    def __init__(self, plan: MetricPlan, made: Callable[[MetricPlan], MetricProcess | TwoSided | Edges]) -> None:
        self.plan = plan.rest or plan
        self._all, self._rest = made(plan), made(self.plan)

    def change_weight(self) -> None:
        """A planned weight change."""
        self._all.change_weight()
        self._rest.change_weight()

    def feed(self, stable: ArmCounts, canary: ArmCounts, below: Array, seconds: float) -> None:
        """Take in a merged interval, as `MetricProcess.feed`."""
        self._all.feed(stable, canary, below, seconds)
        rest = stable.without_apart()
        self._rest.feed(rest, canary, np.array([np.cumsum(rest.latency, dtype=np.float64), below[1]]), seconds)

    def comparable(self) -> Comparable:
        """As `MetricProcess.comparable`."""
        return self._rest.comparable()

    def seconds_left(self, rate: float) -> float:
        """As `MetricProcess.seconds_left`."""
        return self._rest.seconds_left(rate)

    def missing_safety(self) -> float:
        """How much log evidence is still missing for safety."""
        return self._rest.missing_safety()

    def look(self) -> MetricLook:
        """What is known now: the canary beside the pods that are not set apart, and harm beside all."""
        every, rest = self._all.look(), self._rest.look()
        low, high = every.low, rest.high
        if low is not None and high is not None and low >= high:
            low, high = (every.low, every.high) if every.harm_e >= every.harm_threshold else (rest.low, rest.high)
        return replace(
            rest,
            low=low,
            high=high,
            limit=every.limit,
            harm_e=every.harm_e,
            harm_threshold=every.harm_threshold,
            note=rest.note or every.note or NOTE,
        )
