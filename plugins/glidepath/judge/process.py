"""One metric through a release: its harm and safety evidence for every question at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from glidepath.judge.bets import (
    HARM_SPREAD_S,
    HARM_WEIGHTS,
    SAFETY_SPREAD_S,
    SAFETY_WEIGHTS,
    Bets,
    harm_shares,
    spread,
)
from glidepath.judge.evalue import Array, Mixture, log_e
from glidepath.judge.plan import MetricPlan
from glidepath.judge.values import ArmCounts, MetricLook, finite

PRIOR_REQUESTS = 3000.0
HALF_LIFE_S = 300.0
CAP_SHARE = 0.40
# Beyond this an E is told as this: JSON has no infinity.
LARGEST_LOG = 690.0


@dataclass
class _Totals:
    """Counts since the first interval, for the estimates people read."""

    canary: ArmCounts | None = None
    stable: ArmCounts | None = None

    def add(self, stable: ArmCounts, canary: ArmCounts) -> None:
        self.canary = canary if self.canary is None else self.canary.plus(canary)
        self.stable = stable if self.stable is None else self.stable.plus(stable)


class MetricProcess:
    """The state of one metric; O(questions x bets), however long the bake.

    Args:
        plan: The metric's frozen plan.
        edges: The latency buckets' finite edges, seconds.
        alpha: Chance of a false rollback for this metric.
        beta: Chance of a wrong promotion.
        weight_changes: Planned changes of the weight after the first.
    """

    def __init__(
        self, plan: MetricPlan, edges: tuple[float, ...], alpha: float, beta: float, weight_changes: int
    ) -> None:
        self.plan, self._edges = plan, edges
        self.harm_threshold, self.safety_threshold = 1.0 / alpha, 1.0 / beta
        self._bets = Bets(plan)
        self._start, self._change, self._spread = harm_shares(weight_changes)
        rows = len(plan.questions)
        self._harm = Mixture(HARM_WEIGHTS[plan.settings.kind], rows, CAP_SHARE * math.log(1.0 / alpha))
        self._harm.start(self._start)
        self._safety = Mixture(SAFETY_WEIGHTS, rows, None)
        self._safety.start(0.8)
        self._since_start = self._since_step = 0.0
        self._events = self._requests = 0.0
        self._totals = _Totals()

    @property
    def answerable(self) -> bool:
        """Whether the plan found questions that can be answered."""
        return self.plan.harm >= 0 or self.plan.safety >= 0

    def change_weight(self) -> None:
        """A planned weight change: more harm bets start, safety starts afresh."""
        self._harm.start(self._change)
        self._safety = Mixture(SAFETY_WEIGHTS, len(self.plan.questions), None)
        self._safety.start(0.8)
        self._since_step = 0.0

    def base(self) -> float:
        """The stable's probability of the event, from the plan and past intervals only."""
        return (PRIOR_REQUESTS * self.plan.base + self._events) / (PRIOR_REQUESTS + self._requests)

    def feed(self, stable: ArmCounts, canary: ArmCounts, seconds: float) -> None:
        """Take in a merged interval of so many seconds."""
        self._totals.add(stable, canary)
        if not self.answerable:
            return
        n, x = self._events_of(canary)
        m, y = self._stable_events(stable)
        base = self.base()
        harm, harm_open = self._bets.harm(base)
        safety, safety_open = self._bets.safety(base)
        margins = self._bets.margins
        self._harm.start(spread(self._spread, HARM_SPREAD_S, self._since_start, self._since_start + seconds))
        self._safety.start(spread(0.2, SAFETY_SPREAD_S, self._since_step, self._since_step + seconds))
        # The mass that starts within an interval starts before its evidence is seen, by a plan fixed beforehand.
        gains = log_e(n, m, x, y, margins, harm, np.full_like(harm, base))  # type: ignore[arg-type]
        self._harm.multiply(np.where(harm_open, gains, 0.0), seconds)
        gains = log_e(n, m, x, y, margins, safety, np.full_like(safety, base))  # type: ignore[arg-type]
        self._safety.multiply(np.where(safety_open, gains, 0.0), seconds)
        self._since_start += seconds
        self._since_step += seconds
        faded = 2.0 ** (-seconds / HALF_LIFE_S)
        self._events, self._requests = self._events * faded + y, self._requests * faded + m

    def missing_safety(self) -> float:
        """How much log evidence is still missing for safety."""
        have = float(self._safety.log_evidence()[self.plan.safety])
        return max(0.0, math.log(self.safety_threshold) - have)

    def faster(self) -> bool:
        """latency: whether the canary is proven faster than stable (the row of ratio 1)."""
        log_evidence = self._safety.log_evidence()
        return any(
            row.value == 1.0 and log_evidence[number] >= math.log(self.safety_threshold)
            for number, row in enumerate(self.plan.questions)
        )

    def look(self) -> MetricLook:
        """What is known now."""
        plan, settings = self.plan, self.plan.settings
        harm_log, safety_log = self._harm.log_evidence(), self._safety.log_evidence()
        values = np.array([row.value for row in plan.questions])
        low = self._bound(values, harm_log, self.harm_threshold, highest=True)
        high = self._bound(values, safety_log, self.safety_threshold, highest=False)
        stable, canary = self._estimates()
        effect = None
        if stable is not None and canary is not None:
            effect = canary - stable if settings.kind == "errors" else canary / stable
        return MetricLook(
            name=settings.name,
            role=settings.role,
            estimate_stable=stable,
            estimate_canary=canary,
            effect=effect,
            low=low,
            high=high,
            limit=plan.limit,
            safe_limit=plan.safe_limit,
            unit="points" if settings.kind == "errors" else "ratio",
            harm_e=_told(harm_log[plan.harm]) if plan.harm >= 0 else 1.0,
            harm_threshold=self.harm_threshold,
            safety_e=_told(safety_log[plan.safety]) if plan.safety >= 0 else 1.0,
            safety_threshold=self.safety_threshold,
            note=plan.note,
        )

    def _bound(self, values: Array, log_evidence: Array, threshold: float, highest: bool) -> float | None:
        """The outermost null that is refuted; nulls beyond it are not."""
        if not self.answerable:
            return None
        refuted = values[log_evidence >= math.log(threshold)]
        if refuted.size == 0:
            return None
        return finite(float(refuted.max() if highest else refuted.min()))

    def _stable_events(self, stable: ArmCounts) -> tuple[float, float]:
        if self.plan.edge < 0:
            return float(stable.requests), float(stable.errors)
        return float(sum(stable.latency)), float(sum(stable.latency[self.plan.edge + 1 :]))

    def _events_of(self, canary: ArmCounts) -> tuple[float, Array | float]:
        if self.plan.edge < 0:
            return float(canary.requests), float(canary.errors)
        buckets = np.asarray(canary.latency, dtype=np.float64)
        above = buckets.sum() - np.cumsum(buckets)
        return float(buckets.sum()), above[[row.edge for row in self.plan.questions]][:, None]

    def _estimates(self) -> tuple[float | None, float | None]:
        arms = (self._totals.stable, self._totals.canary)
        if self.plan.settings.kind == "errors":
            stable, canary = (arm.errors / arm.requests if arm is not None and arm.requests else None for arm in arms)
        else:
            q = self.plan.settings.quantile
            stable, canary = (quantile(arm.latency, self._edges, q) if arm is not None else None for arm in arms)
        return stable, canary


def quantile(counts: tuple[int, ...], edges: tuple[float, ...], q: float) -> float | None:
    """A quantile out of bucket counts, seconds, interpolated on a logarithmic scale; None beyond the last edge.

    For people to read; no test uses it.
    """
    total = sum(counts)
    if total == 0 or not edges:
        return None
    wanted, below = q * total, 0
    for place, count in enumerate(counts[: len(edges)]):
        if count and below + count >= wanted:
            upper = edges[place]
            lower = edges[place - 1] if place else upper / 2
            return float(lower * (upper / lower) ** ((wanted - below) / count))
        below += count
    return None


def _told(log_value: float) -> float:
    return math.exp(min(float(log_value), LARGEST_LOG))
