"""What counts of an interval's log e-values: of those on safety the part until there are as many events as allowed.

A storm that hits both versions is a gamble for bets that were made for calm, and pods that are scraped at their own times
see it one after another. So for safety an interval counts only until the events of both versions are more than the past
allows: k of them. Put the requests of both versions in a random order in time. The product of their factors, each over its
expectation, is a martingale, and stopped at the k-th event it stays one. Nobody knows the order, but given the counts all
are as likely, and the exponential of the stopped logarithm's mean is at most the mean of the exponential (Jensen). What
counts of a log e-value g, of X events of the canary and Z of both, is then at least

    (g + o X/Z) k/(Z+1)      where Z >= k, and g below

with o the log odds ratio of the bet on the canary and the null, at most 0. So its expectation stays at most 1, whatever
the stable's probability is. docs/mathematics.md has each step.

A stable version that fails for a moment by itself would prove any canary safe. Where it has more events than chance explains,
and the canary's share is less than a quarter of its own, a gain is cut by the stable's events likewise, or left out: gains
may be made smaller in any way. Harm's losses count in full: that a pod is scraped a little later than another must not look like harm.
"""

from __future__ import annotations

import numpy as np

from glidepath.judge.base import Base, Number, some
from glidepath.judge.bets import Bets
from glidepath.judge.evalue import LEAST, Array, Mask, log_e

# Of both versions so many times the events that are expected are allowed, or what chance seldom exceeds (`Base.most`), if
# that is more; of the stable alone what chance seldom exceeds.
STORM = 4.0
# With so many times the events that are allowed, an interval in which the stable fails alone proves no safety at all.
TOO_MANY = 4.0
# It fails alone if its share of events is so many times the canary's.
ALONE = 4.0


Made = tuple[Array, Array, Mask]


def gained(bets: Bets, base: Base, n: Number, m: Number, x: Number, y: Number) -> tuple[Array, Made]:
    """The log e-values that count of an interval, and what was bet on, as `Bets.at` gives it.

    Args:
        bets: The metric's bets.
        base: What is known of the stable, from past intervals only.
        n, m: Requests of the canary and of the stable; of many releases, shaped (releases, 1, 1).
        x, y: Their events; x may have a row a question.
    """
    canary, stable, _ = made = bets.at(base.now())
    return counting(bets, base, (n, m, x, y), log_e(n, m, x, y, bets.margins, canary, stable, bets.slopes), made), made


def counting(bets: Bets, base: Base, counts: tuple[Number, Number, Number, Number], log: Array, made: Made) -> Array:
    """What counts of the log e-values of an interval; its counts in `gained`'s order."""
    n, m, x, y = counts
    canary, stable, possible = made
    gains = log * possible
    whole, both = gains[..., bets.safety], x + y
    counted = whole
    most = _most(base, n + m)
    if some(both > most):
        worst = np.clip(bets.null(stable), LEAST, 1.0 - LEAST)
        odds = np.minimum(_log_odds(canary[..., bets.safety]) - _log_odds(worst), 0.0)
        stopped = (whole + odds * x / np.maximum(both, 1.0)) * _part(most, both)
        counted = np.where(both > most, stopped, whole)
    most = base.most(m)
    alone = (y > most) & (ALONE * x * m < y * n)
    if some(alone):
        left = np.where(y > TOO_MANY * (np.floor(most) + 1.0), 0.0, np.maximum(whole * _part(most, y), 0.0))
        counted = np.where(alone, np.minimum(counted, left), counted)
    gains[..., bets.safety] = counted
    return gains


def _most(base: Base, requests: Number) -> Number:
    """How many events are allowed in so many requests."""
    return np.maximum(base.most(requests), STORM * requests * base.now())


def _part(most: Number, events: Number) -> Number:
    """How much of an interval has passed on average when there is one event more than allowed."""
    return (np.floor(most) + 1.0) / (events + 1.0)


def _log_odds(probability: Array) -> Array:
    return np.asarray(np.log(probability) - np.log1p(-probability))
