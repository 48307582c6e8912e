"""Is a canary silent that has weight, or has it just had no request yet?

Of requests that go to the canary or its control, each goes to the canary with its share of both, p. That the next S of the
control's come before the canary's next one has the chance (1-p)^S. A silence may begin after any interval in which the
canary answered; the j-th of them proves it when that chance is at most q(j), the smaller of `LUCK` and alpha/(j(j+1)).
These sum up to no more than alpha, so a canary that answers is ever called silent at most at that rate, however long it
is watched.
"""

from __future__ import annotations

import math

# The largest chance of a single silence by luck that is called one.
LUCK = 1e-6
# Of the chance of a false rollback, silence gets this part; the metrics' harm the rest.
PART = 0.01


class Silence:
    """Watches one release.

    Args:
        alpha: The chance that a canary which answers is ever called silent.
    """

    def __init__(self, alpha: float) -> None:
        self._alpha = alpha
        self._begun, self._control, self._lasted_s = 1, 0, 0.0

    def feed(self, canary: int, control: int, seconds: float, shares: tuple[float, float]) -> None:
        """Take in an interval.

        Args:
            canary, control: Their requests.
            seconds: How long it lasted.
            shares: Which part of all requests the canary and the control get.
        """
        if canary > 0 or 0.0 in shares:
            self.restart()
            return
        self._share = shares[0] / sum(shares)
        self._control += control
        self._lasted_s += seconds

    def restart(self) -> None:
        """The canary answered, or has another weight: another silence may begin."""
        self._begun, self._control, self._lasted_s = self._begun + 1, 0, 0.0

    def proven(self, least_s: float) -> bool:
        """Whether the canary is silent, and has been for so many seconds."""
        if self._control == 0 or self._lasted_s < least_s:
            return False
        allowed = min(LUCK, self._alpha / (self._begun * (self._begun + 1)))
        return self._control * math.log1p(-self._share) <= math.log(allowed)
