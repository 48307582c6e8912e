"""A part of a latency's question: how many successful requests are slower than one edge, in either version.

A version that is t times slower has S(l/t) instead of S(l) above the edge l, S the stable's. That is the null,
beside the stable's share as it was and, by its slope, as it moves. The test of it is exact; only what it stands for is
read off between edges (`glidepath.judge.survival`).
"""

from __future__ import annotations

from collections.abc import Iterator

from glidepath.judge.counts import ArmCounts
from glidepath.judge.metrics.base import none, nothing_counted
from glidepath.judge.metrics.slow import Slow, no_edge, place_of
from glidepath.judge.plan import MetricPlan, Question
from glidepath.judge.settings import MetricSettings
from glidepath.judge.survival import Survival, nulls, positive, shares_beyond
from glidepath.judge.units import RATIO

HARM_FACTORS, HARM_WEIGHTS = (1.12, 1.25, 1.5, 2.0, 4.0, 10.0), (0.22, 0.22, 0.18, 0.16, 0.12, 0.10)
# What bounds of the effect are read from, and how much slower harmful versions are that `plan` tells of.
RATIOS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0, 1.05, 1.2, 1.4, 1.6, 1.8, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0)
SLOWER = (1.15, 1.30)


class Exceedance(Slow):
    """Requests beyond an edge; a question's value is the ratio of latencies that its null stands for."""

    name = "exceedance"
    unit = RATIO
    better = 1.0
    harm_factors, harm_weights = HARM_FACTORS, HARM_WEIGHTS

    def planned(self, settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
        place = place_of(settings.threshold, edges)
        if sum(baseline.latency) == 0:
            return nothing_counted(settings)
        above = positive(edges)
        if place < 0 or len(above) < 2:
            return none(settings, no_edge(settings.threshold, edges))
        shares, tolerance = shares_beyond(baseline.latency), settings.tolerance
        values = sorted({*RATIOS, *SLOWER, tolerance})
        latencies = [edges[place], *(edges[place] / value for value in values)]
        read, falls = Survival(edges[above.start :], latencies).at(shares[above.start :])
        margins, slopes = nulls(read[:1], falls[:1], read[1:], falls[1:])
        questions = tuple(
            Question(value, float(margin), place, slope=float(slope))
            for value, margin, slope in zip(values, margins, slopes, strict=True)
        )
        row = values.index(tolerance)
        return MetricPlan(
            settings, float(shares[place]), place, questions, row, row, tolerance, tolerance, corners=True
        )

    def harms(self, metric: MetricPlan) -> Iterator[tuple[str, float]]:
        for question in metric.questions:
            if question.value in SLOWER:
                yield (
                    f"{metric.settings.name} +{100 * (question.value - 1):.0f} %",
                    metric.base * question.slope + question.margin,
                )
