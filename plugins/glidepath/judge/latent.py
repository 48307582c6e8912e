"""Evidence where pods have moods: how much better the bets explain the counts than their null, moods in either.

Given all events X + Y of an interval, X is binomial; its odds are n p_c : m p_s times the arms' ratio of moods, which
nobody sees. Both hypotheses of a bet, its null and its alternative, think of the moods in the same way. The ratio of their
likelihoods has expectation 1 under the null, given all intervals before, so it may be looked at after every interval as
any other e-value here. docs/mathematics.md has what that rests on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from glidepath.judge.bets import Bets
from glidepath.judge.evalue import Array, Mask
from glidepath.judge.metrics import kind_of
from glidepath.judge.mixture import Mixture
from glidepath.judge.moods import Hidden, Mood
from glidepath.judge.plan import MetricPlan

Counts = tuple[float, float, Array | float, float]


class MoodEvidence:
    """The log e-values of some questions' bets.

    Args:
        moods: As the plan has weighed them.
        bets: How many bets each question has.
        questions: How many questions.
    """

    def __init__(self, moods: Sequence[Mood], questions: int, bets: int) -> None:
        self._moods, self._shape = moods, (questions, bets)
        self._hidden: Hidden | None = None
        self._past: Array | float = 0.0

    def gains(
        self, sizes: tuple[float, float], events: tuple[Array, float], nulls: Array, bets: Array, pods: tuple[int, int],
        seconds: float,
    ) -> Array:  # fmt: skip
        """Take in an interval; its log e-values, shaped (questions, bets).

        Args:
            sizes: The canary's requests, and the stable's.
            events: The canary's events, a row a question, and the stable's.
            nulls: The ratio p_c / p_s at each question's null, shaped (questions, 1).
            bets: The same that is bet on, shaped (questions, bets).
            pods: How many pods the canary and the stable have.
            seconds: How long the interval lasted.
        """
        (n, m), (x, y) = sizes, events
        here = (max(1, pods[0]), max(1, pods[1]))
        if self._hidden is None:
            self._hidden = Hidden(self._moods, self._shape[0] * (self._shape[1] + 1), here)
        self._hidden.pods(*here)
        if n <= 0 or m <= 0 or float(np.max(x)) + y <= 0:
            self._hidden.pass_time(seconds)
            return np.zeros(self._shape)
        ratios = np.concatenate([nulls, bets], axis=1)
        counts = np.broadcast_to(x, ratios.shape)
        self._hidden.see(n, m, counts.reshape(-1, 1), y, ratios.reshape(-1, 1), seconds)
        now = self._hidden.log_likelihood()
        grown, self._past = (now - self._past).reshape(ratios.shape), now
        return np.asarray(grown[:, 1:] - grown[:, :1])


class WithMoods:
    """The evidence of the rows that decide, where the plan knows of moods.

    Harm's goes on over all weights; that of safety, and of being better, starts afresh with each.

    Args:
        plan: The metric's frozen plan; it has moods.
        bets: The metric's bets.
    """

    def __init__(self, plan: MetricPlan, bets: Bets) -> None:
        kind = kind_of(plan.settings)
        self._moods, self._phi, self._bets = plan.moods, plan.phi, bets
        # Of what happens more often than not the opposite is counted: of rare events their number tells nearly all.
        self._common = plan.base > 0.5
        self._harm = [plan.harm] if plan.harm >= 0 else []
        self._safety = sorted({row for row in (plan.safety, kind.better_row(plan)) if row >= 0})
        self._harm_bets, self._safety_bets = (list(range(rows.start, rows.stop)) for rows in (bets.harm, bets.safety))
        self._mixture = Mixture(kind.harm_weights, len(self._harm))
        self._harm_evidence = self._begun(self._harm, self._harm_bets)
        self.restart()

    def restart(self) -> None:
        """A new weight."""
        self._safety_evidence = self._begun(self._safety, self._safety_bets)

    def start(self, share: float) -> None:
        """Some of harm's mass starts."""
        self._mixture.start(share)

    def _begun(self, rows: list[int], bets: list[int]) -> MoodEvidence | None:
        return MoodEvidence(self._moods, len(rows), len(bets)) if rows else None

    def put(
        self, gains: Array, counts: Counts, bets: tuple[Array, Array, Mask], pods: tuple[int, int], seconds: float
    ) -> None:
        """Take in an interval: safety's rows that decide get their log e-values; harm's are kept here.

        Harm's row gets what it would have without moods and over-dispersion. It is what caps are for: it says whether the
        harm lasts, and this whether moods could be it. Only what both prove is proven.

        Args:
            gains: Of all questions and bets, divided by phi; changed in place.
            counts: The canary's requests and the stable's, the canary's events (a row a question) and the stable's.
            bets: As `Bets.at` gives them.
            pods: How many pods the canary and the stable have.
            seconds: How long the interval lasted.
        """
        (n, m, x, y), (canary, stable, possible) = counts, bets
        events = np.broadcast_to(x, (len(gains), 1))
        stable = np.broadcast_to(stable, (len(gains), 1))
        null = np.broadcast_to(self._bets.null(stable), (len(gains), 1))
        if self._common:
            events, y, canary, stable, null = n - events, m - y, 1.0 - canary, 1.0 - stable, 1.0 - null

        def gained(evidence: MoodEvidence, rows: list[int], columns: list[int]) -> Array:
            here = np.ix_(rows, columns)
            nulls, ratios = null[rows] / stable[rows], canary[here] / stable[rows]
            return evidence.gains((n, m), (events[rows], y), nulls, ratios, pods, seconds) * possible[here]

        if self._harm_evidence is not None:
            gains[np.ix_(self._harm, self._harm_bets)] *= self._phi
            self._mixture.multiply(gained(self._harm_evidence, self._harm, self._harm_bets))
        if self._safety_evidence is not None:
            gains[np.ix_(self._safety, self._safety_bets)] = gained(
                self._safety_evidence, self._safety, self._safety_bets
            )

    def limit(self, log_harm: Array) -> Array:
        """Harm's log evidence of all rows, that of the row that decides no more than moods allow."""
        for row in self._harm:
            log_harm[row] = min(float(log_harm[row]), float(self._mixture.log_evidence()[0]))
        return log_harm
