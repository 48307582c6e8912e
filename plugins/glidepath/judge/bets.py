"""Which alternatives are bet on, and how the mass of the bets is put in over time."""

from __future__ import annotations

import numpy as np

from glidepath.judge.evalue import Array, Mask
from glidepath.judge.metrics import kind_of
from glidepath.judge.plan import MetricPlan

SAFETY_WEIGHTS = (0.6, 0.2, 0.2)
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
        harm, safety: Where the bets of each stand.
    """

    def __init__(self, plan: MetricPlan) -> None:
        self.margins: Array = np.array([[row.margin] for row in plan.questions])
        kind = kind_of(plan.settings)
        factors = np.array(kind.harm_factors)
        safe = [kind.safe_bets(row.margin, row.tail) for row in plan.questions]
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


def harm_shares(weight_changes: int) -> tuple[float, float, float]:
    """Shares of the harm bets' mass: at the start, at each planned weight change, spread over time."""
    if weight_changes == 0:
        return 0.60, 0.0, 0.40
    return 0.35, 0.25 / weight_changes, 0.40


def spread(total: float, horizon_s: float, before_s: float, after_s: float) -> float:
    """How much of a spread share starts between two times since the beginning: total h/(h+t) is what is left at t."""
    mass = total * horizon_s
    return mass / (horizon_s + max(0.0, before_s)) - mass / (horizon_s + max(0.0, after_s))
