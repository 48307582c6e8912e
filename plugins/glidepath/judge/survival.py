"""How many requests are slower than any latency, read off between the edges of buckets.

Buckets count exactly at their edges and say nothing between them. The log odds of being slower, against the logarithm of
the latency, are nearly straight for what services do; a monotone cubic through them (Fritsch and Butland's slopes, as
PCHIP has them) follows where they are not. docs/mathematics.md says by how much it is off.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from glidepath.judge.evalue import LEAST, TINY, Array

# No slope is below this part of the ratio of the shares, nor of 1.
LEAST_SLOPE = 0.5
# The tangent holds for safety down to this part of the stable's share, and as far up.
REACH = 0.5
# No share that is read off is nearer to 0 or 1 than probabilities are kept from it: far beyond steep edges it would be one.
MOST_ODDS = -math.log(LEAST)


def shares_beyond(latency: Sequence[int]) -> Array:
    """The shares of requests that are slower than each edge; half a request is added on either side.

    Args:
        latency: Requests per bucket, not cumulative; one more than there are edges.
    """
    below = np.cumsum(latency, dtype=np.float64)
    return np.asarray((below[-1] - below[:-1] + 0.5) / (below[-1] + 1.0))


def positive(edges: Sequence[float]) -> range:
    """Which of the edges, ascending, are latencies: OpenTelemetry's SDKs begin at 0, which has no logarithm."""
    return range(bisect_right(edges, 0.0), len(edges))


class Survival:
    """Reads shares off at fixed latencies, however often the shares at the edges change.

    Args:
        edges: The edges, seconds, ascending; two at least, all above 0.
        latencies: Where to read, seconds. Beyond the outermost edges the curve goes on straight.

    Raises:
        ValueError: There are fewer than two edges.
    """

    def __init__(self, edges: Sequence[float], latencies: Sequence[float]) -> None:
        if len(edges) < 2:
            raise ValueError(f"{len(edges)} edges: expected two or more, to read between them")
        knots, at = np.log(np.asarray(edges, dtype=np.float64)), np.log(np.asarray(latencies, dtype=np.float64))
        self._widths: Array = np.diff(knots)
        self._left = np.clip(np.searchsorted(knots, at, side="right") - 1, 0, len(knots) - 2)
        width = self._widths[self._left]
        part = (at - knots[self._left]) / width
        inside = np.clip(part, 0.0, 1.0)
        self._rest: Array = (part - inside) * width
        # Hermite's basis: of the values at both ends of a piece, of the slopes there; and what it grows by.
        self._upper: Array = inside * inside * (3.0 - 2.0 * inside)
        self._first: Array = width * inside * (1.0 - inside) ** 2
        self._second: Array = -width * inside * inside * (1.0 - inside)
        self._upper_grows: Array = 6.0 * inside * (1.0 - inside) / width
        self._first_grows: Array = (1.0 - inside) * (1.0 - 3.0 * inside)
        self._second_grows: Array = inside * (3.0 * inside - 2.0)

    def at(self, shares: Array) -> tuple[Array, Array]:
        """The shares of requests that are slower than each of the latencies, and by how much they fall.

        Args:
            shares: Those slower than each edge, all above 0 and below 1, not ascending; shaped (..., edges).

        Returns:
            The shares, and their derivatives by the logarithm of the latency, 0 or below.
        """
        odds = np.log(shares) - np.log1p(-shares)
        slopes = self._slopes(np.diff(odds, axis=-1) / self._widths)
        left, right = self._left, self._left + 1
        step, before, after = odds[..., right] - odds[..., left], slopes[..., left], slopes[..., right]
        grows = self._upper_grows * step + self._first_grows * before + self._second_grows * after
        value = odds[..., left] + self._upper * step + self._first * before + self._second * after + self._rest * grows
        read = 1.0 / (1.0 + np.exp(-np.minimum(np.maximum(value, -MOST_ODDS), MOST_ODDS)))
        return read, np.minimum(grows * read * (1.0 - read), 0.0)

    def _slopes(self, steep: Array) -> Array:
        """The slopes at the edges: a weighted harmonic mean of both sides', which never overshoots; the outer ones' own."""
        if steep.shape[-1] == 1:
            return np.concatenate([steep, steep], axis=-1)
        before, after = self._widths[:-1], self._widths[1:]
        left, right = steep[..., :-1], steep[..., 1:]
        with np.errstate(divide="ignore"):
            mean = 3.0 * (before + after) / ((2.0 * after + before) / left + (after + 2.0 * before) / right)
        return np.concatenate([steep[..., :1], mean, steep[..., -1:]], axis=-1)


def nulls(share: Array, falls: Array, slower: Array, slower_falls: Array) -> tuple[Array, Array]:
    """How the share of a slower version beyond an edge follows the stable's, p_s: margins and slopes of b p_s + d.

    The tangent at the share there is: should all latencies drift, both shares move along it. It is kept to where no margin
    is below 0, to half as steep at least where buckets are too few to say, and to where a slower version has no fewer beyond
    the edge than stable, should that have all there: else two that become slow together would look like harm.

    Args:
        share: The stable's beyond the edge; falls: by how much it falls there.
        slower, slower_falls: The same where a version that is so much slower has it from.
    """
    ratio = slower / share
    tangent = np.where(falls < 0, slower_falls / np.minimum(falls, -TINY), ratio)
    # Of a slower version no fewer are beyond the edge, whatever the stable's share comes to be.
    least = np.where(ratio >= 1.0, np.maximum((1.0 - slower) / (1.0 - share), LEAST_SLOPE), LEAST_SLOPE * ratio)
    slope = np.minimum(np.maximum(tangent, least), ratio)
    return slower - slope * share, slope


def corners(share: Array, margins: Array, slopes: Array) -> tuple[Array, Array]:
    """Two more nulls for safety: where the stable's share nears none or all, a slower version's does so with it.

    A tangent touches the curve at one share, and elsewhere allows more than the curve does: d of all requests where the
    stable has none. So safety is asked along three lines at once, and the least evidence counts. One comes from the corner of
    no requests to the tangent where the stable has half its share, the other from there where it has twice, or half of
    what is left, to the corner of all requests.

    Args:
        share: The stable's beyond the edge.
        margins, slopes: The tangent's, as `nulls` gives them.

    Returns:
        The margins and slopes of both lines, shaped (2, ...).
    """
    none = slopes + margins / (REACH * share)
    further = np.minimum(share / REACH, 0.5 * (1.0 + share))
    # Of what is not beyond the edge a slower version keeps this part, beside that share; a tangent may leave it less than any.
    left = (1.0 - margins - slopes * share) / (1.0 - share)
    every = np.maximum((1.0 - margins - slopes * further) / (1.0 - further), LEAST_SLOPE * left)
    every = np.minimum(every, np.minimum(left, 1.0))
    return np.stack([np.zeros_like(every), 1.0 - every]), np.stack([none, every])
