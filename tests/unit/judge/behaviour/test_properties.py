"""What holds for any counts: symmetries of the e-value, and a verdict that never contradicts its interval."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.optimize import brentq  # type: ignore[import-untyped]

from glidepath.judge import (
    ArmCounts,
    Interval,
    Judge,
    Look,
    MetricLook,
    MetricSettings,
    Plan,
    StepSettings,
    Verdict,
    plan_judgement,
)
from glidepath.judge.bounds import bounds
from glidepath.judge.evalue import Mask, log_e
from glidepath.judge.moods import Mood
from tests.unit.judge.traffic import EDGES, ERRORS, LATENCY, settings

STEPS = (StepSettings(25, 10, 10), StepSettings(50, 10, 10))
SPAM = MetricSettings("spam", "share", "critical", 0.0, 0.05, 0.05, sides="both", counted="spam")
probabilities = st.floats(0.001, 0.9)
margins = st.floats(-0.3, 0.3)


def one(n: float, m: float, x: float, y: float, d: float, c: float, s: float) -> float:
    """One e-value's logarithm."""
    return float(log_e(n, m, x, y, np.array(d), np.array(c), np.array(s)))


def exact(n: int, m: int, x: int, y: int, d: float, c: float, s: float) -> float:
    """The same with the point of the null's edge that is closest to the bet found by bisection."""

    def slope(p: float) -> float:
        return n * (c - p - d) / ((p + d) * (1 - p - d)) + m * (s - p) / (p * (1 - p))

    low, high = sorted((s, c - d))
    low, high = max(low, -d + 1e-12, 1e-12), min(high, 1 - d - 1e-12, 1 - 1e-12)
    ps = float(brentq(slope, low, high, xtol=1e-15)) if low < high and slope(low) > 0 > slope(high) else s
    pc = ps + d
    canary = x * np.log(c / pc) + (n - x) * np.log((1 - c) / (1 - pc))
    return float(canary + y * np.log(s / ps) + (m - y) * np.log((1 - s) / (1 - ps)))


class TestEvalue:
    @given(st.integers(1, 10**4), st.integers(1, 10**4), probabilities, probabilities, margins, st.data())
    def test_events_or_their_complement(
        self, n: int, m: int, c: float, s: float, d: float, data: st.DataObject
    ) -> None:
        """And both are what bisection says: exactly, or too little where a bet is far off and its point was not reached."""
        if not 0.001 < s + d < 0.999:
            return
        x, y = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
        direct, other = one(n, m, x, y, d, c, s), one(n, m, n - x, m - y, -d, 1 - c, 1 - s)
        right = exact(n, m, x, y, d, c, s)
        assert max(direct, other) <= right + 1e-6 * (n + m)
        if abs(s + d - c) < 0.2:
            assert direct == pytest.approx(other, rel=1e-6, abs=1e-6 * (n + m))
            assert direct == pytest.approx(right, rel=1e-6, abs=1e-6 * (n + m))

    @given(st.integers(1, 10**4), st.integers(1, 10**4), probabilities, probabilities, margins, st.integers(2, 1000))
    def test_a_thousand_times_the_requests_are_a_thousand_times_the_evidence(
        self, n: int, m: int, c: float, s: float, d: float, times: int
    ) -> None:
        if not 0.001 < s + d < 0.999:
            return
        x, y = n // 3, m // 5
        many = one(times * n, times * m, times * x, times * y, d, c, s)
        assert many == pytest.approx(times * one(n, m, x, y, d, c, s), rel=1e-6, abs=1e-6 * times * (n + m))


def arm(requests: int, failed: float, slow: float, spam: float, edges: tuple[float, ...] = EDGES) -> ArmCounts:
    """Counts with such shares of errors, of slow answers, of spam; slow is four times the usual."""
    errors = round(requests * failed)
    served = requests - errors
    late = round(served * slow)
    buckets = [0] * (len(edges) + 1)
    usual, long = np.searchsorted(edges, (0.05, 0.2))
    buckets[usual] += served - late
    buckets[long] += late
    return ArmCounts(requests, errors, tuple(buckets), 1, shares={"spam": (round(served * spam), served)})


@cache
def planned(edges: tuple[float, ...] = EDGES) -> Plan:
    """All kinds of metrics at once; what is slow is 5 %."""
    asked = settings(STEPS, metrics=(ERRORS, LATENCY, replace(LATENCY, name="latency_p99", quantile=0.99), SPAM))
    past = arm(60_000, 0.005, 0.05, 0.3, edges)
    return plan_judgement(asked, past, 600, edges, 100.0)


@st.composite
def histories(draw: st.DrawFn) -> list[Interval]:
    """A release: a stable version that is about as planned, a canary that may be anything, and may change."""
    told, at = [], 0.0
    for step, weight in enumerate((25, 50), 1):
        seconds = draw(st.sampled_from([5.0, 60.0]))
        stable = arm(draw(st.sampled_from([0, 300, 20_000])), 0.005, 0.05, 0.3)
        shares = (st.sampled_from(each) for each in ((0.0, 0.005, 0.02, 1.0), (0.0, 0.05, 0.3), (0.0, 0.3, 0.5)))
        canary = arm(draw(st.sampled_from([0, 100, 20_000])), *(draw(each) for each in shares))
        for _ in range(draw(st.integers(1, 40))):
            told.append(Interval(at, at + seconds, weight, stable, canary, step))
            at += seconds
    return told


def agrees(one: MetricLook) -> None:
    """A metric's evidence and its interval say the same.

    Of a share with two sides, the interval may be the quicker one: that it is *not more* by the margin is told on the
    side where that is safety, which takes less evidence.
    """
    bounds = (
        [(one.low, one.high)] if one.sides == "above" else [(one.low, one.high), (_minus(one.high), _minus(one.low))]
    )
    harmful = one.harm_e >= one.harm_threshold
    beyond = any(low is not None and low >= one.limit for low, _ in bounds)
    assert beyond if harmful else (not beyond or one.sides == "both"), one
    if one.low is not None and one.high is not None:
        assert one.low < one.high, one
    if one.proven_safe and not harmful:
        assert all(high is not None and high <= one.safe_limit for _, high in bounds), one


def _minus(value: float | None) -> float | None:
    return None if value is None else -value


MOODY = tuple(
    replace(one, phi=6.0, moods=(Mood(0.3, 60.0, 0.5), Mood(0.65, 600.0, 0.5)), pods=4) for one in planned().metrics
)


@given(histories(), st.booleans())
@hypothesis_settings(max_examples=200, deadline=None)
def test_verdicts_never_contradict_their_intervals(told: list[Interval], moods: bool) -> None:
    judge = Judge(replace(planned(), metrics=MOODY) if moods else planned())
    for interval in told:
        look = judge.look(interval)
        for metric in look.metrics:
            agrees(metric)
        if look.verdict is Verdict.FAIL and look.reason == "harm_proven":
            assert _of(look).harm_e >= _of(look).harm_threshold
        if look.verdict is Verdict.PASS:
            assert all(metric.proven_safe and metric.harm_e < 5 for metric in look.metrics)
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            return


def _of(look: Look) -> MetricLook:
    """The metric that decided."""
    return next(metric for metric in look.metrics if metric.name == look.deciding)


def test_a_bound_ends_the_unbroken_run_of_refuted_nulls_and_the_verdicts_null_counts_in_any_case() -> None:
    plan = planned().metrics[0]
    values = [one.value for one in plan.questions]
    rows = np.arange(len(values))
    none = rows < 0

    def told(worse: Mask, better: Mask) -> tuple[float | None, float | None]:
        return bounds(plan, -1, worse, better, moody=False)

    assert told(none, none) == (None, None)
    assert told(rows < 3, rows >= len(rows) - 2) == (values[2], values[-2])
    assert told((rows < 3) | (rows == 5), none) == (values[2], None)
    assert told(rows == plan.harm, none) == (values[plan.harm], None)
    assert told(none, rows == plan.safety) == (None, values[plan.safety])
    # An effect that changed: proven harm is told, else the present weight's safety.
    assert told(rows <= plan.harm, rows >= 2) == (values[plan.harm], None)
    assert told(rows < 4, rows >= 2) == (None, values[2])


@given(st.permutations(range(6)))
@hypothesis_settings(deadline=None)
def test_estimates_do_not_depend_on_the_order_of_a_steps_intervals(order: list[int]) -> None:
    rows = [(arm(300 + 10 * number, 0.01, 0.05, 0.3), arm(90 + number, 0.02, 0.1, 0.2)) for number in range(6)]
    found = []
    for which in (range(6), order):
        judge = Judge(planned())
        for place, number in enumerate(which):
            look = judge.look(Interval(5.0 * place, 5.0 * place + 5, 25, *rows[number]))
        found.append([(one.estimate_stable, one.estimate_canary, one.effect) for one in look.metrics])
    assert found[0] == found[1]


@pytest.mark.parametrize("edges", [(), (1.0,)])
def test_a_histogram_of_one_or_two_buckets_proves_nothing_and_breaks_nothing(edges: tuple[float, ...]) -> None:
    counts = ArmCounts(2000, 10, (*(1990,), *([0] * len(edges))), 1, shares={"spam": (597, 1990)})
    judge = Judge(plan_judgement(planned().settings, counts, 600, edges, 100.0))
    for number in range(200):
        look = judge.look(Interval(5.0 * number, 5.0 * number + 5, 50, counts, counts))
    assert (look.verdict, look.reason) == (Verdict.UNDECIDED, "resolution_limited")
    assert [one.proven_safe for one in look.metrics] == [True, False, False, True]
