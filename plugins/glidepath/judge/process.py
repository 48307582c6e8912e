"""One metric through a release: its harm and safety evidence for every question at once."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from glidepath.judge.base import Base
from glidepath.judge.bets import (
    HARM_SPREAD_S,
    SAFETY_SPREAD_S,
    SAFETY_WEIGHTS,
    Bets,
    harm_shares,
    spread,
)
from glidepath.judge.bounds import bounds
from glidepath.judge.cap import Cap
from glidepath.judge.counts import ArmCounts
from glidepath.judge.estimates import Estimates
from glidepath.judge.evalue import Array, log_e
from glidepath.judge.feasibility import Comparable, effect
from glidepath.judge.gains import Made, counting
from glidepath.judge.latent import WithMoods
from glidepath.judge.metrics import kind_of
from glidepath.judge.metrics.base import Told
from glidepath.judge.mixture import Mixture
from glidepath.judge.moods import slowed
from glidepath.judge.plan import MetricPlan
from glidepath.judge.values import MetricLook

# Of the safety mass at a weight: what starts at once, and what over SAFETY_SPREAD_S.
SAFETY_START, SAFETY_LATER = 0.8, 0.2
# Evidence of safety beyond what is needed ends so far above it, in log units: what speaks against the canary later must
# not be outweighed by what spoke for it long ago.
SAFETY_ROOM = math.log(10.0)
# Beyond this an E is told as this: JSON has no infinity.
LARGEST_LOG = 690.0


class Posed(NamedTuple):
    """What an interval is asked.

    Attributes:
        counts: The canary's requests and the stable's, the canary's events (a row a question) and the stable's.
        bets: As `Bets.at` gives them; of: whose.
    """

    counts: tuple[float, float, Array | float, float]
    bets: Made
    of: Bets


class MetricProcess:
    """The state of one metric; O(questions x bets), however long the bake.

    Args:
        plan: The metric's frozen plan.
        edges: The latency buckets' finite edges, seconds.
        alpha: Chance of a false rollback for this metric.
        beta: Chance of a wrong promotion.
        weight_changes: Planned changes of the weight after the first.
    """

    def __init__(
        self, plan: MetricPlan, edges: tuple[float, ...], alpha: float, beta: float, weight_changes: int
    ) -> None:
        self.plan, self._kind = plan, kind_of(plan.settings)
        self.harm_threshold, self.safety_threshold = 1.0 / alpha, 1.0 / beta
        self._bets = Bets(plan)
        self._rows = np.array([row.edge for row in plan.questions])
        self._better = self._kind.better_row(plan)
        self._ceiling = safety_ceiling(beta)
        self._start, self._change, self._spread = harm_shares(weight_changes)
        self._changes_left = weight_changes
        rows = len(plan.questions)
        self._harm = Mixture(self._kind.harm_weights, rows)
        self._cap = Cap(self._bets.needed(alpha, beta))
        self._with_moods = WithMoods(plan, self._bets) if plan.moods else None
        self._start_harm(self._start)
        self._since_start = 0.0
        self._base = Base(plan.base)
        self._pods = (1, 1)
        self._estimates = Estimates(plan.settings, edges)
        self._restart()

    @property
    def answerable(self) -> bool:
        """Whether the plan found questions that can be answered."""
        return self.plan.harm >= 0 or self.plan.safety >= 0

    def change_weight(self) -> None:
        """At a planned weight change more harm bets start, at a later one none; safety and the estimates start afresh."""
        if self._changes_left > 0:
            self._changes_left -= 1
            self._start_harm(self._change)
        self._estimates.restart()
        self._restart()

    def _start_harm(self, share: float) -> None:
        self._harm.start(share)
        if self._with_moods is not None:
            self._with_moods.start(share)

    def _restart(self) -> None:
        self._safety = Mixture(SAFETY_WEIGHTS, len(self.plan.questions), self._ceiling)
        self._safety.start(SAFETY_START)
        self._since_step = 0.0
        if self._with_moods is not None:
            self._with_moods.restart()

    def base(self) -> float:
        """The stable's probability of the event, from the plan and past intervals only."""
        return float(self._base.now())

    def feed(self, stable: ArmCounts, canary: ArmCounts, below: Array, seconds: float) -> None:
        """Take in a merged interval of so many seconds.

        Args:
            stable, canary: The counts.
            below: Their cumulative bucket counts, shaped (2, buckets).
            seconds: How long it lasted.
        """
        if (asked := self.ask(stable, canary, below)) is not None:
            n, m, x, y = asked.counts
            canaries, stables, _ = asked.bets
            log = log_e(n, m, x, y, self._bets.margins, canaries, stables, self._bets.slopes)
            self.take(asked, log, seconds)

    def ask(self, stable: ArmCounts, canary: ArmCounts, below: Array) -> Posed | None:
        """What a merged interval is asked, as by `feed`, whose parts this and `take` are; None for nothing."""
        self._estimates.add(stable, canary, below)
        self._pods = (canary.pods or 1, stable.pods or self.plan.pods or 1)
        if not self.answerable:
            return None
        counts = self._kind.counts(self.plan, self._rows, stable, canary, below)
        return Posed(counts, self._bets.at(self._base.now()), self._bets)

    def take(self, asked: Posed, log: Array, seconds: float) -> None:
        """Take in the log e-values of an interval of so many seconds, shaped (questions, bets)."""
        (n, m, x, y), bets = asked.counts, asked.bets
        gains = counting(self._bets, self._base, asked.counts, log, bets)
        if self.plan.phi != 1.0:
            gains /= self.plan.phi
        # The mass that starts within an interval starts before its evidence is seen, by a plan fixed beforehand.
        self._start_harm(spread(self._spread, HARM_SPREAD_S, self._since_start, self._since_start + seconds))
        self._safety.start(spread(SAFETY_LATER, SAFETY_SPREAD_S, self._since_step, self._since_step + seconds))
        if self._with_moods is not None:
            self._with_moods.put(gains, (n, m, x, y), bets, self._pods, seconds)
        counted = self._cap.spend(gains, seconds)
        self._harm.multiply(counted[:, self._bets.harm])
        self._safety.multiply(counted[:, self._bets.safety])
        self._since_start += seconds
        self._since_step += seconds
        self._base.see(m, y, seconds)

    def follow(self, margins: Array, slopes: Array) -> None:
        """Ask with these nulls from now on, shaped (questions, 1); they are known before what they are asked of."""
        self._bets.follow(margins, slopes)

    def missing_safety(self) -> float:
        """How much log evidence is still missing for safety."""
        have = float(self._safety.log_evidence()[self.plan.safety])
        return max(0.0, math.log(self.safety_threshold) - have)

    def seconds_left(self, rate: float) -> float:
        """How long until a comparable canary is proven safe, at this rate of log evidence, if all pods were alike."""
        missing = self.missing_safety()
        if not self.plan.moods:
            return missing * self.plan.phi / rate
        return missing / slowed(rate, self.plan.moods, effect(self.comparable()), *self._pods, missing)

    def comparable(self) -> Comparable:
        """What a comparable version is for safety's question."""
        row = self.plan.safety
        base = float(np.broadcast_to(self._bets.room(self.base()), self._bets.margins.shape)[row, 0])
        slope = float(self._bets.slopes[row, 0]) if self._bets.slopes is not None else 1.0
        return Comparable(float(self._bets.margins[row, 0]), slope, base * self.plan.questions[row].tail, base)

    def evidence(self) -> tuple[Array, Array]:
        """The log evidence of harm and of safety, a question each; that of harm no more than moods of pods allow."""
        harm = self._harm.log_evidence()
        return harm if self._with_moods is None else self._with_moods.limit(harm), self._safety.log_evidence()

    def look(self) -> MetricLook:
        """What is known now."""
        thresholds = self.harm_threshold, self.safety_threshold
        return looked(
            self.plan, self.evidence(), thresholds, self._estimates.told(), self._better, self._with_moods is not None
        )


def looked(
    plan: MetricPlan, evidence: tuple[Array, Array], thresholds: tuple[float, float], estimates: Told, better_row: int,
    moody: bool,
) -> MetricLook:  # fmt: skip
    """What is known of a metric.

    Args:
        plan: The metric's frozen plan.
        evidence: The log evidence of harm and of safety, a question each; thresholds: what either takes.
        estimates: The stable's, the canary's, and the effect; better_row, moody: as `bounds`'.
    """
    harm, safety = (evidence_told(logs) for logs in evidence)
    harm_threshold, safety_threshold = thresholds
    stable, canary, effect = estimates
    low = high = None
    if plan.harm >= 0 or plan.safety >= 0:
        low, high = bounds(plan, better_row, harm >= harm_threshold, safety >= safety_threshold, moody)
    return MetricLook(
        name=plan.settings.name,
        role=plan.settings.role,
        estimate_stable=stable,
        estimate_canary=canary,
        effect=effect,
        low=low,
        high=high,
        limit=plan.limit,
        safe_limit=plan.safe_limit,
        unit=kind_of(plan.settings).unit.name,
        harm_e=float(harm[plan.harm]) if plan.harm >= 0 else 1.0,
        harm_threshold=harm_threshold,
        safety_e=float(safety[plan.safety]) if plan.safety >= 0 else 1.0,
        safety_threshold=safety_threshold,
        note=plan.note,
        better_e=float(safety[better_row]) if better_row >= 0 else 1.0,
    )


def safety_ceiling(beta: float) -> float:
    """Where the log evidence of safety's bets ends, for a chance beta of a wrong promotion."""
    return math.log(1.0 / beta) + SAFETY_ROOM


def evidence_told(log_evidence: Array) -> Array:
    """Evidence out of its logarithm."""
    return np.asarray(np.exp(np.minimum(log_evidence, LARGEST_LOG)))
