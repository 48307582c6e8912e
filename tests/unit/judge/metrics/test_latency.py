"""Which edges a quantile is asked about, and what that stands for."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from bench.judges.stock import planned as on_stock
from bench.judges.stock import stands_for
from bench.judges.world import STOCK, STOCK_SHAPES
from glidepath.judge import ArmCounts, Interval, Judge, StepSettings, plan_judgement
from glidepath.judge.plan import MetricPlan, Plan
from glidepath.judge.quantiles import quantile
from tests.unit.judge.traffic import EDGES, ERRORS, LATENCY, planned, settings

HALF = StepSettings(50, 60, 100)
PROMETHEUS = STOCK["Prometheus"]


def served(edges: tuple[float, ...], median_s: float = 0.05, sigma: float = 0.5, requests: int = 60_000) -> ArmCounts:
    """A stable version with lognormal latency."""
    seconds = median_s * np.exp(sigma * np.random.default_rng(1).standard_normal(requests))
    buckets = np.bincount(np.searchsorted(edges, seconds), minlength=len(edges) + 1)
    return ArmCounts(requests, 0, tuple(int(one) for one in buckets))


def latency(edges: tuple[float, ...], past: ArmCounts, tolerance: float = 1.10, quantile: float = 0.95) -> MetricPlan:
    """The plan of a quantile."""
    asked = settings(metrics=(ERRORS, replace(LATENCY, tolerance=tolerance, quantile=quantile)))
    return plan_judgement(asked, past, 600, edges, 100.0).metrics[1]


def test_on_aligned_edges_the_tolerance_is_exact() -> None:
    made = planned().metrics[1]
    assert (made.note, made.bracket) == ("", None)
    assert made.limit == made.safe_limit == 1.10
    assert 0.02 < made.base < 0.08


def test_asked_are_the_most_telling_edge_the_quantiles_own_and_one_beyond() -> None:
    best, own, beyond = latency(EDGES, served(EDGES)).parts
    assert 0.2 < best.base <= 0.3
    assert own.base == pytest.approx(0.05, rel=0.25)
    assert beyond.base == pytest.approx(0.05 / 3, rel=0.3)
    assert [one.safety >= 0 for one in (best, own, beyond)] == [True, True, False]
    assert sum(one.weight for one in (best, own, beyond)) == pytest.approx(1.0)
    assert best.weight > own.weight > beyond.weight


def test_one_edge_may_be_the_most_telling_and_the_quantiles_own() -> None:
    first, beyond = latency(PROMETHEUS, served(PROMETHEUS)).parts
    assert (PROMETHEUS[first.edge], first.weight, first.safety >= 0) == (0.1, 0.8, True)
    assert (PROMETHEUS[beyond.edge], beyond.weight, beyond.safety) == (0.25, 0.2, -1)


def test_rows_are_the_same_at_all_edges() -> None:
    made = latency(EDGES, served(EDGES), tolerance=1.37)
    values = {tuple(row.value for row in part.questions) for part in made.asked}
    assert values == {tuple(row.value for row in made.questions)}
    assert {part.questions[part.harm].value for part in made.parts} == {1.37}


@pytest.mark.parametrize("layout", sorted(STOCK))
@pytest.mark.parametrize("shape", sorted(STOCK_SHAPES))
def test_on_stock_buckets_ten_percent_stand_for_six_to_eleven(layout: str, shape: str) -> None:
    made = on_stock(STOCK_SHAPES[shape], STOCK[layout])
    assert made.parts
    for part in made.parts:
        if part.safety >= 0:
            assert 1.055 < stands_for(STOCK_SHAPES[shape], STOCK[layout], part) < 1.11
    least, most = made.bracket or (1.1, 1.1)
    assert least <= 1.1
    assert most is None or most >= 1.1


def test_what_is_interpolated_is_said_with_what_the_edges_prove() -> None:
    asked = settings(metrics=(ERRORS, LATENCY))
    lines = list(plan_judgement(asked, served(PROMETHEUS), 600, PROMETHEUS, 100.0).feasibility.lines())
    assert any("interpolated: the edges alone prove x1 to x2" in line for line in lines)
    below_the_first = plan_judgement(asked, served(PROMETHEUS, 0.0024), 600, PROMETHEUS, 100.0).feasibility.lines()
    assert any("interpolated: the edges alone prove x1 to any more" in line for line in below_the_first)
    assert not any("interpolated" in line for line in planned().feasibility.lines())


@pytest.mark.parametrize(("median_s", "sigma"), [(0.0005, 0.5), (0.018, 0.1)])
def test_a_quantile_that_no_edge_tells_of_is_said_with_what_can_be_asked(median_s: float, sigma: float) -> None:
    edges = (0.005, 0.01, 0.025, 20.0)
    made = latency(edges, served(edges, median_s, sigma))
    assert (made.harm, made.safety, made.parts) == (-1, -1, ())
    assert made.note.startswith("resolution_limited: no latency bucket has its edge near the stable's 0.95 quantile")
    found = re.search(r"threshold: ([\d.]+)ms", made.note)
    assert found is not None
    assert float(found[1]) / 1000 in edges


def test_a_quantile_between_edges_that_are_far_from_it_is_asked_at_both() -> None:
    """A service whose latencies differ little, on stock buckets."""
    lower, upper = (made := latency(PROMETHEUS, served(PROMETHEUS, 0.05, 0.25))).parts
    assert [(PROMETHEUS[one.edge], one.safety >= 0) for one in (lower, upper)] == [(0.05, True), (0.1, True)]
    assert lower.weight + upper.weight == pytest.approx(1.0)
    assert made.note.startswith(
        "no latency bucket has its edge near the stable's 0.95 quantile: judged at those around it, 0.05 s"
    )
    assert made.bracket == pytest.approx((1.0, 2.0))


def test_where_nobody_is_known_to_be_slower_than_the_upper_edge_safety_is_not_asked_there() -> None:
    lower, upper = latency(PROMETHEUS, served(PROMETHEUS, 0.05, 0.1)).parts
    assert (lower.safety >= 0, upper.safety) == (True, -1)
    assert upper.harm >= 0


def test_a_flat_stretch_of_the_law_tells_nothing_and_is_not_asked_about() -> None:
    edges = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
    # Nobody between 0.1 and 0.4 s: there no version seems slower.
    past = ArmCounts(10_000, 0, (5000, 4300, 0, 0, 500, 150, 50))
    made = latency(edges, past)
    assert made.parts
    assert all(
        part.questions[part.harm].slope * part.base + part.questions[part.harm].margin > 1.01 * part.base
        for part in made.parts
        if part.safety >= 0
    )


def test_a_plan_comes_back_from_json_with_its_parts() -> None:
    plan = plan_judgement(settings(metrics=(ERRORS, LATENCY)), served(PROMETHEUS), 600, PROMETHEUS, 100.0)
    assert Plan.from_dict(plan.to_dict()) == plan
    assert plan.metrics[1].asked == plan.metrics[1].parts
    assert plan.metrics[0].asked == (plan.metrics[0],)


@pytest.mark.parametrize("median_s", [0.001, 0.003, 0.006, 0.05])
def test_an_edge_at_nothing_as_opentelemetrys_sdks_have_it_changes_nothing(median_s: float) -> None:
    edges = (0.0, *STOCK["OpenTelemetry"])
    without, made = (latency(one, served(one, median_s)) for one in (edges[1:], edges))
    assert [(one.edge - 1, one.weight, one.base, one.limit) for one in made.parts] == [
        (one.edge, one.weight, one.base, one.limit) for one in without.parts
    ]
    assert (made.note, made.shares, made.bracket) == (without.note, without.shares, without.bracket)
    judge = Judge(plan_judgement(settings((HALF,)), served(edges, median_s), 600, edges, 100.0))
    for number in range(10):
        arms = [served(edges, median_s, requests=200) for _ in range(2)]
        look = judge.look(Interval(5.0 * number, 5.0 * number + 5, 50, *arms, 1))
    (told,) = (one for one in look.metrics if one.unit == "ratio")
    assert told.estimate_stable is not None


def test_an_edge_at_nothing_is_no_quantile() -> None:
    assert quantile((5, 0, 0), (0.0, 0.1), 0.5) is None
    assert quantile((1, 99, 0), (0.0, 0.1), 0.5) == quantile((1, 99, 0), (-1.0, 0.1), 0.5)
