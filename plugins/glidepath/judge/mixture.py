"""A mixture of bets whose mass starts over time: the fortune that Ville's inequality speaks of."""

from __future__ import annotations

import math

import numpy as np

from glidepath.judge.evalue import Array


class Mixture:
    """A mixture of bets for each question, whose mass starts at times fixed beforehand.

    Args:
        weights: The bets' weights, summing to 1.
        questions: How many questions, or an array's shape of them.
        ceiling: The log evidence at which all bets of a question together end: what they gain beyond it is given away, so
            a bet stays at most what it would be. It bounds what can be lost before it is noticed: the past forgets.
    """

    def __init__(self, weights: tuple[float, ...], questions: int | tuple[int, ...], ceiling: float = math.inf) -> None:
        self._log_weights = np.log(np.asarray(weights))
        self._ceiling = ceiling
        shape = questions if isinstance(questions, tuple) else (questions,)
        self._log_value = np.full((*shape, len(weights)), -np.inf)
        self._cash = 1.0

    def start(self, share: float) -> None:
        """Put a share of the mass, out of the cash that is left, into the bets."""
        share = min(share, self._cash)
        if share > 0:
            self._cash -= share
            self._log_value = np.logaddexp(self._log_value, self._log_weights + math.log(share))

    def multiply(self, gains: Array) -> None:
        """Take in one interval's log e-values, shaped (..., bets)."""
        self._log_value = self._log_value + gains
        # Some bet is near the ceiling, or all together are below it.
        if self._ceiling < math.inf and self._log_value.max() > self._ceiling - math.log(len(self._log_weights)):
            over = np.logaddexp.reduce(self._log_value, axis=-1, keepdims=True) - self._ceiling
            self._log_value = self._log_value - np.maximum(over, 0.0)

    def log_evidence(self) -> Array:
        """The logarithm of each question's E, its cash included."""
        bets = np.logaddexp.reduce(self._log_value, axis=-1)
        return np.asarray(np.logaddexp(bets, math.log(self._cash) if self._cash > 0 else -math.inf))
