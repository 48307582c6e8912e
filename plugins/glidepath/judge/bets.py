"""Which alternatives are bet on, and how the mass of the bets is put in over time."""

from __future__ import annotations

import numpy as np

from glidepath.judge.evalue import Array, Mask
from glidepath.judge.plan import MetricPlan

# Of the null's odds.
HARM_FACTORS = {
    "errors": (1.3, 1.8, 3.0, 6.0, 12.0, 40.0),
    "latency": (1.12, 1.25, 1.5, 2.0, 4.0, 10.0),
    "share": (1.15, 1.4, 2.0, 4.0, 10.0, 40.0),
}
HARM_WEIGHTS = {
    "errors": (0.22, 0.22, 0.16, 0.16, 0.16, 0.08),
    "latency": (0.22, 0.22, 0.18, 0.16, 0.12, 0.10),
    "share": (0.22, 0.22, 0.16, 0.16, 0.16, 0.08),
}
SAFETY_WEIGHTS = (0.6, 0.2, 0.2)
# For questions that a version exactly like stable can't answer with yes: "is it faster?", "has it fewer errors?".
FASTER = np.array([0.88, 0.7, 0.45])
BELOW = np.array([0.8, 0.5, 0.25])
HARM_SPREAD_S, SAFETY_SPREAD_S = 1800.0, 600.0
SMALLEST = 1e-9
# The stable's probability that is bet on keeps this distance from where the null would have no room, as a factor.
BEYOND = 1.1


class Bets:
    """The bets of one metric, as arrays shaped (questions, bets): harm's first, then safety's.

    Every bet on the canary is an odds ratio away from a point q that is linear in the stable's probability s. Odds, not
    probabilities, because a bet then exists at any probability: for rare events the two are the same.

    Attributes:
        margins: The questions' margins, as a column.
        harm, safety: Where each kind's bets stand.
    """

    def __init__(self, plan: MetricPlan) -> None:
        self.margins: Array = np.array([[row.margin] for row in plan.questions])
        factors = np.array(HARM_FACTORS[plan.settings.kind])
        safe = [_safe(row.margin, row.tail, plan.settings.kind) for row in plan.questions]
        self.harm, self.safety = slice(0, len(factors)), slice(len(factors), len(factors) + len(SAFETY_WEIGHTS))
        ones = np.ones((len(safe), len(factors)))
        self._slope, self._offset, self._odds = (
            np.concatenate([ours, np.array([row[number] for row in safe])], axis=1)
            for number, ours in enumerate((ones, ones * self.margins, ones * factors))
        )
        middle = (1.0 - self.margins) / 2
        self._least: Array = np.maximum(np.minimum(-BEYOND * self.margins, middle), SMALLEST)
        self._most: Array = np.minimum(np.maximum(1.0 - BEYOND * self.margins, middle), 1.0 - SMALLEST)
        self._side: Array = np.concatenate([np.ones(len(factors)), -np.ones(len(SAFETY_WEIGHTS))])

    def at(self, base: float | Array) -> tuple[Array, Array, Mask]:
        """What is bet on: the canary's probabilities, the stable's (a column), and where such a bet can be made at all.

        Args:
            base: The stable's probability, from past intervals only; of many releases, shaped (releases, 1, 1).
        """
        stable = np.minimum(np.maximum(base, self._least), self._most)
        point = np.maximum(stable * self._slope + self._offset, SMALLEST)
        canary = self._odds * point / (1.0 + (self._odds - 1.0) * point)
        return canary, stable, (canary - stable - self.margins) * self._side > 0

    def needed(self, alpha: float, beta: float) -> Array:
        """The log evidence that each bet's decision takes: a rollback, a promotion."""
        each = self.harm.stop - self.harm.start, self.safety.stop - self.safety.start
        return np.repeat(-np.log([alpha, beta]), each)


def _safe(margin: float, tail: float, kind: str) -> tuple[Array, Array, Array]:
    """Slopes, offsets and odds ratios of the bets on safety: the comparable version, one towards the margin, a better one."""
    one, none = np.ones(3), np.zeros(3)
    if kind == "latency":
        return (
            (np.array([tail, 1.0 - 0.55 * (1.0 - tail), 0.8 * tail]), none, one) if tail < 1.0 else (one, none, FASTER)
        )
    if margin > 0 and kind == "share":
        return one, np.array([0.0, 0.35 * margin, -0.35 * margin]), one
    if margin > 0:
        return one, np.array([0.0, 0.35 * margin, 0.0]), np.array([1.0, 1.0, 0.6])
    return one, np.full(3, margin), BELOW


def harm_shares(weight_changes: int) -> tuple[float, float, float]:
    """Shares of the harm bets' mass: at the start, at each planned weight change, spread over time."""
    if weight_changes == 0:
        return 0.60, 0.0, 0.40
    return 0.35, 0.25 / weight_changes, 0.40


def spread(total: float, horizon_s: float, before_s: float, after_s: float) -> float:
    """How much of a spread share starts between two times since the beginning: total h/(h+t) is what is left at t."""
    mass = total * horizon_s
    return mass / (horizon_s + max(0.0, before_s)) - mass / (horizon_s + max(0.0, after_s))
