"""Any other share of requests, such as that of messages called spam; it may be off on either side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from glidepath.judge.counts import ArmCounts
from glidepath.judge.evalue import Array
from glidepath.judge.metrics.base import BOTH_WAYS, ONE, Kind, SafeBets, above, nothing_counted
from glidepath.judge.plan import MetricPlan, Question
from glidepath.judge.settings import MetricSettings

MARGIN_GRID = (-6, -4, -3, -2, -1.5, -1, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.5, 2, 3, 4, 6, 8)


class Share(Kind):
    """A share that neither more nor fewer of is better."""

    name = "share"
    two_sided = True
    harm_factors = (1.15, 1.4, 2.0, 4.0, 10.0, 40.0)
    harm_weights = (0.22, 0.22, 0.16, 0.16, 0.16, 0.08)

    def planned(self, settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
        events, of = baseline.proportion(settings)
        if of == 0:
            return replace(nothing_counted(settings), sides=())
        base = (events + 0.5) / (of + 1)
        harm, safety = (
            max(settings.tolerance * base, margin) for margin in (settings.harm_margin, settings.safety_margin)
        )
        values = sorted({harm, safety, *(harm * step for step in MARGIN_GRID)})
        questions = tuple(
            Question(value, value) for value in values if value in (harm, safety) or -base < value < 1 - base
        )
        margins = [question.value for question in questions]
        wanted_sides = ("above", "below") if settings.sides == "both" else (settings.sides,)
        sides = tuple(side for side in wanted_sides if (base + harm < 1 if side == "above" else base - harm > 0))
        note = ""
        if sides != wanted_sides:
            note = (
                f"the stable's share is {100 * base:.3g} %, the margin {100 * harm:.3g} points: no version can be "
                f"{' or '.join(side for side in wanted_sides if side not in sides)} that, so it is not judged there; "
                "for that take a smaller margin"
            )
        return MetricPlan(
            settings, base, -1, questions, margins.index(harm), margins.index(safety), harm, safety, note, sides=sides
        )

    def harms(self, metric: MetricPlan) -> Iterator[tuple[str, float]]:
        margin = metric.questions[metric.harm].margin
        for side in metric.sides if metric.harm >= 0 else ():
            off = metric.base + 2 * margin if side == "above" else metric.base - 2 * margin
            yield f"{metric.settings.name} {200 * margin:.3g} points {'more' if side == 'above' else 'less'}", off

    def safe_bets(self, margins: Array, tails: Array) -> SafeBets:
        return above(margins, BOTH_WAYS, ONE)
