"""The mean latency: told, and never decided by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from glidepath.judge import ArmCounts, Interval, Judge, Look, MetricSettings, Plan, Stretch, Verdict, plan_judgement
from tests.unit.judge.traffic import EDGES, ERRORS, arm, settings

MEAN = MetricSettings("latency_mean", "mean", "advisory", 1.0, counted="latency_mean")


def served(random: np.random.Generator, requests: float, seconds: float = 0.05) -> ArmCounts:
    """An arm whose successful requests took so long on average."""
    made = arm(random, requests)
    good = made.requests - made.errors
    return replace(made, sums={"latency_mean": (round(1e6 * seconds * good), good)})


def planned(baseline: ArmCounts, *blocks: ArmCounts) -> Plan:
    by_pod = tuple({"a": block, "b": block} for block in blocks)
    return plan_judgement(settings(metrics=(ERRORS, MEAN)), baseline, 600, EDGES, 100.0, Stretch(by_pod))


def judged(slower: float, looks: int = 60) -> tuple[Look, Look]:
    """The last look at a canary whose requests take so many times as long, and the same without the metric."""
    random = np.random.default_rng(7)
    plan = planned(served(random, 60_000), *(served(random, 700) for _ in range(8)))
    without = plan_judgement(settings(metrics=(ERRORS,)), plan.baseline or served(random, 1), 600, EDGES, 100.0)
    judge, other = Judge(plan), Judge(without)
    for number in range(looks):
        stable, canary = served(random, 450), served(random, 50, 0.05 * slower)
        interval = Interval(5.0 * number, 5.0 * number + 5, 50, stable, canary, 3)
        last, beside = judge.look(interval), other.look(interval)
    return last, beside


@pytest.mark.parametrize("slower", [1.0, 1.2, 40.0])
def test_both_means_are_told_and_decide_nothing(slower: float) -> None:
    last, beside = judged(slower)
    told = last.metrics[1]
    assert (told.estimate_stable, told.estimate_canary) == (pytest.approx(0.05), pytest.approx(0.05 * slower))
    assert told.effect == pytest.approx(slower, rel=1e-4)
    assert (told.low, told.high, told.judged, told.proven_safe, told.role) == (None, None, False, False, "advisory")
    assert last.verdict is not Verdict.FAIL
    assert (last.verdict, last.reason, last.suspicious, last.may_advance) == (
        beside.verdict, beside.reason, beside.suspicious, beside.may_advance,
    )  # fmt: skip
    assert last.metrics[0] == beside.metrics[0]


def test_what_was_not_counted_is_named() -> None:
    plan = planned(arm(np.random.default_rng(1), 60_000))
    assert plan.metrics[1].note.startswith("not_counted: ")


def test_the_plan_promises_nothing_of_it() -> None:
    plan = planned(served(np.random.default_rng(1), 60_000))
    assert "latency_mean: told only; a mean has no bound" in "\n".join(plan.feasibility.lines())
    assert not any("latency_mean" in one.what for one in plan.feasibility.expectations)
    assert Plan.from_dict(plan.to_dict()) == plan


def test_pods_that_are_set_apart_are_left_out_of_its_sum() -> None:
    arm_ = ArmCounts(10, 0, (10,), sums={"m": (900, 10)}, apart=ArmCounts(4, 0, (4,), sums={"m": (700, 4)}))
    assert arm_.without_apart().sums == {"m": (200, 6)}
    assert arm_.plus(arm_).sums == {"m": (1800, 20)}
    with pytest.raises(ValueError, match="microseconds and requests of zero or more"):
        ArmCounts(10, 0, (10,), sums={"m": (-1, 10)})
