"""The share of requests that are slower than a threshold."""

from __future__ import annotations

import numpy as np
import pytest

from glidepath.judge import ArmCounts, Interval, Judge, MetricSettings, StepSettings, Verdict, plan_judgement
from glidepath.judge.metrics import kind_of
from tests.unit.judge.traffic import settings

# Prometheus' own buckets, and what a service of 60,000 requests may have in them.
EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ASKED = MetricSettings("slow_250ms", "slow", "critical", 0.0, 0.01, 0.02, threshold=0.25)


def served(random: np.random.Generator, requests: int, slow: float) -> ArmCounts:
    """Requests of which a share takes longer than 250 ms, most of those up to 500 ms."""
    late = int(random.binomial(requests, slow))
    later = late // 5
    return ArmCounts(requests, 0, (0, 0, 0, requests - late, 0, 0, late - later, later, 0, 0, 0, 0))


def test_margins_are_points_at_the_threshold() -> None:
    plan = kind_of(ASKED).planned(ASKED, served(np.random.default_rng(1), 60_000, 0.04), EDGES)
    assert (plan.edge, EDGES[plan.edge]) == (5, 0.25)
    assert plan.base == pytest.approx(0.04, abs=0.002)
    assert (plan.limit, plan.safe_limit, plan.note) == (0.01, 0.02, "")
    assert {one.edge for one in plan.questions} == {5}
    assert plan.questions[plan.harm].margin == 0.01


@pytest.mark.parametrize("threshold", [0.2500001, 0.25, 0.2499999])
def test_an_edge_is_the_threshold_up_to_what_a_label_bears(threshold: float) -> None:
    asked = MetricSettings("slow", "slow", "critical", 0.0, 0.01, 0.02, threshold=threshold)
    assert kind_of(asked).planned(asked, served(np.random.default_rng(1), 60_000, 0.04), EDGES).edge == 5


def test_without_an_edge_there_the_nearest_are_named() -> None:
    asked = MetricSettings("slow", "slow", "critical", 0.0, 0.01, 0.02, threshold=0.3)
    plan = kind_of(asked).planned(asked, served(np.random.default_rng(1), 60_000, 0.04), EDGES)
    assert (plan.harm, plan.safety) == (-1, -1)
    assert plan.note == (
        "resolution_limited: no latency bucket has its edge at 0.3 s; there are edges at 0.1, 0.25, 0.5, 1 s: take one of these "
        "as the threshold, or configure the buckets"
    )


@pytest.mark.parametrize(
    ("slow", "verdict", "within_s"), [(0.04, Verdict.PASS, 300), (0.08, Verdict.FAIL, 120), (0.20, Verdict.FAIL, 25)]
)
def test_on_stock_buckets_it_decides(slow: float, verdict: Verdict, within_s: float) -> None:
    random = np.random.default_rng(7)
    past = served(random, 60_000, 0.04)
    judge = Judge(plan_judgement(settings((StepSettings(50, 30, 100),), metrics=(ASKED,)), past, 600, EDGES, 100.0))
    for number in range(200):
        start = 5.0 * number
        look = judge.look(Interval(start, start + 5, 50, served(random, 250, 0.04), served(random, 250, slow)))
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            break
    assert look.verdict is verdict
    assert look.at <= within_s
    [metric] = look.metrics
    assert (metric.unit, metric.limit) == ("points", 0.01)
    assert metric.estimate_canary == pytest.approx(slow, abs=0.05)
    if verdict is Verdict.FAIL:
        assert look.deciding == "slow_250ms"


def test_on_the_margin_it_is_taken_back_no_more_often_than_promised() -> None:
    back = 0
    for seed in range(60):
        random = np.random.default_rng(1000 + seed)
        past = served(random, 60_000, 0.04)
        judge = Judge(plan_judgement(settings((StepSettings(50, 30, 100),), metrics=(ASKED,)), past, 600, EDGES, 100.0))
        for number in range(120):
            start = 5.0 * number
            look = judge.look(Interval(start, start + 5, 50, served(random, 250, 0.04), served(random, 250, 0.05)))
        back += look.verdict is Verdict.FAIL
    assert back <= 2  # 60 times 1 % is 0.6; three or more come by chance in one of 44 such tests
