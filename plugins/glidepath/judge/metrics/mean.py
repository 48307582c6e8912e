"""The mean latency: told beside the others, and never decided by.

A test of a mean that may be looked at at any time needs a bound on what one request can add to it. A histogram's last bucket has
none: one request in a million may take for ever, and its sum with it. So nothing is promised of a mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glidepath.judge.counts import ArmCounts
from glidepath.judge.evalue import Array
from glidepath.judge.metrics.base import Kind, Told, none, nothing_counted
from glidepath.judge.plan import MetricPlan
from glidepath.judge.settings import MetricSettings
from glidepath.judge.units import MEAN

MICROSECONDS = 1e6


class Mean(Kind):
    """The ratio of the mean latencies."""

    name = "mean"
    unit = MEAN
    # Nothing is bet.
    harm_factors = (1.0,)
    harm_weights = (1.0,)

    def planned(self, settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
        return none(settings, "") if self.counted(settings, baseline) else nothing_counted(settings)

    def counted_of(self, settings: MetricSettings, arm: ArmCounts) -> tuple[int, int]:
        """How long its requests took together, microseconds, and how many they were."""
        return arm.sums.get(settings.counted, (0, 0))

    def harms(self, metric: MetricPlan) -> Iterator[tuple[str, float]]:
        return iter(())

    def estimated(
        self, settings: MetricSettings, edges: Sequence[float], counted: Sequence[tuple[int, int]], below: Array
    ) -> Told:
        """Both means in seconds, and the canary's in parts of the stable's."""
        stable, canary = (total / of / MICROSECONDS if of else None for total, of in counted)
        return stable, canary, canary / stable if stable and canary is not None else None

    def limits_told(self, metric: MetricPlan, safe_limit: float) -> str:
        return f"{metric.settings.name}: told only; a mean has no bound, so nothing is decided by it"
