"""Which alternatives are bet on, and how the mass of the bets is put in over time."""

from __future__ import annotations

import numpy as np

from glidepath.judge.evalue import LEAST, Array, Mask
from glidepath.judge.metrics import kind_of
from glidepath.judge.metrics.base import BELOW, BOTH_WAYS
from glidepath.judge.plan import MetricPlan

SAFETY_WEIGHTS = (0.6, 0.2, 0.2)
HARM_SPREAD_S, SAFETY_SPREAD_S = 1800.0, 600.0
LEAST_CHANCE = 1e-9
# The stable's probability that is bet on keeps this distance from where the null would have no room, as a factor.
BEYOND = 1.1


class Bets:
    """The bets of one metric, as arrays shaped (questions, bets): harm's first, then safety's.

    Every bet on the canary is an odds ratio away from a point q that is linear in the stable's probability s. Odds, not
    probabilities, because a bet then exists at any probability: for rare events the two are the same.

    Attributes:
        margins: The questions' margins, as a column.
        slopes: How their nulls follow the stable's probability, likewise; None where all are 1.
        harm, safety: Where the bets of each stand.
    """

    def __init__(self, plan: MetricPlan) -> None:
        self._kind = kind_of(plan.settings)
        self._factors = np.array(self._kind.harm_factors)
        self._tails: Array = np.array([[row.tail] for row in plan.questions])
        self.harm = slice(0, len(self._factors))
        self.safety = slice(self.harm.stop, self.harm.stop + len(SAFETY_WEIGHTS))
        self._side: Array = np.concatenate([np.ones(len(self._factors)), -np.ones(len(SAFETY_WEIGHTS))])
        self.margins: Array = np.array([[row.margin] for row in plan.questions])
        slopes = np.array([[row.slope] for row in plan.questions])
        self._worse: Mask = np.array([[row.value > 1.0] for row in plan.questions])
        self.slopes: Array | None = None
        self._followed: tuple[int, ...] = ()
        if (slopes != 1.0).any():
            self.follow(self.margins, slopes)
        else:
            self._by_margins(self.margins)

    def follow(self, margins: Array, slopes: Array) -> None:
        """Go on with these nulls, p_c = slope p_s + margin, shaped (..., questions, 1): known before what they are asked of.

        No margin is below 0.
        """
        self.margins, self.slopes = margins, slopes
        if slopes.shape != self._followed:
            self._followed = slopes.shape
            ones = np.ones((*slopes.shape[:-1], len(self._factors)))
            odds = np.broadcast_to(np.where(self._worse, 1.0, BELOW), (*slopes.shape[:-1], len(SAFETY_WEIGHTS)))
            self._odds = np.concatenate([ones * self._factors, odds], axis=-1)
            self._towards: Array = np.where(self._worse, BOTH_WAYS, 1.0)
            self._least = np.full(1, LEAST_CHANCE)
        self._slope, self._offset = np.empty(self._odds.shape), np.empty(self._odds.shape)
        self._slope[..., self.harm], self._offset[..., self.harm] = slopes, margins
        self._slope[..., self.safety] = 1.0 + self._towards * (slopes - 1.0)
        self._offset[..., self.safety] = self._towards * margins
        # Where the null is steep even the smallest probability may be too much for it.
        self._most = np.clip((1.0 / BEYOND - margins) / slopes, LEAST, 1.0 - LEAST_CHANCE)

    def _by_margins(self, margins: Array) -> None:
        ones = np.ones((*margins.shape[:-1], len(self._factors)))
        ours = (ones, ones * margins, ones * self._factors)
        theirs = (
            np.broadcast_to(array, (*margins.shape[:-1], len(SAFETY_WEIGHTS)))
            for array in self._kind.safe_bets(margins, self._tails)
        )
        both = zip(ours, theirs, strict=True)
        self._slope, self._offset, self._odds = (np.concatenate(pair, axis=-1) for pair in both)
        middle = (1.0 - margins) / 2
        self._least = np.maximum(np.minimum(-BEYOND * margins, middle), LEAST_CHANCE)
        self._most = np.minimum(np.maximum(1.0 - BEYOND * margins, middle), 1.0 - LEAST_CHANCE)

    def at(self, base: float | Array) -> tuple[Array, Array, Mask]:
        """What is bet on: the canary's probabilities, the stable's (a column), and where such a bet can be made at all.

        Args:
            base: The stable's probability, from past intervals only; of many releases, shaped (releases, 1, 1).
        """
        stable = self.room(base)
        point = np.maximum(stable * self._slope + self._offset, LEAST_CHANCE)
        canary = self._odds * point / (1.0 + (self._odds - 1.0) * point)
        return canary, stable, self._beyond(canary, stable) * self._side > 0

    def room(self, base: float | Array) -> Array:
        """The stable's probability that each question bets on: where the base leaves its null no room, the nearest that does."""
        return np.asarray(np.minimum(np.maximum(base, self._least), self._most))

    def _beyond(self, canary: Array, stable: Array) -> Array:
        return canary - stable - self.margins if self.slopes is None else canary - self.null(stable)

    def null(self, stable: Array) -> Array:
        """The canary's probability on the edge of each null, beside the stable's."""
        return stable + self.margins if self.slopes is None else stable * self.slopes + self.margins

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
