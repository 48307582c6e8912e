"""The e-value of an interval, and processes of them: many questions and many bets at once, as arrays.

Every question is one linear null about two event probabilities, with the stable's p_s free in every interval:
harm H0 p_c <= p_s + d, safety H0 p_c >= p_s + d. For a bet on the alternative (c, s)

    p* = positive root of (n+m)p^2 + ((n+m)d - n c - m s)p - m s d = 0,   a = c/(p*+d),   b = s/p*
    log e = n d (1-a) + X ln a + Y ln b

n(a-1) + m(b-1) = 0 cancels p_s, so E[e] <= 1 under the null whatever p_s was (Grünwald, de Heide & Koolen).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
CAP = 0.9


def log_e(n: float, m: float, x: Array | float, y: Array | float, d: Array, c: Array, s: Array | float) -> Array:
    """The logarithm of the e-value of one interval for arrays of questions and bets.

    Args:
        n: Requests of the canary.
        m: Requests of the stable.
        x: Events of the canary; an array when the questions count different events.
        y: Events of the stable; likewise.
        d: Margins of the nulls, probabilities; may be negative.
        c: The canary's probability that is bet on; 0 < c.
        s: The stable's probability that is bet on; 0 < s.
    """
    total = n + m
    if n <= 0 or m <= 0:
        return np.zeros(np.broadcast(d, c, s).shape)
    linear = total * d - n * c - m * s
    constant = -m * s * d
    root = np.sqrt(np.maximum(linear * linear - 4.0 * total * constant, 0.0))
    # The larger root; where -linear and the square root cancel, by the product of the roots.
    near = np.where(linear <= 0, (root - linear) / (2.0 * total), -2.0 * constant / np.maximum(linear + root, 1e-300))
    stable_null = np.maximum(near, 1e-300)
    a = c / np.maximum(stable_null + d, 1e-300)
    b = s / stable_null
    return np.asarray(n * d * (1.0 - a) + x * np.log(a) + y * np.log(b))


class Mixture:
    """A mixture of bets for each question, whose mass starts at times fixed beforehand.

    Args:
        weights: The bets' weights, summing to 1.
        questions: How many questions.
        cap: Largest log gain of a bet in 5 s (the token bucket's refill and size); None for none.
    """

    def __init__(self, weights: tuple[float, ...], questions: int, cap: float | None) -> None:
        self._log_weights = np.log(np.asarray(weights))
        self._cap = cap
        shape = (questions, len(weights))
        self._log_value = np.full(shape, -np.inf)
        self._bucket = np.full(shape, cap if cap is not None else np.inf)
        self._cash = 1.0

    def start(self, share: float) -> None:
        """Put a share of the mass, out of the cash that is left, into the bets."""
        share = min(share, self._cash)
        if share > 0:
            self._cash -= share
            self._log_value = np.logaddexp(self._log_value, np.log(share))

    def multiply(self, gains: Array, seconds: float) -> None:
        """Take in one interval's log e-values, shaped (questions, bets)."""
        if self._cap is not None:
            gains = np.minimum(gains, self._bucket)
            refilled = self._bucket - np.maximum(gains, 0.0) + self._cap * seconds / 5.0
            self._bucket = np.minimum(self._cap, refilled)
        self._log_value = self._log_value + gains

    def log_evidence(self) -> Array:
        """The logarithm of each question's E, its cash included."""
        bets = np.logaddexp.reduce(self._log_value + self._log_weights, axis=1)
        return np.asarray(np.logaddexp(bets, np.log(self._cash) if self._cash > 0 else -np.inf))
