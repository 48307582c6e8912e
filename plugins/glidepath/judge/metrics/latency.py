"""A quantile of the latency of successful requests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from glidepath.judge.counts import ArmCounts
from glidepath.judge.evalue import Array
from glidepath.judge.metrics.base import NONE, ONE, Kind, SafeBets, Told, none
from glidepath.judge.plan import MetricPlan, Question
from glidepath.judge.quantiles import quantile_below
from glidepath.judge.settings import MetricSettings

# Edges that belong together are told to six digits.
SAME = 1e-4
# An edge with so many times fewer or more requests above it than the quantile has tells nothing of it.
NEAR = 6.0
# No policy has a larger tolerance.
WIDEST = 3.0
EDGES_AROUND = range(-8, 15)
# The canary's odds of a slow request as parts of the stable's, at the same edge.
FASTER = np.array([0.88, 0.7, 0.45])


class Latency(Kind):
    """The stable's edge near its quantile, and the canary's at the tolerance: slower than one, slower than the other."""

    name = "latency"
    unit = "ratio"
    at_edges = True
    better = 1.0
    harm_factors = (1.12, 1.25, 1.5, 2.0, 4.0, 10.0)
    harm_weights = (0.22, 0.22, 0.18, 0.16, 0.12, 0.10)

    def planned(self, settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
        total = sum(baseline.latency)
        above = [total]
        for count in baseline.latency:
            above.append(above[-1] - count)
        # above[i + 1]: requests slower than edges[i].
        shares = [(above[place + 1] + 0.5) / (total + 1) for place in range(len(edges))]
        if total == 0 or not edges:
            return none(
                settings,
                "resolution_limited: no successful request, or no latency bucket: nothing can be said about latency",
            )
        wanted = 1 - settings.quantile
        own = min(range(len(edges)), key=lambda place: abs(math.log(shares[place] / wanted)))
        if above[len(edges)] / total > wanted:
            return none(
                settings,
                f"resolution_limited: the stable's {settings.quantile:g} quantile is beyond the last edge, {edges[-1]:g} s",
            )
        ratio = settings.tolerance
        places = _places(edges, own, ratio)
        questions = tuple(
            Question(edges[place] / edges[own], 0.0, place, shares[place] / shares[own]) for place in places
        )
        values = [one.value for one in questions]
        over = [row for row, value in enumerate(values) if value >= ratio * (1 - SAME)]
        under = [row for row, value in enumerate(values) if 1 + SAME < value <= ratio * (1 + SAME)]
        harm, safety = (over[0] if over else -1), (under[-1] if under else -1)
        note = ""
        if harm < 0 or safety < 0 or values[harm] > ratio * (1 + SAME) or values[safety] < ratio * (1 - SAME):
            near = edges[own]
            note = (
                f"resolution_limited: no edge at {ratio:g} x {near:.6g} s; for full power configure edges spaced by {ratio:g}: "
                + ", ".join(f"{near * ratio**step:.6g}" for step in range(-2, 4))
                + _instead(values, harm, safety)
            )
        limit = values[harm] if harm >= 0 else ratio
        return MetricPlan(
            settings, shares[own], own, questions, harm, safety, limit, values[safety] if safety >= 0 else ratio, note
        )

    def harms(self, metric: MetricPlan) -> Iterator[tuple[str, float]]:
        base, name = metric.base, metric.settings.name
        tail = metric.questions[metric.harm].tail
        # A tail that falls as a power through (l, 1) and (limit l, tail): a factor moves it along.
        steepness = -math.log(tail) / math.log(metric.limit) if metric.harm >= 0 and 0 < tail < 1 else 4.0
        for factor in (1.15, 1.30):
            slow = min(0.9, base * (factor / metric.limit) ** steepness) if metric.harm >= 0 else base
            yield f"{name} +{100 * (factor - 1):.0f} %", slow

    def near(self, metric: MetricPlan, past: ArmCounts) -> bool:
        share, wanted = sum(past.latency[metric.edge + 1 :]) / sum(past.latency), 1 - metric.settings.quantile
        return wanted / NEAR <= share <= wanted * NEAR

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

    def safe_bets(self, margin: float, tail: float) -> SafeBets:
        if tail < 1.0:
            return np.array([tail, 1.0 - 0.55 * (1.0 - tail), 0.8 * tail]), NONE, ONE
        return ONE, NONE, FASTER

    def estimated(
        self,
        settings: MetricSettings,
        edges: Sequence[float],
        counted: Sequence[tuple[int, int]],
        below: Array,
    ) -> Told:
        stable, canary = (quantile_below(one, edges, settings.quantile) for one in below)
        return stable, canary, canary / stable if stable is not None and canary is not None else None

    def limits_told(self, metric: MetricPlan, safe_limit: float) -> str:
        return f"{metric.settings.name}: harm beyond x{metric.limit:.3f}, comparable below x{safe_limit:.3f}"


def _instead(values: list[float], harm: int, safety: int) -> str:
    """The tolerances that the edges there are allow."""
    nearest = [f"{values[row]:.6g}" for row in (safety, harm) if row >= 0 and values[row] <= WIDEST]
    return f"; or take a tolerance of {' or '.join(nearest)}, for which there is an edge" if nearest else ""


def _places(edges: tuple[float, ...], own: int, ratio: float) -> list[int]:
    """Edges to ask about: those around the stable's own, and on both sides of the tolerance however fine the buckets are."""
    values = [edge / edges[own] for edge in edges]
    around = {own + step for step in EDGES_AROUND if 0 <= own + step < len(edges)}
    over = [place for place, value in enumerate(values) if value >= ratio * (1 - SAME)]
    under = [place for place, value in enumerate(values) if 1 + SAME < value <= ratio * (1 + SAME)]
    return sorted(around.union(over[:1], under[-1:]))
