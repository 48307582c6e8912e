"""A quantile of the latency of successful requests.

It is asked as a share: how many requests are slower than an edge of the buckets, in either version, beside how many
more of them a version makes that is slower by the tolerance. Which edges are asked about is said in docs/mathematics.md.
Releases of an older code version asked about a pair of edges instead, the stable's and the canary's at the tolerance; they
are judged as they were planned.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from glidepath.judge.counts import ArmCounts
from glidepath.judge.evalue import Array
from glidepath.judge.metrics.base import NONE, ONE, Kind, SafeBets, Told, none
from glidepath.judge.metrics.exceedance import HARM_FACTORS, HARM_WEIGHTS, Exceedance
from glidepath.judge.metrics.slow import EDGE_DIGITS
from glidepath.judge.plan import MetricPlan
from glidepath.judge.quantiles import quantile_below
from glidepath.judge.settings import MetricSettings
from glidepath.judge.survival import Survival, positive, shares_beyond
from glidepath.judge.units import RATIO

# An edge with so many times fewer or more requests above it than the quantile has tells nothing of it.
NEAR = 6.0
# The edge beyond the quantile's own: it has about so many times fewer requests above it.
BEYOND = 3.0
# An edge that tells less than this part of what the best one does is not asked about safety.
TELLING = 0.1
# Of the edges around a quantile that none is near: the lower one must tell this much a request (in log units), and as many
# requests must have been beyond the upper one.
LEAST_TELLING, LEAST_EVENTS = 1e-4, 10
# The parts of the mean that harm is judged by: the most telling edge, the quantile's own, the one beyond.
MOST_TELLING, OWN, FURTHER = 0.5, 0.3, 0.2
# No row reaches beyond so many of all requests.
MOST = 0.9
EXCEEDANCE = Exceedance()
# Older plans: the canary's odds of a slow request as parts of the stable's, at the same edge.
FASTER = np.array([0.88, 0.7, 0.45])


class Latency(Kind):
    """Slower beyond a tolerance, at the edges around a quantile."""

    name = "latency"
    unit = RATIO
    at_edges = True
    better = 1.0
    harm_factors, harm_weights = HARM_FACTORS, HARM_WEIGHTS

    def planned(self, settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
        total = sum(baseline.latency)
        above = positive(edges)
        if total == 0 or len(above) < 2:
            return none(
                settings,
                f"resolution_limited: {total} successful requests, {len(above)} latency buckets with an edge: expected some, and "
                "two edges or more",
            )
        if baseline.latency[-1] / total > 1 - settings.quantile:
            return none(
                settings,
                f"resolution_limited: the stable's {settings.quantile:g} quantile is beyond the last edge, {edges[-1]:g} s",
            )
        shares, wanted = shares_beyond(baseline.latency), 1 - settings.quantile
        weights, own, safe = _chosen(shares, edges, wanted, settings.tolerance)
        note = ""
        if not weights and (around := _around(shares, edges, wanted, settings.tolerance, total)):
            weights, own, safe = around
            note = _around_told(settings, edges, weights)
        if not weights:
            return none(settings, _none_near(settings, shares, edges))
        exceedances = [replace(settings, kind="exceedance", threshold=edges[place]) for place in weights]
        every = [EXCEEDANCE.planned(exceedance, baseline, edges) for exceedance in exceedances]
        parts = tuple(
            replace(part, weight=weight, safety=part.safety if part.edge in safe else -1)
            for part, weight in zip(_roomy(every), weights.values(), strict=True)
        )
        whole = next(part for part in parts if part.edge == own)
        return replace(
            whole, settings=settings, parts=parts, weight=1.0, knots=tuple(above),
            shares=tuple(shares[above.start :].tolist()), note=note, bracket=_bracket(edges, own, settings.tolerance),
        )  # fmt: skip

    def harms(self, metric: MetricPlan) -> Iterator[tuple[str, float]]:
        return iter(())

    def events(self, settings: MetricSettings, edge: int, arm: ArmCounts) -> tuple[int, int]:
        return (sum(arm.latency[edge + 1 :]), sum(arm.latency)) if edge >= 0 else arm.proportion(settings)

    def counted(self, settings: MetricSettings, arm: ArmCounts) -> bool:
        return sum(arm.latency) > 0

    def counts(
        self, metric: MetricPlan, rows: NDArray[np.int64], stable: ArmCounts, canary: ArmCounts, below: Array
    ) -> tuple[float, float, Array | float, float]:
        if metric.edge < 0:
            return super().counts(metric, rows, stable, canary, below)
        everybody, canaries = float(below[0, -1]), float(below[1, -1])
        slow = (canaries - below[1, rows])[:, None]
        return canaries, everybody, slow, everybody - float(below[0, metric.edge])

    def safe_bets(self, margins: Array, tails: Array) -> SafeBets:
        pair = tails < 1.0
        slopes = np.concatenate([tails, 1.0 - 0.55 * (1.0 - tails), 0.8 * tails], axis=-1)
        return np.where(pair, slopes, ONE), NONE, np.where(pair, ONE, FASTER)

    def estimated(
        self,
        settings: MetricSettings,
        edges: Sequence[float],
        counted: Sequence[tuple[int, int]],
        below: Array,
    ) -> Told:
        stable, canary = (quantile_below(arm, edges, settings.quantile) for arm in below)
        return stable, canary, canary / stable if stable is not None and canary is not None else None

    def limits_told(self, metric: MetricPlan, safe_limit: float) -> str:
        limits = f"{metric.settings.name}: harm beyond x{metric.limit:.3f}, comparable below x{safe_limit:.3f}"
        if metric.bracket is None:
            return limits
        least, most = metric.bracket
        return f"{limits}, interpolated: the edges alone prove x{least:.3g} to {f'x{most:.3g}' if most else 'any more'}"


def _chosen(
    shares: Array, edges: tuple[float, ...], wanted: float, ratio: float
) -> tuple[dict[int, float], int, set[int]]:
    """Which edges are asked about and how much each weighs, the quantile's own, and those where safety must be proven.

    Args:
        shares: Of the stable's requests, those slower than each edge.
        edges: Seconds.
        wanted: The share that is slower than the quantile.
        ratio: How much slower is harm.

    Returns:
        Nothing of the first where no edge tells of the quantile.
    """
    above = positive(edges)
    near = [place for place in above if wanted / NEAR <= shares[place] <= wanted * NEAR]
    slower, _ = Survival(edges[above.start :], [edges[place] / ratio for place in near]).at(shares[above.start :])
    telling = {
        place: _divergence(float(share), float(shares[place])) for place, share in zip(near, slower, strict=True)
    }
    best = max(near, key=telling.__getitem__, default=-1)
    if best < 0 or telling[best] <= 0:
        return {}, -1, set()
    own = min((place for place in near if telling[place] >= TELLING * telling[best]), key=_distance(shares, wanted))
    beyond = min(range(own + 1, len(edges)), key=_distance(shares, wanted / BEYOND), default=own)
    weights: dict[int, float] = {}
    for place, weight in ((best, MOST_TELLING), (own, OWN), (beyond, FURTHER)):
        weights[place] = weights.get(place, 0.0) + weight
    return weights, own, {best, own}


def _around(
    shares: Array, edges: tuple[float, ...], wanted: float, ratio: float, requests: int
) -> tuple[dict[int, float], int, set[int]] | None:
    """The edges on both sides of a quantile that none is near; as `_chosen`, and None where they tell nothing.

    What is slow as a whole is seen at the lower one, what is slow in its tail at the upper. Safety must be proven at both,
    at the upper one if there were enough requests beyond it to know how many are usual.
    """
    above = positive(edges)
    lower = max((place for place in above if shares[place] >= wanted), default=-1)
    upper = lower + 1
    if lower < 0 or upper >= len(edges):
        return None
    slower, _ = Survival(edges[above.start :], [edges[lower] / ratio]).at(shares[above.start :])
    if _divergence(float(slower[0]), float(shares[lower])) < LEAST_TELLING:
        return None
    known = float(shares[upper]) * requests >= LEAST_EVENTS
    return {lower: MOST_TELLING + FURTHER, upper: OWN}, lower, {lower, upper} if known else {lower}


def _around_told(settings: MetricSettings, edges: tuple[float, ...], places: Iterable[int]) -> str:
    around = " and ".join(f"{edges[place]:.6g} s" for place in places)
    return (
        f"no latency bucket has its edge near the stable's {settings.quantile:g} quantile: judged at those around it, {around}; "
        "what moves between them alone is not seen"
    )


def _roomy(parts: Sequence[MetricPlan]) -> Iterator[MetricPlan]:
    """The parts with the same rows: what one edge has no room for is asked at none."""
    rows = [
        row
        for row in range(len(parts[0].questions))
        if row == parts[0].harm
        or all(part.base * part.questions[row].slope + part.questions[row].margin < MOST for part in parts)
    ]
    for part in parts:
        decides = rows.index(part.harm)
        yield replace(part, questions=tuple(part.questions[row] for row in rows), harm=decides, safety=decides)


def _divergence(p: float, q: float) -> float:
    """Kullback and Leibler's, of a probability p from q; none where p is not the larger."""
    return p * math.log(p / q) + (1 - p) * math.log((1 - p) / (1 - q)) if p > q else 0.0


def _distance(shares: Array, wanted: float) -> Callable[[int], float]:
    return lambda place: abs(math.log(float(shares[place]) / wanted))


def _bracket(edges: tuple[float, ...], own: int, ratio: float) -> tuple[float, float | None] | None:
    """What the tolerance stands for at the least and at the most, whatever lies between the edges; None where one is there."""
    wanted = edges[own] / ratio
    if any(abs(edge / wanted - 1) <= EDGE_DIGITS for edge in edges):
        return None
    over = min(edge for edge in edges if edge > wanted)
    under = max((edge for edge in edges if 0 < edge < wanted), default=None)
    return edges[own] / over, edges[own] / under if under else None


def _none_near(settings: MetricSettings, shares: Array, edges: tuple[float, ...]) -> str:
    nearest = min(positive(edges), key=_distance(shares, 1 - settings.quantile))
    return (
        f"resolution_limited: no latency bucket has its edge near the stable's {settings.quantile:g} quantile; the nearest, "
        f"{edges[nearest]:.6g} s, has {100 * shares[nearest]:.3g} % of the requests above it: configure buckets there, or judge "
        f"that share: {{kind: latency, threshold: {1000 * edges[nearest]:.6g}ms, margin: 0.01}}"
    )
