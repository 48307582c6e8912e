"""What a kind of metric is: which questions it asks, what it counts and bets on, what it is told as.

A kind knows no state and no clock: it is the judge's vocabulary of one question. Another kind is one file here, its name in
`metrics/__init__.py`, its form in `policy/metrics.py`, and one file of tests.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from glidepath.judge.counts import ArmCounts
from glidepath.judge.evalue import Array
from glidepath.judge.plan import MetricPlan, Question
from glidepath.judge.settings import MetricSettings
from glidepath.judge.units import POINTS, Unit

# Slopes, offsets and odds ratios of the bets on safety; see `Bets`.
SafeBets = tuple[Array, Array, Array]
Told = tuple[float | None, float | None, float | None]
# Three bets on safety: the comparable version, one towards the margin, a better one. Where a version that is exactly like
# stable can't answer with yes ("is it faster?", "has it fewer errors?"), the canary's odds are these parts of the null's.
BELOW = np.array([0.8, 0.5, 0.25])
# By the sides on which harm may lie: a limit's sign, and where comparable versions are.
SIDES: dict[tuple[str, ...], tuple[str, str]] = {("above",): ("+", "below"), ("below",): ("-", "above")}
ONE, NONE = np.ones(3), np.zeros(3)
# Parts of the margin by which bets on safety lie towards it.
TOWARDS, BOTH_WAYS = np.array([0.0, 0.35, 0.0]), np.array([0.0, 0.35, -0.35])


class Kind(ABC):
    """One kind of metric.

    Attributes:
        name: As a policy has it.
        unit: Of effects and limits.
        two_sided: Whether harm may lie on either side of the stable version.
        at_edges: Whether an event is a request beyond a bucket's edge.
        better: What the row "better than stable" stands for; None where nothing is better.
        harm_factors, harm_weights: The bets on harm: odds ratios beyond the null, and their parts of the mass.
    """

    name: str
    unit: Unit = POINTS
    two_sided: bool = False
    at_edges: bool = False
    better: float | None = None
    harm_factors: tuple[float, ...]
    harm_weights: tuple[float, ...]

    @property
    def judged(self) -> bool:
        """Whether anything is asked, or the metric is told only."""
        return self.unit.limited

    @abstractmethod
    def planned(self, settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
        """Margins and questions out of the stable version's counts, without what its pods differ by."""

    @abstractmethod
    def harms(self, metric: MetricPlan) -> Iterator[tuple[str, float]]:
        """Harmful versions that `plan` tells of, and the canary's probability of the event then."""

    def better_row(self, metric: MetricPlan) -> int:
        """Index of the row "better than stable": no margin, the same edge; -1 when there is none."""
        if self.better is None:
            return -1
        return next((row for row, question in enumerate(metric.questions) if question.value == self.better), -1)

    def counted_of(self, settings: MetricSettings, arm: ArmCounts) -> tuple[int, int]:
        """What is counted for an arm, and for how many requests; zeros for what was not counted."""
        return arm.proportion(settings)

    def events(self, settings: MetricSettings, edge: int, arm: ArmCounts) -> tuple[int, int]:
        """How many events an arm had, and of how many requests; `edge` as in `MetricPlan.edge`."""
        return self.counted_of(settings, arm)

    def counted(self, settings: MetricSettings, arm: ArmCounts) -> bool:
        """Whether anything was counted for an arm."""
        return self.counted_of(settings, arm)[1] > 0

    def counts(
        self, metric: MetricPlan, rows: NDArray[np.int64], stable: ArmCounts, canary: ArmCounts, below: Array
    ) -> tuple[float, float, Array | float, float]:
        """Requests and events of an interval.

        Args:
            metric: The metric's plan; rows: its questions' edges.
            stable, canary: The counts.
            below: Their cumulative bucket counts, shaped (2, buckets).

        Returns:
            The canary's requests, the stable's, the canary's events (a row a question where they differ), the stable's.
        """
        (x, n), (y, m) = (self.counted_of(metric.settings, arm) for arm in (canary, stable))
        return float(n), float(m), float(x), float(y)

    def safe_bets(self, margins: Array, tails: Array) -> SafeBets:
        """The bets on safety: slopes and offsets of the point in the stable's probability, odds ratios.

        Args:
            margins: The questions', shaped (..., questions, 1); tails: likewise, shaped (questions, 1).
        """
        return above(margins, TOWARDS, np.array([1.0, 1.0, 0.6]))

    def estimated(
        self, settings: MetricSettings, edges: Sequence[float], counted: Sequence[tuple[int, int]], below: Array
    ) -> Told:
        """Estimates for people.

        Args:
            settings: The metric's; edges: the buckets' finite edges, seconds.
            counted: The stable's and the canary's events, and of how many requests.
            below: Their cumulative bucket counts, shaped (2, buckets).

        Returns:
            The stable's share or quantile, the canary's, and the effect.
        """
        stable, canary = (bad / of if of else None for bad, of in counted)
        return stable, canary, canary - stable if stable is not None and canary is not None else None

    def limits_told(self, metric: MetricPlan, safe_limit: float) -> str:
        """What is harm and what is comparable, for people."""
        sign, within = SIDES.get(metric.sides, ("±", "within"))
        return (
            f"{metric.settings.name}: stable {100 * metric.base:.3g} %; harm beyond {sign}{100 * metric.limit:.3g} points, "
            f"comparable {within} {sign}{100 * safe_limit:.3g} points"
        )


def above(margins: Array, towards: Array, odds: Array) -> SafeBets:
    """Bets that the canary is like stable; where the margin leaves no room for it, that it is below the null itself.

    Args:
        margins: The questions', shaped (..., questions, 1).
        towards: How far each bet lies towards the margin, in parts of it.
        odds: The odds ratio of each.
    """
    room = margins > 0
    return ONE, np.where(room, margins * towards, margins), np.where(room, odds, BELOW)


def none(settings: MetricSettings, why: str) -> MetricPlan:
    """A plan by which nothing can be said, and why."""
    tolerance = settings.tolerance
    return MetricPlan(settings, 0.5, -1, (Question(tolerance, 0.0),), -1, -1, tolerance, tolerance, why)


def nothing_counted(settings: MetricSettings) -> MetricPlan:
    """The plan of a share of nothing."""
    return none(settings, f"not_counted: the stable version counted nothing that {settings.name} is a share of")
