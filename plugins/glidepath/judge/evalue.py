"""The e-value of an interval, for many questions and many bets at once, as arrays.

Every question is one linear null about two event probabilities, with the stable's p_s free in every interval:
harm H0 p_c <= p_s + d, safety H0 p_c >= p_s + d. A bet on the alternative (c, s) is divided by its reverse information
projection onto the null: the point of the line pc = ps + d that minimises n KL(c||pc) + m KL(s||ps),

    log e = X ln(c/pc) + (n-X) ln((1-c)/(1-pc)) + Y ln(s/ps) + (m-Y) ln((1-s)/(1-ps))

which is the growth-optimal e-value of that alternative (Turner & Grünwald 2023, "Safe sequential testing and effect size
estimation in stratified count data"). docs/mathematics.md has the proof that E[e] <= 1 for every p_s.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
STEPS = 3
TINY = 1e-300
LEAST = 1e-15


def log_e(n: float, m: float, x: Array | float, y: Array | float, d: Array, c: Array, s: Array | float) -> Array:
    """The logarithm of the e-value of one interval for arrays of questions and bets.

    Args:
        n: Requests of the canary.
        m: Requests of the stable.
        x: Events of the canary; an array when the questions count different events.
        y: Events of the stable; likewise.
        d: Margins of the nulls, probabilities; may be negative.
        c: The canary's probability that is bet on; 0 < c < 1.
        s: The stable's probability that is bet on; 0 < s < 1 and 0 < s + d < 1.
    """
    if n <= 0 or m <= 0:
        return np.zeros(np.broadcast(d, c, s).shape)
    ps = projection(n, m, d, c, s)
    pc = np.minimum(np.maximum(ps + d, LEAST), 1.0 - LEAST)
    value = x * np.log(c / pc) + (n - x) * np.log((1.0 - c) / (1.0 - pc))
    value = value + y * np.log(s / ps) + (m - y) * np.log((1.0 - s) / (1.0 - ps))
    # How far from the projection this point is: at it the slopes cancel. What is left over is taken off, so that the
    # promise does not hang on how many steps were made towards it.
    left = n * (c - pc) / (pc * (1.0 - pc)) + m * (s - ps) / (ps * (1.0 - ps))
    return np.asarray(value - np.maximum(left * (1.0 - ps), -left * ps))


def projection(n: float, m: float, d: Array, c: Array, s: Array | float) -> Array:
    """The stable's probability at the point of the null's edge that is closest to the bet.

    The root of n(c-pc)/(pc(1-pc)) + m(s-ps)/(ps(1-ps)) between s and c - d. Multiplied out it is a cubic whose three roots
    are real, so Laguerre's steps lead to it from any start, cubically and without passing it. The start is the root for
    rare events (without the factors 1-p), which is a quadratic's.
    """
    if float(np.mean(s)) > 0.5:  # then what is rare is that it doesn't happen
        return np.asarray(1.0 - projection(n, m, -d, 1.0 - c, 1.0 - s))
    a, total = c - d, n + m
    low = np.maximum(np.minimum(a, s), np.maximum(-d, 0.0))
    high = np.minimum(np.maximum(a, s), np.minimum(1.0 - d, 1.0))
    linear = total * d - n * c - m * s
    constant = -m * s * d
    both = np.maximum(np.abs(linear) + np.sqrt(np.maximum(linear * linear - 4.0 * total * constant, 0.0)), TINY)
    root = np.minimum(np.maximum(np.where(linear <= 0, both / (2.0 * total), -2.0 * constant / both), low), high)
    # n (a-p) p (1-p) + m (s-p) (p+d) (1-d-p), by powers of p.
    one = 1.0 - d
    third, second = total, -n * (1.0 + a) - m * (one - d + s)
    first, zeroth = n * a - m * (d * one - s * (one - d)), m * s * d * one
    for _ in range(STEPS):
        value = ((third * root + second) * root + first) * root + zeroth
        slope = (3.0 * third * root + 2.0 * second) * root + first
        bend = 36.0 * third * root + 12.0 * second
        down = slope - np.sqrt(np.maximum(4.0 * slope * slope - bend * value, 0.0))
        root = root - 3.0 * value / np.minimum(down, -TINY)
    return np.asarray(np.minimum(np.maximum(root, np.maximum(low, LEAST)), np.minimum(high, 1.0 - LEAST)))
