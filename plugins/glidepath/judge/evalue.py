"""The e-value of an interval, for many questions and many bets at once, as arrays.

Every question is one linear null about two event probabilities, with the stable's p_s free in every interval:
harm H0 p_c <= p_s + d, safety H0 p_c >= p_s + d; or with b p_s + d, for latencies. A bet on the alternative (c, s) is divided by its reverse information
projection onto the null: the point of its edge that minimises n KL(c||pc) + m KL(s||ps),

    log e = X ln(c/pc) + (n-X) ln((1-c)/(1-pc)) + Y ln(s/ps) + (m-Y) ln((1-s)/(1-ps))

which is the growth-optimal e-value of that alternative (Turner & Grünwald 2023, "Safe sequential testing and effect size
estimation in stratified count data"). docs/mathematics.md has the proof that E[e] <= 1 for every p_s.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
# Steps towards the projection; where the null has a slope the start is further off.
STEPS, MORE_STEPS = 3, 2
TINY = 1e-300
LEAST = 1e-15


def log_e(
    n: Array | float, m: Array | float, x: Array | float, y: Array | float, d: Array, c: Array, s: Array | float,
    b: Array | None = None,
) -> Array:  # fmt: skip
    """The logarithm of the e-value of one interval for arrays of questions and bets.

    Args:
        n: Requests of the canary; arrays of many releases must be positive.
        m: Requests of the stable; likewise.
        x: Events of the canary; an array when the questions count different events.
        y: Events of the stable; likewise.
        d: Margins of the nulls, probabilities; may be negative.
        c: The canary's probability that is bet on; 0 < c < 1.
        s: The stable's probability that is bet on; 0 < s < 1 and 0 < b s + d < 1.
        b: Slopes of the nulls' edges, p_c = b p_s + d; None where all are 1.
    """
    if np.ndim(n) == 0 and not (n > 0 and m > 0):
        return np.zeros(np.broadcast(d, c, s).shape)
    ps = projection(n, m, d, c, s) if b is None else along(n, m, d, b, c, s)
    pc = np.minimum(np.maximum((ps if b is None else b * ps) + d, LEAST), 1.0 - LEAST)
    value = x * np.log(c / pc) + (n - x) * np.log((1.0 - c) / (1.0 - pc))
    value = value + y * np.log(s / ps) + (m - y) * np.log((1.0 - s) / (1.0 - ps))
    # How far from the projection this point is: at it the slopes cancel. What is left over is taken off, so that the
    # promise does not hang on how many steps were made towards it.
    slope = n * (c - pc) / (pc * (1.0 - pc))
    left = (slope if b is None else b * slope) + m * (s - ps) / (ps * (1.0 - ps))
    return np.asarray(value - np.maximum(left * (1.0 - ps), -left * ps))


class Asked(NamedTuple):
    """What is asked of an interval by one's bets; as `log_e` has it, with questions as rows.

    Attributes:
        x, y: Events.
        d, b: The nulls, shaped (questions, 1).
        c, s: What is bet on, shaped (questions, bets) and (questions, 1).
    """

    x: Array | float
    y: float
    d: Array
    c: Array
    s: Array
    b: Array


def log_es(n: float, m: float, several: Sequence[Asked]) -> list[Array]:
    """As `log_e` for each of several, to the bit, by one calculation: for small arrays each step costs more than what it does."""
    # As `along`, of which side of one half it goes by.
    sides: dict[bool, list[int]] = {}
    for number, asked in enumerate(several):
        sides.setdefault(bool(asked.s.min() > 0.5), []).append(number)
    found: dict[int, Array] = {}
    for numbers in sides.values():
        some = [several[number] for number in numbers]
        rows = [len(asked.c) for asked in some]
        x = np.concatenate([np.broadcast_to(asked.x, (count, 1)) for asked, count in zip(some, rows, strict=True)])
        y = np.repeat([asked.y for asked in some], rows)[:, None]
        d, c, s, b = (np.concatenate(part) for part in zip(*(asked[2:] for asked in some), strict=True))
        logs = log_e(n, m, x, y, d, c, s, b)
        for number, count, end in zip(numbers, rows, accumulate(rows), strict=True):
            found[number] = logs[end - count : end]
    return [found[number] for number in range(len(several))]


def projection(n: Array | float, m: Array | float, d: Array, c: Array, s: Array | float) -> Array:
    """The stable's probability at the point of the null's edge that is closest to the bet.

    The root of n(c-pc)/(pc(1-pc)) + m(s-ps)/(ps(1-ps)) between s and c - d. Multiplied out it is a cubic whose three roots
    are real, so Laguerre's steps lead to it from any start, cubically and without passing it. The start is the root for
    rare events (without the factors 1-p), which is a quadratic's.
    """
    if np.min(s) > 0.5:  # then what is rare is that it doesn't happen
        return np.asarray(1.0 - projection(n, m, -d, 1.0 - c, 1.0 - s))
    share = n / (n + m)
    rest, gap, most = 1.0 - share, c - d, 1.0 - d
    # Rare events: p^2 + linear p - rest s d.
    linear = d - share * c - rest * s
    constant = rest * s * d
    both = np.abs(linear) + np.sqrt(np.maximum(linear * linear + 4.0 * constant, 0.0))
    root = np.where(linear <= 0, 0.5 * both, 2.0 * constant / np.maximum(both, TINY))
    low, high = np.minimum(gap, s), np.maximum(gap, s)
    root = np.minimum(np.maximum(root, low), high)
    # share (gap-p) p (1-p) + rest (s-p) (p+d) (1-d-p), by powers of p; that of p^3 is 1.
    second = -share * (1.0 + gap) - rest * (most - d + s)
    first = share * gap + rest * (s * (most - d) - d * most)
    zeroth = constant * most
    root = laguerre(root, second, first, zeroth, STEPS)
    low, high = np.maximum(low, np.maximum(-d, LEAST)), np.minimum(high, np.minimum(most, 1.0 - LEAST))
    return np.asarray(np.minimum(np.maximum(root, low), high))


def along(n: Array | float, m: Array | float, d: Array, b: Array, c: Array, s: Array | float) -> Array:
    """The stable's probability at the point of the null p_c = b p_s + d that is closest to the bet.

    As `projection`, of which it is the general case: the root of n b (c-pc) p (1-p) + m (s-p) pc (1-pc), pc = b p + d.
    """
    if np.min(s) > 0.5:
        return np.asarray(1.0 - along(n, m, 1.0 - b - d, b, 1.0 - c, 1.0 - s))
    share = n / (n + m)
    rest, gap = 1.0 - share, c - d
    # Rare events: square p^2 + linear p - constant.
    square, linear, constant = share * b * b + rest * b, rest * (d - s * b) - share * b * gap, rest * s * d
    both = np.abs(linear) + np.sqrt(np.maximum(linear * linear + 4.0 * square * constant, 0.0))
    root = np.where(linear <= 0, 0.5 * both / square, 2.0 * constant / np.maximum(both, TINY))
    low, high = np.minimum(gap / b, s), np.maximum(gap / b, s)
    root = np.minimum(np.maximum(root, low), high)
    second = -(share * (gap + b) + rest * (s * b + 1.0 - 2.0 * d)) / b
    first = (share * gap + rest * (s * (1.0 - 2.0 * d) - d * (1.0 - d) / b)) / b
    root = laguerre(root, second, first, constant * (1.0 - d) / (b * b), STEPS + MORE_STEPS)
    return np.asarray(np.minimum(np.maximum(root, np.maximum(low, LEAST)), np.minimum(high, 1.0 - LEAST)))


def laguerre(root: Array, second: Array, first: Array, zeroth: Array, steps: int) -> Array:
    """So many steps towards a root of p^3 + second p^2 + first p + zeroth, whose roots are real."""
    double, dozen = 2.0 * second, 12.0 * second
    for _ in range(steps):
        value = ((root + second) * root + first) * root + zeroth
        slope = (3.0 * root + double) * root + first
        bend = 36.0 * root + dozen
        down = np.sqrt(np.maximum(4.0 * slope * slope - bend * value, 0.0)) - slope
        root = root + 3.0 * value / np.maximum(down, TINY)
    return root
