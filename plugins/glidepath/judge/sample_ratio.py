"""Does the canary get the share of the requests that its weight says?"""

from __future__ import annotations

import numpy as np

ODDS = np.array([1.15, 1.3, 1.6, 2.5, 6.0])
RATIOS = np.concatenate([ODDS, 1.0 / ODDS])
ALPHA = 0.001


class SampleRatioTest:
    """A sequential test of the canary's share given the total; started afresh at every weight.

    Args:
        canary, control: Which part of all requests each of the two should get.
    """

    def __init__(self, canary: float, control: float) -> None:
        self._share = canary / (canary + control)
        odds = RATIOS * self._share
        self._other = odds / (1.0 - self._share + odds)
        self._log = np.zeros(len(RATIOS))

    def feed(self, canary: int, stable: int) -> None:
        """Take in an interval that lies wholly within this weight."""
        if not 0 < self._share < 1:
            return
        up = np.log(self._other / self._share)
        down = np.log((1.0 - self._other) / (1.0 - self._share))
        self._log = self._log + canary * up + stable * down

    @property
    def mismatch(self) -> bool:
        """Whether the share is proven to differ."""
        return bool(np.logaddexp.reduce(self._log) - np.log(len(RATIOS)) >= -np.log(ALPHA))
