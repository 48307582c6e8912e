"""The e-value of an interval, for many questions and many bets at once, as arrays.

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
    both = np.maximum(np.abs(linear) + root, 1e-300)
    stable_null = np.maximum(np.where(linear <= 0, both / (2.0 * total), -2.0 * constant / both), 1e-300)
    a = c / np.maximum(stable_null + d, 1e-300)
    b = s / stable_null
    return np.asarray(n * d * (1.0 - a) + x * np.log(a) + y * np.log(b))
