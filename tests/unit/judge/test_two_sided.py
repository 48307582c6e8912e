"""Shares that may be off on either side: what is found, what is proven, and what an interval says of it."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from glidepath.judge import (
    ArmCounts,
    Interval,
    Judge,
    Look,
    MetricSettings,
    Plan,
    StepSettings,
    Verdict,
    plan_judgement,
)
from tests.unit.judge.traffic import EDGES, ERRORS, LATENCY, arm, settings

SPAM = MetricSettings("spam", "share", "critical", 0.0, 0.05, 0.05, sides="both", counted="spam")
ONE_STEP = (StepSettings(50, 30, 100),)


def spam(random: np.random.Generator, mean: float, share: float) -> ArmCounts:
    """One version's counts, with so large a share of its messages called spam."""
    counts = arm(random, mean)
    of = counts.requests - counts.errors
    return replace(counts, shares={"spam": (int(random.binomial(of, share)), of)})


@cache
def planned(
    metric: MetricSettings = SPAM,
    share: float = 0.3,
    beside: tuple[MetricSettings, ...] = (ERRORS, LATENCY),
    **changes: object,
) -> Plan:
    """A plan of ten minutes of the stable version with a share of spam."""
    asked = settings(ONE_STEP, metrics=(*beside, metric), **changes)
    return plan_judgement(asked, spam(np.random.default_rng(0), 60_000, share), 600, EDGES, 100.0)


def judged(plan: Plan, seed: int, stable: float, canary: float, most: int = 400) -> Look:
    """The last look at a canary at 50 %, a scrape every 5 s, until it is decided."""
    random, judge = np.random.default_rng(seed), Judge(plan)
    for number in range(most):
        interval = Interval(5 * number, 5 * number + 5, 50, spam(random, 250, stable), spam(random, 250, canary))
        look = judge.look(interval)
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            break
    return look


@pytest.mark.parametrize("canary", [0.0, 0.2, 0.45, 1.0])
def test_predictions_that_drift_either_way_are_harm_although_quick_and_without_errors(canary: float) -> None:
    ended = [judged(planned(), seed, 0.3, canary) for seed in range(5)]
    assert {(one.verdict, one.deciding) for one in ended} == {(Verdict.FAIL, "spam")}
    for one in ended:
        told = one.metrics[2]
        assert told.effect == pytest.approx(canary - 0.3, abs=0.08)
        assert told.low >= told.limit if canary > 0.3 else told.high <= -told.limit  # type: ignore[operator]


def test_the_model_that_says_ham_to_everything_is_found_within_three_scrapes() -> None:
    assert all(judged(planned(), seed, 0.3, 0.0).at <= 20 for seed in range(5))


def test_the_same_predictions_are_proven_comparable_on_both_sides() -> None:
    ended = [judged(planned(), seed, 0.3, 0.3) for seed in range(5)]
    assert {one.verdict for one in ended} == {Verdict.PASS}
    for one in ended:
        told = one.metrics[2]
        assert -told.safe_limit <= told.low < told.high <= told.safe_limit  # type: ignore[operator]


def test_both_sides_share_a_metrics_chance_of_a_false_rollback() -> None:
    both, above = (
        judged(planned(replace(SPAM, sides=sides)), 1, 0.3, 0.3, 1).metrics[2] for sides in ("both", "above")
    )
    assert (both.harm_threshold, above.harm_threshold) == (pytest.approx(600 / 0.99), pytest.approx(300 / 0.99))
    assert both.safety_threshold == above.safety_threshold == pytest.approx(20)


@pytest.mark.parametrize(("canary", "stable"), [(0.35, 0.3), (0.25, 0.3)])
def test_exactly_on_the_margin_is_hardly_ever_harm(canary: float, stable: float) -> None:
    plan = planned(beside=())  # alone it has the whole chance of a false rollback
    failed = sum(judged(plan, seed, stable, canary, 120).verdict is Verdict.FAIL for seed in range(40))
    assert failed <= 2  # 1 % is promised; more than 2 of 40 has probability below 0.01


def test_one_side_only() -> None:
    above, below = (planned(replace(SPAM, sides=side)) for side in ("above", "below"))
    assert judged(above, 1, 0.3, 0.1, 200).verdict is Verdict.PASS
    assert judged(below, 1, 0.3, 0.1, 200).verdict is Verdict.FAIL
    assert judged(below, 1, 0.3, 0.5, 200).verdict is Verdict.PASS


def test_an_advisory_metric_is_told_and_decides_nothing() -> None:
    plan = planned(replace(SPAM, role="advisory"))
    ended = judged(plan, 1, 0.3, 0.0)
    assert ended.verdict is Verdict.PASS
    assert ended.metrics[2].harm_e >= ended.metrics[2].harm_threshold
    # It takes no part of the chance of a false rollback either.
    assert ended.metrics[0].harm_threshold == pytest.approx(200 / 0.99)


def test_a_side_that_cannot_be_reached_is_left_out_and_said() -> None:
    plan = planned(share=0.03)
    told = plan.metrics[2]
    assert told.sides == ("above",)
    assert "below that, so it is not judged there" in told.note
    assert any("below that" in one for one in plan.feasibility.warnings)
    assert judged(plan, 1, 0.03, 0.03).verdict is Verdict.PASS


def test_a_share_of_nothing_proves_nothing() -> None:
    asked = settings(ONE_STEP, metrics=(ERRORS, LATENCY, SPAM))
    plan = plan_judgement(asked, arm(np.random.default_rng(0), 60_000), 600, EDGES, 100.0)
    assert "counted nothing" in plan.metrics[2].note
    assert judged(plan, 1, 0.3, 0.3, 60).verdict is Verdict.UNDECIDED


def test_errors_that_nobody_counted_are_no_even_chance() -> None:
    seen_by_callers = replace(ERRORS, name="errors_mesh", role="guard", counted="errors_mesh")
    asked = settings(ONE_STEP, metrics=(ERRORS, LATENCY, seen_by_callers))
    plan = plan_judgement(asked, arm(np.random.default_rng(0), 60_000), 600, EDGES, 100.0)
    assert "counted nothing" in plan.metrics[2].note
    assert judged(plan, 1, 0.3, 0.3).verdict is Verdict.PASS  # a guard need not be proven


def test_a_canary_that_counts_no_share_is_not_promoted() -> None:
    random, judge = np.random.default_rng(1), Judge(planned())
    for number in range(200):
        look = judge.look(Interval(5 * number, 5 * number + 5, 50, spam(random, 250, 0.3), arm(random, 250)))
    assert look.verdict is Verdict.UNDECIDED
    assert look.metrics[2].safety_e == pytest.approx(1.0)


def test_what_to_expect_is_told_for_both_sides() -> None:
    lines = list(planned().feasibility.lines())
    assert "spam: stable 30 %; harm beyond ±5 points, comparable within ±5 points" in lines
    assert sum("points more taken back" in one or "points less taken back" in one for one in lines) == 2


def test_a_plan_goes_through_json_to_the_same_looks() -> None:
    plan = planned()
    again = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again == plan
    assert judged(again, 3, 0.3, 0.34, 50) == judged(plan, 3, 0.3, 0.34, 50)


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(*[st.integers(0, 10**6)] * 4), min_size=1, max_size=6),
    st.sampled_from(["above", "below", "both"]),
)
def test_any_counts_give_numbers_and_an_interval_that_agrees(
    counts: list[tuple[int, int, int, int]], sides: str
) -> None:
    judge = Judge(planned(replace(SPAM, sides=sides)))
    empty = (0,) * (len(EDGES) + 1)
    for number, (a, b, c, d) in enumerate(counts):
        stable, canary = (
            ArmCounts(of, 0, empty, 1, shares={"spam": (events, of)})
            for events, of in ((min(a, b), max(a, b)), (min(c, d), max(c, d)))
        )
        look = judge.look(Interval(5 * number, 5 * number + 5, 50, stable, canary))
        told = look.metrics[2]
        assert np.isfinite([told.harm_e, told.safety_e]).all()
        if told.harm_e >= told.harm_threshold:
            beyond_above = told.low is not None and told.low >= told.limit * (1 - 1e-9)
            beyond_below = told.high is not None and told.high <= -told.limit * (1 - 1e-9)
            assert beyond_above or beyond_below
