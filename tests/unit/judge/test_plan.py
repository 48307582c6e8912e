"""What is fixed at plan time: margins, edges, and honest words about what can't be done."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from glidepath.judge import ArmCounts, StepSettings, plan_judgement
from glidepath.judge.expectations import duration
from tests.unit.judge.traffic import EDGES, ERRORS, LATENCY, arm, planned, settings


def test_margins_are_the_larger_of_tolerance_and_floor() -> None:
    few, many = (
        plan_judgement(settings(), ArmCounts(100_000, errors, (0,) * 20 + (100_000 - errors,) + (0,) * (len(EDGES) - 20)),
                       600, EDGES, 100.0).metrics[0]
        for errors in (50, 8000)
    )  # fmt: skip
    assert (few.limit, few.safe_limit) == pytest.approx((0.0005, 0.002))
    assert (many.limit, many.safe_limit) == pytest.approx((0.008, 0.008), rel=1e-3)


def test_aligned_edges_are_found_and_the_tolerance_is_one() -> None:
    latency = planned().metrics[1]
    assert latency.note == ""
    assert latency.harm == latency.safety
    assert latency.limit == pytest.approx(1.10, rel=1e-4)
    assert 0.02 < latency.base < 0.08


@pytest.mark.parametrize("tolerance", [1.1, 2.0])
def test_on_fine_buckets_the_edges_next_to_the_tolerance_are_asked_about(tolerance: float) -> None:
    edges = tuple(0.01 * 1.021**step for step in range(180))
    random = np.random.default_rng(1)
    counts = np.bincount(np.searchsorted(edges, 0.05 * np.exp(0.25 * random.standard_normal(60_000))), minlength=181)
    baseline = ArmCounts(60_000, 0, tuple(int(count) for count in counts))
    asked = settings(metrics=(ERRORS, replace(LATENCY, tolerance=tolerance)))
    latency = plan_judgement(asked, baseline, 600, edges, 100.0).metrics[1]
    harm, safety = latency.questions[latency.harm], latency.questions[latency.safety]
    assert (harm.edge, safety.value < tolerance < harm.value) == (safety.edge + 1, True)


@pytest.mark.parametrize(
    "edges", [(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0), (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)]
)
def test_coarse_edges_are_said_with_those_to_configure(edges: tuple[float, ...]) -> None:
    random = np.random.default_rng(1)
    latency = 0.05 * np.exp(0.25 * random.standard_normal(60_000))
    counts = np.bincount(np.searchsorted(edges, latency), minlength=len(edges) + 1)
    baseline = ArmCounts(60_000, 0, tuple(int(count) for count in counts))
    plan = plan_judgement(settings(), baseline, 600, edges, 100.0)
    assert "resolution_limited" in plan.metrics[1].note
    assert any("configure edges spaced by 1.1" in warning for warning in plan.feasibility.warnings)
    offered = [float(one) for one in re.findall(r"tolerance of ([\d.]+)|or ([\d.]+),", plan.metrics[1].note)[0] if one]
    for tolerance in offered:
        asked = settings(metrics=(ERRORS, replace(LATENCY, tolerance=tolerance)))
        assert plan_judgement(asked, baseline, 600, edges, 100.0).metrics[1].note == ""


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
