"""The stable's probability of an event as its past tells it, and how many events that past allows an interval.

Everything here is of past intervals only. So it may be used to choose bets in any way: an e-value keeps its promise
whatever was bet on, if that was chosen before (docs/mathematics.md).
"""

from __future__ import annotations

import numpy as np

from glidepath.judge.evalue import Array, Mask

# The slow view: the plan's baseline counts as so many requests, and past intervals fade.
PRIOR_REQUESTS = 3000.0
HALF_LIFE_S = 300.0
# The quick view, of the last scrapes: the slow one counts as so many requests in it.
QUICK_REQUESTS = 100.0
QUICK_HALF_LIFE_S = 10.0
# An interval is as its past allows while its events are within so many standard deviations, and one event.
BEYOND = 2.0

Number = Array | float


class Base:
    """Two views of the stable's probability, and which of them holds.

    The slow view holds until an interval is not as it allows (a storm, a dependency that changed); from the next one on
    the quick view does, until the slow one foretells an interval as well. What a storm has beyond what was allowed does
    not enter the slow view: after it, that is where it was, and bets are right again within a scrape or two.

    Args:
        planned: The probability at plan time; of many releases an array.
    """

    def __init__(self, planned: Number) -> None:
        self._planned = planned
        self._slow: tuple[Number, Number] = (0.0, 0.0)
        self._quick: tuple[Number, Number] = (0.0, 0.0)
        self._shaken: Mask | bool = False
        self._now = self._slow_now = planned

    def now(self) -> Number:
        """The probability that bets are made with."""
        return self._now

    def most(self, requests: Number) -> Number:
        """How many events the past allows in so many requests."""
        return _most(self._now, requests)

    def see(self, requests: Number, events: Number, seconds: float) -> None:
        """Take in an interval that has been judged."""
        slow = self._slow_now
        mean, most = requests * slow, _most(slow, requests)
        beyond = np.abs(events - mean) > most - mean
        if some(self._shaken):
            quick = self._quick_view()
            foretold = events * np.log(slow / quick) + (requests - events) * np.log((1.0 - slow) / (1.0 - quick))
            beyond = beyond | (self._shaken & (foretold < 0))
        faded, quickly = 2.0 ** (-seconds / HALF_LIFE_S), 2.0 ** (-seconds / QUICK_HALF_LIFE_S)
        counted = np.minimum(events, most)
        self._slow = self._slow[0] * faded + counted, self._slow[1] * faded + requests
        self._quick = self._quick[0] * quickly + events, self._quick[1] * quickly + requests
        self._shaken = beyond
        self._slow_now = (PRIOR_REQUESTS * self._planned + self._slow[0]) / (PRIOR_REQUESTS + self._slow[1])
        self._now = np.where(beyond, self._quick_view(), self._slow_now) if some(beyond) else self._slow_now

    def _quick_view(self) -> Number:
        events, requests = self._quick
        return (QUICK_REQUESTS * self._slow_now + events) / (QUICK_REQUESTS + requests)


def _most(probability: Number, requests: Number) -> Number:
    mean = requests * probability
    return mean + BEYOND * (mean * (1.0 - probability)) ** 0.5 + 1.0


def some(flags: Mask | bool) -> bool:
    """Whether any is set; of one release it is one, and quickly told."""
    return bool(flags.any()) if isinstance(flags, np.ndarray) else bool(flags)
