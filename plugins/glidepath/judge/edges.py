"""A quantile's process: the evidence at several edges, with nulls that follow the stable version.

Harm is the weighted mean of the edges' e-values (a mean of e-values is one), so what shows at any of them is found. A
version counts as comparable when it is proven so at each edge that is asked for it. The null of an interval comes from
the stable's buckets of the intervals before: chosen beforehand, it keeps every promise, and a tolerance of 10 % stays one
while the service's latency drifts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from glidepath.judge.base import HALF_LIFE_S, PRIOR_REQUESTS
from glidepath.judge.counts import ArmCounts
from glidepath.judge.estimates import Estimates
from glidepath.judge.evalue import Array
from glidepath.judge.feasibility import Comparable
from glidepath.judge.metrics import kind_of
from glidepath.judge.plan import MetricPlan
from glidepath.judge.process import MetricProcess, looked
from glidepath.judge.survival import Survival, nulls
from glidepath.judge.values import MetricLook


class Nulls:
    """The nulls at some edges, out of the stable's past.

    Args:
        plan: The metric's frozen plan; it has parts.
        edges: The latency buckets' finite edges, seconds.
        releases: The shape of many releases; empty for one.
    """

    def __init__(self, plan: MetricPlan, edges: Sequence[float], releases: tuple[int, ...] = ()) -> None:
        self._knots = np.array(plan.knots)
        asked = [[edges[part.edge], *(edges[part.edge] / row.value for row in part.questions)] for part in plan.parts]
        self._survival = Survival([edges[place] for place in plan.knots], np.concatenate(asked).tolist())
        self._ends = np.cumsum([len(one) for one in asked])[:-1]
        planned = np.broadcast_to(np.array(plan.shares), (*releases, len(plan.shares)))
        self._prior: Array = PRIOR_REQUESTS * planned
        self._slower: Array = np.zeros_like(planned)
        self._requests: Array = np.zeros((*releases, 1))

    def now(self) -> list[tuple[Array, Array]]:
        """Of each part, its questions' margins and slopes, shaped (..., questions, 1)."""
        # Half a request on either side: a share of nothing has no odds.
        total = PRIOR_REQUESTS + self._requests
        shares = np.clip((self._prior + self._slower) / total, 0.5 / total, 1.0 - 0.5 / total)
        both = (np.split(one, self._ends, axis=-1) for one in self._survival.at(shares))
        made = (
            nulls(read[..., :1], falls[..., :1], read[..., 1:], falls[..., 1:])
            for read, falls in zip(*both, strict=True)
        )
        return [(margins[..., None], slopes[..., None]) for margins, slopes in made]

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
        self._parts = [MetricProcess(part, edges, alpha, beta, weight_changes) for part in plan.parts]
        self._nulls = Nulls(plan, edges)
        self._estimates = Estimates(plan.settings, edges)
        self._thresholds = 1.0 / alpha, 1.0 / beta
        self._better = kind_of(plan.settings).better_row(plan)

    def change_weight(self) -> None:
        """A planned weight change."""
        self._estimates.restart()
        for one in self._parts:
            one.change_weight()

    def feed(self, stable: ArmCounts, canary: ArmCounts, below: Array, seconds: float) -> None:
        """Take in a merged interval, as `MetricProcess.feed`."""
        self._estimates.add(stable, canary, below)
        for one, null in zip(self._parts, self._nulls.now(), strict=True):
            one.follow(*null)
            one.feed(stable, canary, below, seconds)
        self._nulls.see(below[0], seconds)

    def _asked(self) -> list[MetricProcess]:
        """The edges at which safety must be proven."""
        return [one for one in self._parts if one.plan.safety >= 0]

    def _furthest(self) -> MetricProcess:
        return max(self._asked(), key=lambda one: one.missing_safety())

    def comparable(self) -> Comparable:
        """As `MetricProcess.comparable`, of the edge whose safety is furthest from proven."""
        return self._furthest().comparable()

    def seconds_left(self, rate: float) -> float:
        """As `MetricProcess.seconds_left`, of the edge whose safety is furthest from proven."""
        return self._furthest().seconds_left(rate)

    def missing_safety(self) -> float:
        """How much log evidence is still missing for safety at some edge."""
        return self._furthest().missing_safety()

    def look(self) -> MetricLook:
        """What is known now."""
        told = [(one.plan, *one.evidence()) for one in self._parts]
        harm = np.logaddexp.reduce([harm + math.log(part.weight) for part, harm, _ in told], axis=0)
        safety = np.min([safety for part, _, safety in told if part.safety >= 0], axis=0)
        moody = any(part.moods for part in self.plan.parts)
        return looked(self.plan, (harm, safety), self._thresholds, self._estimates, self._better, moody)
