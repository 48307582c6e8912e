"""A share that may be off on either side: more messages called spam than stable calls so, or fewer.

Fewer events are more of what is not the event, so the lower side is the same question about the complement: harm is
p_c < p_s - d, that is (1 - p_c) > (1 - p_s) + d. Harm is refuted on each side at half the rate (a union of two nulls);
comparable is what is proven so on both (an intersection needs no correction).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from glidepath.judge.counts import ArmCounts
from glidepath.judge.evalue import Array
from glidepath.judge.feasibility import Comparable
from glidepath.judge.plan import MetricPlan
from glidepath.judge.process import MetricProcess
from glidepath.judge.values import MetricLook


class TwoSided:
    """One share's processes, a side each; used as a `MetricProcess` is.

    Args:
        plan: The metric's frozen plan.
        edges: The latency buckets' finite edges, seconds.
        alpha: Chance of a false rollback for this metric, both sides together.
        beta: Chance of a wrong promotion.
        weight_changes: Planned changes of the weight after the first.
    """

    def __init__(
        self, plan: MetricPlan, edges: tuple[float, ...], alpha: float, beta: float, weight_changes: int
    ) -> None:
        self.plan = plan
        each = alpha / max(1, len(plan.sides))
        plans = {"above": plan, "below": replace(plan, base=1.0 - plan.base)}
        self._processes = {side: MetricProcess(plans[side], edges, each, beta, weight_changes) for side in plan.sides}
        # Nothing to judge: it is told, with estimates, and proves and blames nothing.
        self._idle = MetricProcess(replace(plan, harm=-1, safety=-1), edges, each, beta, weight_changes)

    def _all(self) -> Sequence[MetricProcess]:
        return (*self._processes.values(), self._idle)

    def change_weight(self) -> None:
        """A planned weight change."""
        for process in self._all():
            process.change_weight()

    def feed(self, stable: ArmCounts, canary: ArmCounts, below: Array, seconds: float) -> None:
        """Take in a merged interval, as `MetricProcess.feed`."""
        self._idle.feed(stable, canary, below, seconds)
        for side, process in self._processes.items():
            if side == "above":
                process.feed(stable, canary, below, seconds)
            else:
                process.feed(self._complement(stable), self._complement(canary), below, seconds)

    def _complement(self, arm: ArmCounts) -> ArmCounts:
        events, of = arm.proportion(self.plan.settings)
        return replace(arm, shares={self.plan.settings.counted: (of - events, of)})

    def comparable(self) -> Comparable:
        """As `MetricProcess.comparable`, of the side whose safety is furthest from proven."""
        return self._furthest().comparable()

    def seconds_left(self, rate: float) -> float:
        """As `MetricProcess.seconds_left`, of the side whose safety is furthest from proven."""
        return self._furthest().seconds_left(rate)

    def missing_safety(self) -> float:
        """How much log evidence is still missing for safety on some side."""
        return max((process.missing_safety() for process in self._processes.values()), default=0.0)

    def _furthest(self) -> MetricProcess:
        return max(self._processes.values(), key=lambda process: process.missing_safety(), default=self._idle)

    def look(self) -> MetricLook:
        """What is known now: harm of the worse side, safety of the weaker one."""
        idle = self._idle.look()
        looks = {side: process.look() for side, process in self._processes.items()}
        if not looks:
            # No version can be beyond the margin, or nothing is known of the stable: the first is safe, the second isn't.
            safe = idle.safety_threshold if self.plan.safety >= 0 else idle.safety_e
            return replace(idle, sides=self.plan.settings.sides, safety_e=safe)
        worse = max(looks, key=lambda side: looks[side].harm_e)
        low, high = _interval(looks, worse)
        return replace(
            idle,
            low=low,
            high=high,
            harm_e=looks[worse].harm_e,
            harm_threshold=looks[worse].harm_threshold,
            safety_e=min(look.safety_e for look in looks.values()),
            sides=self.plan.settings.sides,
        )


def _interval(looks: Mapping[str, MetricLook], worse: str) -> tuple[float | None, float | None]:
    """The effect's bounds out of both sides'; where they cross (an effect that changed) those of the worse side."""
    bounds = {
        side: (look.low, look.high) if side == "above" else (_negative(look.high), _negative(look.low))
        for side, look in looks.items()
    }
    lows, highs = ([bound for bound in each if bound is not None] for each in zip(*bounds.values(), strict=True))
    low, high = max(lows, default=None), min(highs, default=None)
    crossed = low is not None and high is not None and low >= high
    return bounds[worse] if crossed else (low, high)


def _negative(value: float | None) -> float | None:
    return None if value is None else -value
