"""A quantile's process: the evidence at several edges, with nulls that follow the stable version.

Harm is the weighted mean of the edges' e-values (a mean of e-values is one), so what shows at any of them is found. A
version counts as comparable when it is proven so at each edge that is asked for it, and there along each line that the
stable's share may move by (`survival.corners`): the edges were chosen for the latency of the past, and prove nothing once
all requests are on one side of them. The null of an interval comes from
the stable's buckets of the intervals before: chosen beforehand, it keeps every promise, and a tolerance of 10 % stays one
while the service's latency drifts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from typing import NamedTuple

import numpy as np

from glidepath.judge.base import HALF_LIFE_S, PRIOR_REQUESTS
from glidepath.judge.counts import ArmCounts
from glidepath.judge.estimates import Estimates
from glidepath.judge.evalue import Array, Asked, log_es
from glidepath.judge.feasibility import Comparable
from glidepath.judge.metrics import kind_of
from glidepath.judge.metrics.latency import NEAR
from glidepath.judge.plan import MetricPlan
from glidepath.judge.process import MetricProcess, Posed, looked
from glidepath.judge.survival import Survival, corners, nulls
from glidepath.judge.values import MetricLook


class Null(NamedTuple):
    """The nulls at an edge in an interval.

    Attributes:
        margins, slopes: Its questions', shaped (..., questions, 1).
        share: Of the stable's requests, those that are thought to be beyond it; shaped (..., 1, 1).
    """

    margins: Array
    slopes: Array
    share: Array

    def corners(self, question: int) -> Iterator[tuple[Array, Array]]:
        """The margin and slope of a question's two other lines, shaped (..., 1, 1)."""
        row = slice(question, question + 1)
        return zip(*corners(self.share, self.margins[..., row, :], self.slopes[..., row, :]), strict=True)


class Nulls:
    """The nulls at some edges, out of the stable's past.

    Args:
        plan: The metric's frozen plan; it has parts.
        edges: The latency buckets' finite edges, seconds.
        releases: The shape of many releases; empty for one.
    """

    def __init__(self, plan: MetricPlan, edges: Sequence[float], releases: tuple[int, ...] = ()) -> None:
        self._knots = np.array(plan.knots)
        latencies = [
            [edges[part.edge], *(edges[part.edge] / row.value for row in part.questions)] for part in plan.parts
        ]
        self._survival = Survival([edges[place] for place in plan.knots], np.concatenate(latencies).tolist())
        self._ends = [*accumulate(len(of_part) for of_part in latencies)][:-1]
        planned = np.broadcast_to(np.array(plan.shares), (*releases, len(plan.shares)))
        self._prior: Array = PRIOR_REQUESTS * planned
        self._slower: Array = np.zeros_like(planned)
        self._requests: Array = np.zeros((*releases, 1))

    def shares(self) -> Array:
        """Of the stable's requests, those that are thought to be slower than each knot; shaped (..., knots)."""
        # Half a request on either side: a share of nothing has no odds.
        total = PRIOR_REQUESTS + self._requests
        return np.clip((self._prior + self._slower) / total, 0.5 / total, 1.0 - 0.5 / total)

    def now(self) -> list[Null]:
        """Of each part."""
        every, every_falls = self._survival.at(self.shares())
        made = []
        for start, end in pairwise((0, *self._ends, every.shape[-1])):
            read, falls = every[..., start:end], every_falls[..., start:end]
            margins, slopes = nulls(read[..., :1], falls[..., :1], read[..., 1:], falls[..., 1:])
            made.append(Null(margins[..., None], slopes[..., None], read[..., :1, None]))
        return made

    def see(self, below: Array, seconds: float) -> None:
        """Take in the stable's cumulative bucket counts of an interval that has been judged, shaped (..., buckets)."""
        faded = 2.0 ** (-seconds / HALF_LIFE_S)
        everybody = below[..., -1:]
        self._slower = self._slower * faded + everybody - below[..., self._knots]
        self._requests = self._requests * faded + everybody


class Edges:
    """One quantile's processes, an edge each; used as a `MetricProcess` is.

    Args:
        plan: The metric's frozen plan; it has parts.
        edges: The latency buckets' finite edges, seconds.
        alpha: Chance of a false rollback for this metric, all edges together.
        beta: Chance of a wrong promotion.
        weight_changes: Planned changes of the weight after the first.
    """

    def __init__(
        self, plan: MetricPlan, edges: tuple[float, ...], alpha: float, beta: float, weight_changes: int
    ) -> None:
        self.plan = plan
        shared = edges, alpha, beta, weight_changes
        self._parts = [MetricProcess(part, *shared) for part in plan.parts]
        self._corners = [tuple(MetricProcess(corner, *shared) for corner in cornered(part)) for part in plan.parts]
        self._nulls = Nulls(plan, edges)
        self._estimates = Estimates(plan.settings, edges)
        self._thresholds = 1.0 / alpha, 1.0 / beta
        self._better = kind_of(plan.settings).better_row(plan)

    def change_weight(self) -> None:
        """A planned weight change."""
        self._estimates.restart()
        for process in self._every():
            process.change_weight()

    def feed(self, stable: ArmCounts, canary: ArmCounts, below: Array, seconds: float) -> None:
        """Take in a merged interval, as `MetricProcess.feed`."""
        self._estimates.add(stable, canary, below)
        for process, others, null in zip(self._parts, self._corners, self._nulls.now(), strict=True):
            process.follow(null.margins, null.slopes)
            for other, line in zip(others, null.corners(process.plan.safety) if others else (), strict=True):
                other.follow(*line)
        posed = [(process, process.ask(stable, canary, below)) for process in self._every()]
        asked = [(process, question) for process, question in posed if question is not None]
        for (process, question), log in zip(asked, _logs([question for _, question in asked]), strict=True):
            process.take(question, log, seconds)
        self._nulls.see(below[0], seconds)

    def _every(self) -> list[MetricProcess]:
        return [*self._parts, *(corner for others in self._corners for corner in others)]

    def _asked(self) -> list[MetricProcess]:
        """The edges and lines at which safety must be proven."""
        return [process for process in self._every() if process.plan.safety >= 0]

    def _furthest(self) -> MetricProcess:
        return max(self._asked(), key=lambda process: process.missing_safety())

    def comparable(self) -> Comparable:
        """As `MetricProcess.comparable`, of the line whose safety is furthest from proven."""
        return self._furthest().comparable()

    def seconds_left(self, rate: float) -> float:
        """As `MetricProcess.seconds_left`, of the line whose safety is furthest from proven."""
        return self._furthest().seconds_left(rate)

    def missing_safety(self) -> float:
        """How much log evidence is still missing for safety at some edge."""
        return self._furthest().missing_safety()

    def look(self) -> MetricLook:
        """What is known now."""
        evidence = [(process.plan, *process.evidence()) for process in self._parts]
        harm = np.logaddexp.reduce([harm + math.log(part.weight) for part, harm, _ in evidence], axis=0)
        safety = np.min([safety for part, _, safety in evidence if part.safety >= 0], axis=0)
        lines = [float(corner.evidence()[1][0]) for others in self._corners for corner in others]
        safety[self.plan.safety] = min([safety[self.plan.safety], *lines])
        # Only the row that decides knows of the lines, as of moods.
        decides = bool(lines) or any(part.moods for part in self.plan.parts)
        estimates = self._estimates.on_curve()
        look = looked(self.plan, (harm, safety), self._thresholds, estimates, self._better, decides)
        return replace(look, note=look.note or self._passed())

    def _passed(self) -> str:
        """Which edge the stable's latency has left behind since plan time; empty where each still tells of it."""
        shares = dict(zip(self.plan.knots, self._nulls.shares().tolist(), strict=True))
        for part in self.plan.parts:
            share = shares[part.edge]
            if part.safety >= 0 and (share * NEAR < part.base or (1.0 - share) * NEAR < 1.0 - part.base):
                return (
                    f"resolution_limited: {100 * share:.2g} % of the stable's requests are slower than {part.settings.threshold:.6g} s, "
                    f"{100 * part.base:.3g} % were when the release was planned: the edges of that time tell little now; a new "
                    "release is planned on the latency of today"
                )
        return ""


def _logs(asked: Sequence[Posed]) -> list[Array]:
    """The log e-values of each; all are of the same requests, and their nulls have slopes."""
    if not asked:
        return []
    n, m, *_ = asked[0].counts
    several = []
    for (_, _, x, y), (canary, stable, _), bets in asked:
        assert bets.slopes is not None
        several.append(Asked(x, y, bets.margins, canary, stable, bets.slopes))
    return log_es(n, m, several)


def cornered(part: MetricPlan) -> Iterator[MetricPlan]:
    """The plans of the two lines of an edge that safety is asked at, of its one question; none of any other edge."""
    if part.corners and part.safety >= 0:
        corner = replace(part, questions=(part.questions[part.safety],), harm=0, safety=0)
        yield from (corner, corner)
