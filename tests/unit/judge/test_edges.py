"""A quantile at several edges: harm by their mean, safety by the weakest, nulls that follow the stable version."""

from __future__ import annotations

import math

import numpy as np
import pytest

from bench.judges.world import STOCK, TAILED, Shape
from glidepath.judge import ArmCounts, Interval, Judge, Look, Plan, StepSettings, Verdict, plan_judgement
from glidepath.judge.bets import Bets
from glidepath.judge.edges import Edges, Null, Nulls
from glidepath.judge.evalue import Array, log_e
from glidepath.judge.survival import nulls
from tests.unit.judge.traffic import EDGES, LATENCY, pair, planned, settings

PROMETHEUS = STOCK["Prometheus"]
HALF = (StepSettings(50, 60, 100),)


def exact(shape: Shape, edges: tuple[float, ...], requests: int, slower: float = 1.0, tail: float = 1.0) -> ArmCounts:
    """Counts without chance, all successful."""
    buckets = np.floor(
        np.diff(np.cumsum([0.0, *(requests * shape.buckets(np.array(edges), np.array([slower]), tail)[0])]).round())
    )
    return ArmCounts(int(buckets.sum()), 0, tuple(int(one) for one in buckets), 2)


def plan(shape: Shape = Shape(), edges: tuple[float, ...] = PROMETHEUS, quantile: float = 0.95) -> Plan:
    """A plan of latency alone."""
    asked = settings(HALF, metrics=(LATENCY.__class__("latency", "latency", "critical", 1.10, quantile=quantile),))
    return plan_judgement(asked, exact(shape, edges, 60_000), 600, edges, 100.0)


def process(made: Plan) -> Edges:
    """Its process."""
    return Edges(made.metrics[0], made.edges, 0.01, 0.05, 0)


def below(*arms: ArmCounts) -> Array:
    """Cumulative counts, stable first."""
    return np.array([np.cumsum(one.latency, dtype=np.float64) for one in arms])


def fed(judged: Edges, stable: ArmCounts, canary: ArmCounts, looks: int) -> Edges:
    """After so many equal intervals."""
    for _ in range(looks):
        judged.feed(stable, canary, below(stable, canary), 5.0)
    return judged


def test_harm_is_the_weighted_mean_of_the_edges_and_safety_the_weakest() -> None:
    made = plan(edges=EDGES)
    judged = fed(process(made), exact(Shape(), EDGES, 250), exact(Shape(), EDGES, 250, slower=1.2), 30)
    look, parts = judged.look(), made.metrics[0].parts
    every = [one.evidence() for one in judged._parts]
    row = made.metrics[0].harm
    mean = sum(part.weight * math.exp(harm[row]) for part, (harm, _) in zip(parts, every, strict=True))
    assert look.harm_e == pytest.approx(mean)
    assert len({round(float(harm[row]), 3) for harm, _ in every}) == 3
    good = fed(process(made), exact(Shape(), EDGES, 250), exact(Shape(), EDGES, 250), 8)
    safeties = [
        math.exp(one.evidence()[1][row]) for one, part in zip(good._parts, parts, strict=True) if part.safety >= 0
    ]
    assert good.look().safety_e == pytest.approx(min(safeties))
    assert min(safeties) < max(safeties)


@pytest.mark.parametrize(("slower", "verdict"), [(1.0, Verdict.PASS), (1.3, Verdict.FAIL), (2.0, Verdict.FAIL)])
def test_on_stock_buckets_good_is_promoted_and_slow_taken_back(slower: float, verdict: Verdict) -> None:
    judge = Judge(plan())
    for number in range(200):
        stable, canary = exact(Shape(), PROMETHEUS, 250), exact(Shape(), PROMETHEUS, 250, slower=slower)
        look = judge.look(Interval(5.0 * number, 5.0 * number + 5, 50, stable, canary, 1))
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            break
    assert look.verdict is verdict
    (metric,) = look.metrics
    assert metric.low is None or metric.low <= slower * 1.05
    assert metric.high is None or metric.high >= slower / 1.05


@pytest.mark.parametrize(
    ("slower", "tail", "verdict"), [(1.0, 1.0, Verdict.PASS), (1.2, 1.0, Verdict.FAIL), (1.0, 1.8, Verdict.FAIL)]
)
def test_between_edges_that_are_far_from_the_quantile_body_and_tail_are_seen(
    slower: float, tail: float, verdict: Verdict
) -> None:
    narrow = Shape(((0.9, 0.05, 0.25), (0.1, 0.05, 0.25)))
    made = plan(narrow)
    assert made.metrics[0].note
    judge = Judge(made)
    for number in range(400):
        stable, canary = exact(narrow, PROMETHEUS, 2000), exact(narrow, PROMETHEUS, 2000, slower, tail)
        look = judge.look(Interval(5.0 * number, 5.0 * number + 5, 50, stable, canary, 1))
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            break
    assert look.verdict is verdict


def test_what_is_slower_in_the_tail_alone_is_not_proven_safe() -> None:
    made = plan(TAILED, quantile=0.99)
    judged = fed(process(made), exact(TAILED, PROMETHEUS, 2000), exact(TAILED, PROMETHEUS, 2000, tail=4.0), 60)
    look = judged.look()
    assert look.harm_e >= look.harm_threshold
    assert not look.proven_safe


def at(null: Null, row: int, share: float) -> float:
    """The canary's share on a null, beside the stable's."""
    return float(null.slopes[row, 0] * share + null.margins[row, 0])


def test_the_null_follows_the_stable_versions_latency() -> None:
    made = plan(edges=EDGES)
    metric = made.metrics[0]
    following = Nulls(metric, made.edges)
    before = following.now()
    for null, part in zip(before, metric.parts, strict=True):
        question = part.questions[part.harm]
        assert at(null, part.harm, part.base) == pytest.approx(question.slope * part.base + question.margin, rel=1e-3)
    drifted = exact(Shape(), EDGES, 500, slower=1.4)
    for _ in range(600):
        following.see(below(drifted)[0], 5.0)
    slower = np.array([1.4])
    for part, had, has in zip(metric.parts, before, following.now(), strict=True):
        there, truth = (
            float(1 - Shape().below(np.array([edge]), slower)[0, 0])
            for edge in (EDGES[part.edge], EDGES[part.edge] / 1.1)
        )
        off = abs(at(has, part.harm, there) / truth - 1)
        assert off < 0.05
        assert off < abs(at(had, part.harm, there) / truth - 1)


def test_a_share_of_nothing_has_odds_all_the_same() -> None:
    made = plan()
    following = Nulls(made.metrics[0], made.edges)
    nothing = np.zeros(len(PROMETHEUS) + 1)
    following.see(nothing, 5.0)
    quick = np.full(len(PROMETHEUS) + 1, 1e9)
    following.see(quick, 5.0)
    for margins, slopes, _ in following.now():
        assert np.isfinite(margins).all()
        assert (slopes > 0).all()


def test_each_interval_is_asked_with_the_null_of_those_before_it() -> None:
    judged = process(plan(edges=EDGES))
    slow = exact(Shape(), EDGES, 500, slower=1.6)
    fed(judged, slow, slow, 600)
    for one in (one for one in judged._parts if one.plan.safety >= 0):
        margin, slope, _, stable = one.comparable()
        there, truth = (
            float(1 - Shape().below(np.array([edge]), np.array([1.6]))[0, 0])
            for edge in (EDGES[one.plan.edge], EDGES[one.plan.edge] / 1.1)
        )
        assert stable == pytest.approx(there, rel=0.03)
        assert margin + slope * there == pytest.approx(truth, rel=0.01)


def test_a_version_at_the_tolerance_is_neither_proven_harmful_nor_safe_while_the_service_drifts() -> None:
    for towards in (1.5, 1 / 1.5):
        judged = process(plan(edges=EDGES))
        for number in range(700):
            slower = towards ** min(1.0, number / 500)
            stable, canary = (exact(Shape(), EDGES, 250, slower=by) for by in (slower, 1.10 * slower))
            judged.feed(stable, canary, below(stable, canary), 5.0)
            look = judged.look()
            assert look.harm_e < look.harm_threshold
        assert not look.proven_safe


# A cache's hits and misses; and one hump.
@pytest.mark.parametrize("law", [Shape(((0.8, 0.012, 0.12), (0.2, 0.11, 0.12))), Shape(((1.0, 0.05, 0.5),))])
@pytest.mark.parametrize("jump", [1.5, 3.0, 10.0])
def test_a_canary_as_stable_is_not_taken_back_when_both_become_slow_at_once(law: Shape, jump: float) -> None:
    judge = Judge(plan(law))
    for number in range(120):
        both = exact(law, PROMETHEUS, 250, slower=1.0 if number < 10 else jump)
        look = judge.look(Interval(5.0 * number, 5.0 * number + 5, 50, both, both, 1))
        assert look.verdict is not Verdict.FAIL
    assert np.isfinite([look.metrics[0].harm_e, look.metrics[0].safety_e]).all()


LAWS = (Shape(((1.0, 0.05, 0.5),)), Shape(((1.0, 0.05, 0.25),)), Shape(((0.8, 0.012, 0.12), (0.2, 0.11, 0.12))))


def judged_after_a_jump(made: Plan, law: Shape, slower: float, jump: float) -> Verdict:
    """The verdict on a canary so much slower, both of them so much slower from the third look on, after half an hour at most."""
    return last_after_a_jump(made, law, slower, jump).verdict


def last_after_a_jump(made: Plan, law: Shape, slower: float, jump: float) -> Look:
    """The last look of it."""
    judge = Judge(made)
    for number in range(360):
        now = 1.0 if number < 2 else jump
        arms = (exact(law, made.edges, 250, slower=now * by) for by in (1.0, slower))
        look = judge.look(Interval(5.0 * number, 5.0 * number + 5, 50, *arms, 1))
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            break
    return look


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("edges", [PROMETHEUS, EDGES])
@pytest.mark.parametrize(("jump", "slower"), [(0.3, 1.3), (10.0, 1.12), (3.0, 1.15)])
def test_a_slower_canary_is_not_promoted_where_the_edges_that_are_asked_no_longer_tell_of_the_latency(
    law: Shape, edges: tuple[float, ...], jump: float, slower: float
) -> None:
    assert judged_after_a_jump(plan(law, edges), law, slower, jump) is not Verdict.PASS


@pytest.mark.parametrize("jump", [0.8, 1.0, 1.25])
def test_a_canary_as_stable_is_promoted_where_they_do(jump: float) -> None:
    assert judged_after_a_jump(plan(), Shape(), 1.0, jump) is Verdict.PASS


@pytest.mark.parametrize("jump", [0.3, 10.0])
def test_edges_that_the_latency_has_left_behind_are_named(jump: float) -> None:
    look = last_after_a_jump(plan(), Shape(), 1.0, jump)
    assert (look.verdict, look.reason) == (Verdict.UNDECIDED, "resolution_limited")
    assert "were when the release was planned" in look.metrics[0].note


def test_the_lines_to_the_corners_cost_no_evidence_while_the_latency_is_as_it_was() -> None:
    judged = fed(process(plan()), exact(Shape(), PROMETHEUS, 250), exact(Shape(), PROMETHEUS, 250), 20)
    for one, others in zip(judged._parts, judged._corners, strict=True):
        assert len(others) == (2 if one.plan.safety >= 0 else 0)
        for other in others:
            assert other.evidence()[1][0] >= one.evidence()[1][one.plan.safety]


def test_a_plan_without_those_lines_is_judged_as_it_was_planned() -> None:
    told = plan().to_dict()
    for metric in told["metrics"]:
        for part in metric["parts"]:
            del part["corners"]
    older = Plan.from_dict(told)
    assert not any(part.corners for part in older.metrics[0].parts)
    assert Edges(older.metrics[0], older.edges, 0.01, 0.05, 0)._corners == [()] * len(older.metrics[0].parts)


@pytest.mark.parametrize("share", [1e-12, 1e-6, 0.05, 0.5, 0.95, 1.0 - 1e-9])
@pytest.mark.parametrize("steep", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("falls", [0.0, -1e-9, -2.0])
def test_what_is_bet_on_is_a_probability_whatever_the_null_and_the_past(
    share: float, steep: float, falls: float
) -> None:
    part = plan().metrics[0].parts[0]
    odds = share / (1 - share) * np.array([row.value for row in part.questions]) ** steep
    slower = np.clip(odds / (1 + odds), 1e-15, 1 - 1e-15)
    bets = Bets(part)
    bets.follow(*(one[:, None] for one in nulls(np.array(share), np.array(falls), slower, -slower)))
    for base in (1e-9, 0.05, 0.5, 0.95, 1.0 - 1e-9):
        canary, stable, _ = bets.at(base)
        assert ((canary > 0) & (canary < 1)).all()
        assert (bets.null(stable) < 1).all()
        for events in (0.0, 0.5, 1.0):
            told = log_e(5e5, 5e6, 5e5 * events, 5e6 * base, bets.margins, canary, stable, bets.slopes)
            assert np.isfinite(told).all()


def test_a_plan_of_an_older_glidepath_is_judged_as_it_was_planned() -> None:
    old = pair(planned())
    assert Plan.from_dict(old.to_dict()) == old
    for slower, verdict in ((1.0, Verdict.PASS), (1.3, Verdict.FAIL)):
        judge = Judge(old)
        for number in range(400):
            law, step = Shape(((1.0, 0.05, 0.25),)), 1 + min(2, number // 20)
            arms = [exact(law, EDGES, 250), exact(law, EDGES, 250, slower=slower)]
            look = judge.look(Interval(5.0 * number, 5.0 * number + 5, (5, 25, 50)[step - 1], *arms, step))
            if look.verdict in (Verdict.PASS, Verdict.FAIL):
                break
        assert look.verdict is verdict
