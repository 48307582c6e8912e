"""What is fixed at plan time: margins, edges, and honest words about what can't be done."""

from __future__ import annotations

import numpy as np
import pytest

from glidepath.judge import ArmCounts, StepSettings, plan_judgement
from glidepath.judge.expectations import duration
from tests.unit.judge.traffic import EDGES, arm, planned, settings


def test_margins_are_the_larger_of_tolerance_and_floor() -> None:
    few, many = (
        plan_judgement(settings(), ArmCounts(100_000, errors, (0,) * 20 + (100_000 - errors,) + (0,) * (len(EDGES) - 20)),
                       600, EDGES, 100.0).metrics[0]
        for errors in (50, 8000)
    )  # fmt: skip
    assert (few.limit, few.safe_limit) == pytest.approx((0.0005, 0.002))
    assert (many.limit, many.safe_limit) == pytest.approx((0.008, 0.008), rel=1e-3)


def test_a_quantile_beyond_the_last_edge_is_saturated() -> None:
    baseline = ArmCounts(1000, 0, (0, 100, 900))
    plan = plan_judgement(settings(), baseline, 600, (0.01, 0.02), 100.0)
    assert "beyond the last edge" in plan.metrics[1].note
    assert (plan.metrics[1].harm, plan.metrics[1].safety) == (-1, -1)


def test_expectations_fit_the_study() -> None:
    times = {one.what: one.seconds for one in planned().feasibility.expectations}
    promoted, doubled, tenfold = (
        times[w] for w in ("a comparable version is promoted", "errors x2 taken back", "errors x10 taken back")
    )
    assert promoted is not None
    assert doubled is not None
    assert tenfold is not None
    assert 180 < promoted < 720
    assert 120 < doubled < 600
    assert 15 <= tenfold < 60


def test_a_deadline_that_cannot_be_met_is_said_beforehand() -> None:
    slow = planned(settings((StepSettings(5, 60, 1),), deadline_s=600.0), per_second=1.0)
    assert any(
        "max_duration is 10.0 min" in warning and "more traffic" in warning for warning in slow.feasibility.warnings
    )
    assert not planned().feasibility.warnings
    assert any("requests a second" in line for line in planned().feasibility.lines())


@pytest.mark.parametrize(
    ("baseline", "seconds", "edges"),
    [
        (ArmCounts(0, 0, (0, 0)), 600.0, (0.1,)),
        (ArmCounts(10, 0, (10, 0)), 0.0, (0.1,)),
        (ArmCounts(10, 0, (10, 0, 0)), 600.0, (0.1,)),
        (ArmCounts(10, 0, (10, 0, 0)), 600.0, (0.2, 0.1)),
    ],
)
def test_what_no_plan_can_be_made_from_is_refused(
    baseline: ArmCounts, seconds: float, edges: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        plan_judgement(settings(), baseline, seconds, edges, 1.0)


def test_no_error_at_all_is_no_certainty() -> None:
    baseline = arm(np.random.default_rng(1), 60_000, errors=0.0)
    assert plan_judgement(settings(), baseline, 600, EDGES, 100.0).metrics[0].base > 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (5, "5 s"),
        (300, "5.0 min"),
        (9000, "2.5 h"),
        (400_000, "4.6 days"),
        (None, "not within a month"),
        (1e12, "not within a month"),
    ],
)
def test_durations_read_well(seconds: float | None, words: str) -> None:
    assert duration(seconds) == words
