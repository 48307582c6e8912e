"""Which alternatives are bet on, and how the mass of the bets is put in over time."""

from __future__ import annotations

import numpy as np

from glidepath.judge.evalue import CAP, Array, Mask
from glidepath.judge.plan import MetricPlan

# Of the null's probability; of its odds for other shares, which may be anywhere between 0 and 1.
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
SMALLEST = 1e-12
# A null p_s + d needs p_s > -d to be one; a negative margin's bets take at least so much more.
BEYOND = 1.1


class Bets:
    """The bets of one metric, as arrays shaped (questions, bets): harm's first, then safety's.

    Every bet on the canary is linear in the stable's probability s: it is slope s + offset.

    Attributes:
        margins: The questions' margins, as a column.
        harm, safety: Where each kind's bets stand.
    """

    def __init__(self, plan: MetricPlan) -> None:
        self.margins: Array = np.array([[row.margin] for row in plan.questions])
        factors = np.array(HARM_FACTORS[plan.settings.kind])
        self.harm, self.safety = slice(0, len(factors)), slice(len(factors), len(factors) + len(SAFETY_WEIGHTS))
        kind = "share" if plan.settings.kind == "share" else "rate" if plan.edge < 0 else "latency"
        self._odds = factors if kind == "share" else None
        safe = [_safe(row.margin, row.tail, kind) for row in plan.questions]
        harm_slope = np.broadcast_to(factors, (len(safe), len(factors)))
        self._slope: Array = np.concatenate([harm_slope, [slope for slope, _ in safe]], axis=1)
        self._offset: Array = np.concatenate([self.margins * factors, [offset for _, offset in safe]], axis=1)
        self._least: Array = -BEYOND * self.margins
        self._side: Array = np.concatenate([np.ones(len(factors)), -np.ones(len(SAFETY_WEIGHTS))])

    def at(self, base: float) -> tuple[Array, Array, Mask]:
        """What is bet on: the canary's probabilities, the stable's (a column), and where such a bet can be made at all.

        Args:
            base: The stable's probability, from past intervals only.
        """
        stable = np.maximum(np.maximum(base, self._least), SMALLEST)
        canary = np.maximum(stable * self._slope + self._offset, SMALLEST)
        if self._odds is not None:
            canary[:, self.harm] = _odds(stable + self.margins, self._odds)
        else:
            np.minimum(canary[:, self.harm], CAP, out=canary[:, self.harm])
        return canary, stable, (canary - stable - self.margins) * self._side > 0


def _safe(margin: float, tail: float, kind: str) -> tuple[Array, Array]:
    """Slope and offset of the bets on safety: the comparable version, one towards the margin, and a better one."""
    if kind == "latency":
        return (np.array([tail, 1.0 - 0.55 * (1.0 - tail), 0.8 * tail]) if tail < 1.0 else FASTER), np.zeros(3)
    if margin > 0 and kind == "share":
        return np.ones(3), np.array([0.0, 0.35 * margin, -0.35 * margin])
    if margin > 0:
        return np.array([1.0, 1.0, 0.6]), np.array([0.0, 0.35 * margin, 0.0])
    return BELOW, margin * BELOW


def _odds(null: Array, factors: Array) -> Array:
    """The probabilities whose odds are so many times the null's; the null's own where it is none."""
    inside = np.clip(null, 1e-12, 1.0 - 1e-12)
    odds = factors * inside / (1.0 - inside)
    return np.asarray(np.where((null > 0) & (null < 1), odds / (1.0 + odds), null))


def harm_shares(weight_changes: int) -> tuple[float, float, float]:
    """Shares of the harm bets' mass: at the start, at each planned weight change, spread over time."""
    if weight_changes == 0:
        return 0.60, 0.0, 0.40
    return 0.35, 0.25 / weight_changes, 0.40


def spread(total: float, horizon_s: float, before_s: float, after_s: float) -> float:
    """How much of a spread share starts between two times since the beginning: total h/(h+t) is what is left at t."""
    left_before, left_after = (total * horizon_s / (horizon_s + max(0.0, at)) for at in (before_s, after_s))
    return left_before - left_after
