"""How much a bet may gain in a short time, so that a passing disturbance is no harm."""

from __future__ import annotations

from collections import deque

import numpy as np

from glidepath.judge.evalue import Array

SHORT_S, LONG_S = 5.0, 10.0
SHORT_SHARE, LONG_SHARE = 0.6, 0.8
MOST = 64


class Cap:
    """Caps log gains over sliding windows of time, for many bets at once.

    A bet gains at most 0.6 of what its decision takes in 5 s, and 0.8 of it in 10 s: a disturbance of 5 s, which two
    scrapes can share, is neither harm nor proof of safety alone. Between disturbances the gains of a real fault may come in lumps, as
    chance has it. The interval before counts in any case, so scrapes that are further apart than 10 s are no way round.
    Gains are only ever made smaller, so whatever was promised of the evidence stays true.

    Args:
        needed: The log evidence that the decision takes, a bet each or one for all.
    """

    def __init__(self, needed: Array | float) -> None:
        self._short, self._long = SHORT_SHARE * needed, LONG_SHARE * needed
        self._past: deque[tuple[float, Array]] = deque(maxlen=MOST)

    def spend(self, gains: Array, seconds: float) -> Array:
        """The gains that count of an interval of so many seconds."""
        short, long = self._short, self._long
        length = seconds
        for number, (lasted, gained) in enumerate(self._past):
            length += lasted
            if length <= SHORT_S:
                short = short - gained
            if length <= LONG_S or number == 0:
                long = long - gained
        counted = np.minimum(gains, np.maximum(np.minimum(short, long), 0.0))
        self._past.appendleft((seconds, np.maximum(counted, 0.0)))
        self._forget()
        return np.asarray(counted)

    def _forget(self) -> None:
        """Drop what no window will reach again; the last interval stays."""
        while len(self._past) > 1 and sum([lasted for lasted, _ in self._past]) - self._past[-1][0] > LONG_S:
            self._past.pop()
