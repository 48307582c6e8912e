"""The share of requests that fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from glidepath.judge.counts import ArmCounts
from glidepath.judge.metrics.base import Kind, none, nothing_counted
from glidepath.judge.plan import MetricPlan, Question
from glidepath.judge.settings import MetricSettings

RATE_GRID = (
    -0.9, -0.6, -0.4, -0.25, -0.15, -0.08, 0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.4, 2, 3, 4.5, 7, 10, 15, 25, 50,
)  # fmt: skip


class Errors(Kind):
    """Errors among requests; fewer are better."""

    name = "errors"
    better = 0.0
    harm_factors = (1.3, 1.8, 3.0, 6.0, 12.0, 40.0)
    harm_weights = (0.22, 0.22, 0.16, 0.16, 0.16, 0.08)

    def planned(self, settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
        return self.rated(settings, *baseline.proportion(settings))

    def rated(self, settings: MetricSettings, events: int, of: int, edge: int = -1) -> MetricPlan:
        """Margins and questions of a rate, of which the stable version had so many events; `edge` as in `MetricPlan.edge`."""
        if of == 0:
            return nothing_counted(settings)
        base = (events + 0.5) / (of + 1)
        harm = max(settings.tolerance * base, settings.harm_margin)
        safety = max(settings.tolerance * base, settings.safety_margin)
        if base + max(harm, safety) >= 1:
            reason = f"the stable's share is {100 * base:.3g} %, the margin {100 * max(harm, safety):.3g} points"
            return replace(
                none(settings, f"resolution_limited: {reason}: no version can be beyond that; take a smaller tolerance"),
                base=base, limit=harm, safe_limit=safety,
            )  # fmt: skip
        scale = max(base, 0.001)
        values = sorted({harm, safety, *(scale * step for step in RATE_GRID)})
        differences = (value for value in values if value in (harm, safety) or -base < value < 0.8)
        questions = tuple(Question(value, value, edge) for value in differences)
        margins = [question.value for question in questions]
        return MetricPlan(settings, base, edge, questions, margins.index(harm), margins.index(safety), harm, safety)

    def harms(self, metric: MetricPlan) -> Iterator[tuple[str, float]]:
        for factor in (2.0, 10.0):
            yield f"{metric.settings.name} x{factor:g}", min(0.9, factor * metric.base)
