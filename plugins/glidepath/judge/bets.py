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
FASTER = np.array([[0.88, 0.7, 0.45]])
BELOW = np.array([[0.8, 0.5, 0.25]])
HARM_SPREAD_S, SAFETY_SPREAD_S = 1800.0, 600.0


class Bets:
    """The bets of one metric, as arrays shaped (questions, bets): harm's first, then safety's.

    Attributes:
        margins: The questions' margins, as a column.
        harm, safety: Where each kind's bets stand.
    """

    def __init__(self, plan: MetricPlan) -> None:
        rows = plan.questions
        self.margins: Array = np.array([[row.margin] for row in rows])
        self._tails: Array = np.array([[row.tail] for row in rows])
        self._rates, self._share = plan.edge < 0, plan.settings.kind == "share"
        self._factors: Array = np.array(HARM_FACTORS[plan.settings.kind])[None, :]
        count = self._factors.shape[1]
        self.harm, self.safety = slice(0, count), slice(count, count + len(SAFETY_WEIGHTS))

    def at(self, base: float) -> tuple[Array, Mask]:
        """The canary's probabilities bet on, and where such a bet can be made at all.

        Args:
            base: The stable's probability, from past intervals only.
        """
        null = base + self.margins
        harm = _odds(null, self._factors) if self._share else np.minimum(self._factors * np.maximum(null, 1e-12), CAP)
        safety = np.maximum(self._safe(base, null), 1e-12)
        possible = np.concatenate([harm > null, safety < null], axis=1) & (null > 0)
        return np.concatenate([harm, safety], axis=1), possible

    def _safe(self, base: float, null: Array) -> Array:
        if self._rates:
            lower = base - 0.35 * self.margins if self._share else np.full_like(null, 0.6 * base)
            comparable = np.concatenate([np.full_like(null, base), base + 0.35 * self.margins, lower], axis=1)
            below = np.maximum(null, 1e-12) * BELOW
            return np.where(self.margins > 0, comparable, below)
        rho = self._tails
        comparable = base * np.concatenate([rho, 1.0 - 0.55 * (1.0 - rho), 0.8 * rho], axis=1)
        return np.where(rho < 1.0, comparable, base * FASTER)


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
