"""The promise E[e] <= 1, checked exactly for the very bets and questions that plans make, and for the process around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from glidepath.judge import ArmCounts, MetricSettings, StepSettings, plan_judgement
from glidepath.judge.bets import Bets
from glidepath.judge.evalue import Array, log_e
from glidepath.judge.plan import MetricPlan, Question
from glidepath.judge.process import MetricProcess
from tests.unit.judge.traffic import ERRORS, LATENCY, settings

ALIGNED = tuple(0.02 * 1.1**step for step in range(30))
COARSE = (0.01, 0.05, 0.07, 0.1, 0.25, 0.5, 1.0)
SPAM = MetricSettings("spam", "share", "critical", 0.0, 0.05, 0.05, sides="both", counted="spam")
TRUE_STABLE = (0.0, 0.0005, 0.005, 0.05, 0.3, 0.7, 0.95, 1.0)


def metric(
    asked: MetricSettings, errors: float = 0.005, share: float = 0.3, edges: tuple[float, ...] = ALIGNED
) -> MetricPlan:
    """One metric's plan, made from 30,000 requests."""
    random, requests = np.random.default_rng(1), 30_000
    failed = round(requests * errors)
    seconds = 0.05 * np.exp(0.25 * random.standard_normal(requests - failed))
    buckets = np.bincount(np.searchsorted(edges, seconds), minlength=len(edges) + 1)
    counted = {"spam": (round(requests * share), requests)}
    past = ArmCounts(requests, failed, tuple(int(count) for count in buckets), 2, shares=counted)
    return plan_judgement(settings((StepSettings(50, 30, 1),), metrics=(asked,)), past, 600, edges, 50.0).metrics[0]


def plans() -> Iterator[tuple[str, MetricPlan]]:
    """Every kind of metric, at rates from never to often, on fine and on coarse buckets."""
    for errors in (0.0, 0.005, 0.4, 0.99):
        yield f"errors {errors:g}", metric(ERRORS, errors=errors)
    for quantile, edges in product((0.5, 0.95, 0.99), (ALIGNED, COARSE)):
        for part in metric(replace(LATENCY, quantile=quantile), edges=edges).asked:
            yield f"p{100 * quantile:g} on {len(edges)} edges, at {edges[part.edge]:.3g} s", part
    for share in (0.02, 0.3, 0.97):
        plan = metric(SPAM, share=share)
        for side in plan.sides:
            yield f"share {share:g} {side}", plan if side == "above" else replace(plan, base=1.0 - plan.base)


def expectations(n: int, m: int, logs: Array, p_c: Array, p_s: Array) -> Array:
    """E[e] of bets at pairs of truths, by enumeration.

    Args:
        n, m: Requests.
        logs: log e for every count, shaped (x, y, bets).
        p_c, p_s: The truths.

    Returns:
        Shaped (truths, bets).
    """
    canary, stable = binom.pmf(np.arange(n + 1), n, p_c[:, None]), binom.pmf(np.arange(m + 1), m, p_s[:, None])
    return np.asarray(np.einsum("tx,ty,xyb->tb", canary, stable, np.exp(logs), optimize=True))


def nulls(question: Question, harm: bool) -> tuple[Array, Array]:
    """Truths on the null's edge and inside, the corners too."""
    margin, slope = question.margin, question.slope
    stable = np.array([*TRUE_STABLE, *(one for one in (-margin / slope, (1 - margin) / slope) if 0 <= one <= 1)])
    stable = stable[(slope * stable + margin >= 0) & (slope * stable + margin <= 1)]
    edge = slope * stable + margin
    inside = [edge * part if harm else 1 - (1 - edge) * part for part in (1.0, 0.8, 0.0)]
    return np.clip(np.concatenate(inside), 0, 1), np.tile(stable, 3)


def worst(plan: MetricPlan, n: int, m: int, base: float) -> tuple[float, int]:
    """The largest expectation of any bet of any question, and how many bets there were."""
    bets = Bets(plan)
    canary, stable, possible = bets.at(base)
    x, y = (np.arange(size + 1)[place] for size, place in ((n, np.s_[:, None, None]), (m, np.s_[None, :, None])))
    most, made = 0.0, 0
    for row, question in enumerate(plan.questions):
        for which, harm in ((bets.harm, True), (bets.safety, False)):
            slope = None if bets.slopes is None else bets.slopes[row]
            logs = log_e(n, m, x, y, np.array(question.margin), canary[row, which], stable[row], slope)  # type: ignore[arg-type]
            found = expectations(n, m, logs, *nulls(question, harm))[:, possible[row, which]]
            most, made = max(most, found.max(initial=0.0)), made + found.shape[1]
    return most, made


@pytest.mark.parametrize(("n", "m"), [(5, 45), (20, 20), (40, 5)])
@pytest.mark.parametrize(("name", "plan"), list(plans()), ids=lambda value: value if isinstance(value, str) else "")
def test_every_bet_on_every_question_keeps_it(name: str, plan: MetricPlan, n: int, m: int) -> None:
    # The past may have been anything: as planned, without an event, with nothing else.
    told = [worst(plan, n, m, base) for base in (plan.base, 0.0, 0.02, 0.5, 1.0)]
    assert max(most for most, _ in told) <= 1 + 1e-9, name
    assert max(most for most, _ in told) > 0.99  # the grid touches the edge, where the promise is tight
    assert told[0][1] >= 3 * len(plan.questions)


def histories(plan: MetricPlan, size: int, looks: int) -> Iterator[tuple[Array, Array]]:
    """The evidence of harm and of safety after every history with `size` requests on both arms an interval."""
    buckets = len(COARSE) + 1
    for counts in product(product(range(size + 1), repeat=2), repeat=looks):
        process = MetricProcess(plan, COARSE, 0.01, 0.05, 0)
        for x, y in counts:
            stable, canary = (ArmCounts(size, events, (0,) * buckets, 1) for events in (y, x))
            process.feed(stable, canary, np.zeros((2, buckets)), 5.0)
        yield np.exp(process._harm.log_evidence()), np.exp(process._safety.log_evidence())


@pytest.mark.parametrize("phi", [1.0, 1.7])
def test_the_process_keeps_it_over_looks_whatever_the_stable_does(phi: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """All histories of two looks: bets that peeked at the interval they are settled on would win here."""
    monkeypatch.setattr("glidepath.judge.base.PRIOR_REQUESTS", 2.0)  # so that the past moves the bets
    plan = replace(metric(ERRORS, errors=0.2, edges=COARSE), phi=phi)
    size = 4
    told = np.array(list(histories(plan, size, 2)))
    for row, question in enumerate(plan.questions):
        for which, harm in ((0, True), (1, False)):
            each = chances(nulls(question, harm), size)
            value = told[:, which, row].reshape(each.shape[1], -1)
            assert float((each @ value @ each.T).max()) <= 1 + 1e-9


def chances(truths: tuple[Array, Array], size: int) -> Array:
    """The probabilities of an interval's counts, in the order of `histories`: a row per truth."""
    canary, stable = (binom.pmf(np.arange(size + 1), size, p[:, None]) for p in truths)
    return np.asarray((canary[:, :, None] * stable[:, None, :]).reshape(len(canary), -1))


def test_a_bet_that_cannot_be_made_gains_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = metric(ERRORS, errors=0.2, edges=COARSE)
    whole = Bets.at
    monkeypatch.setattr(
        Bets, "at", lambda self, base: (*whole(self, base)[:2], np.zeros(whole(self, base)[2].shape, bool))
    )
    process = MetricProcess(plan, COARSE, 0.01, 0.05, 0)
    none = (0,) * (len(COARSE) + 1)
    for _ in range(20):
        process.feed(ArmCounts(100, 20, none, 1), ArmCounts(100, 90, none, 1), np.zeros((2, len(none))), 5.0)
    assert (process.look().harm_e, process.look().safety_e) == (pytest.approx(1.0), pytest.approx(1.0))
