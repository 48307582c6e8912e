"""What counts of an interval's log e-values: of those on safety the part until the stable's events are as many as allowed.

A stable version that fails for a moment would prove any canary safe, and a storm that hits both versions is a gamble for
bets that were made for calm. So for safety an interval counts only until its stable events are one more than its past
allows: k of them. Put the requests of both versions in a random order in time. The product of their factors, each over its
expectation, is a martingale, and stopped at the k-th stable event it stays one. Nobody knows the order, but given the
counts all are as likely, and the exponential of the stopped logarithm's mean is at most the mean of the exponential
(Jensen). What counts of a log e-value g is then at least

    g k/(Y+1)        where Y >= k, and g below

and that is what is taken, or nothing where it is a gain and Y is four times k: its expectation stays at most 1, whatever the
stable's probability is. docs/mathematics.md has each step. Harm's losses count in full: that a pod is scraped a little later than another must not look like harm.
"""

from __future__ import annotations

import numpy as np

from glidepath.judge.base import Base, Number, some
from glidepath.judge.bets import Bets
from glidepath.judge.evalue import Array, Mask, log_e

# With so many times the events that are allowed, an interval proves no safety at all.
TOO_MANY = 4.0


def gained(
    bets: Bets, base: Base, n: Number, m: Number, x: Number, y: Number
) -> tuple[Array, tuple[Array, Array, Mask]]:
    """The log e-values that count of an interval, and what was bet on, as `Bets.at` gives it.

    Args:
        bets: The metric's bets.
        base: What is known of the stable, from past intervals only.
        n, m: Requests of the canary and of the stable; of many releases, shaped (releases, 1, 1).
        x, y: Their events; x may have a row a question.
    """
    canary, stable, possible = made = bets.at(base.now())
    gains = log_e(n, m, x, y, bets.margins, canary, stable) * possible
    most = base.most(m)
    if some(y > most):
        allowed = np.floor(most) + 1.0
        part = np.where(y > most, allowed / (y + 1.0), 1.0)
        safety = gains[..., bets.safety] * part
        gains[..., bets.safety] = np.where(y > TOO_MANY * allowed, np.minimum(safety, 0.0), safety)
    return gains, made
