"""Over-dispersion: seen where it is, not where it isn't, and what it does to the evidence."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from glidepath.judge import ArmCounts, Interval, Judge, Plan, Stretch, plan_judgement
from glidepath.judge.dispersion import _significant, dispersion, pearson
from tests.unit.judge.traffic import EDGES, ERRORS, LATENCY, arm, planned, settings

PODS = 4


def blocks(
    random: np.random.Generator, moods: NDArray[np.float64], requests: float = 375.0
) -> list[dict[str, ArmCounts]]:
    """Blocks of 15 s; `moods` multiply the error rate, shaped (blocks, pods)."""
    return [
        {f"pod-{pod}": arm(random, requests, min(1.0, 0.005 * float(mood))) for pod, mood in enumerate(row)}
        for row in moods
    ]


def test_equal_pods_cost_nothing() -> None:
    found = [
        dispersion(blocks(np.random.default_rng(seed), np.ones((120, PODS))), 15, ERRORS, -1).phi for seed in range(20)
    ]
    assert float(np.mean(np.array(found) > 1)) <= 0.10  # significant at 5 % in all scales together
    assert max(found) < 1.2


def test_what_hits_all_pods_at_once_is_no_dispersion() -> None:
    random = np.random.default_rng(1)
    shocks = np.repeat(random.choice([0.2, 1.0, 6.0], size=(120, 1)), PODS, axis=1)
    assert dispersion(blocks(random, shocks), 15, ERRORS, -1).phi < 1.2


@pytest.mark.parametrize(("scrapes", "least"), [(2, 1.5), (40, 4.0)])
def test_moods_of_pods_are_seen_at_their_own_time_scale(scrapes: int, least: float) -> None:
    random = np.random.default_rng(2)
    moods = np.repeat(np.exp(random.normal(0, 0.8, (120 // scrapes, PODS))), scrapes, axis=0)
    seen = dispersion(blocks(random, moods), 15, ERRORS, -1)
    assert seen.phi > least
    assert f"dispersion {seen.phi:.2f}, measured on 4 stable pods" in seen.told


def test_latency_has_moods_of_its_own() -> None:
    random, edge = np.random.default_rng(3), 28
    slow = [
        {f"pod-{pod}": arm(random, 375, slower=float(np.exp(random.normal(0, 0.2)))) for pod in range(PODS)}
        for _ in range(60)
    ]
    assert dispersion(slow, 15, LATENCY, edge).phi > 2
    assert dispersion(slow, 15, ERRORS, -1).phi < 1.2


def test_one_pod_or_no_event_measures_nothing() -> None:
    random = np.random.default_rng(4)
    one = [{"pod-0": arm(random, 375)} for _ in range(120)]
    assert dispersion(one, 15, ERRORS, -1).phi == 1.0
    assert "not measured: 1 stable pods" in dispersion(one, 15, ERRORS, -1).told
    quiet = [{f"pod-{pod}": arm(random, 50, errors=0.0) for pod in range(2)} for _ in range(120)]
    assert "not measured: too few events" in dispersion(quiet, 15, ERRORS, -1).told


@pytest.mark.parametrize("count", [0, 1, 5, 59])
def test_a_past_shorter_than_the_longest_scale_is_measured_on_the_others(count: int) -> None:
    few = blocks(np.random.default_rng(4), np.ones((count, PODS)))
    assert dispersion(few, 15, ERRORS, -1).phi < 3


def test_pearson_is_one_for_equal_pods_and_blind_to_block_rates() -> None:
    random = np.random.default_rng(5)
    requests = np.full((4000, 3), 200.0)
    rates = random.choice([0.02, 0.1], size=(4000, 1))
    ratio, freedom, inverse = pearson(requests, random.binomial(200, np.repeat(rates, 3, axis=1)).astype(float))
    assert freedom == 8000
    assert ratio == pytest.approx(1.0, abs=0.05)
    assert 1 / 20 < inverse < 1 / 3.5
    assert pearson(np.zeros((2, 2)), np.zeros((2, 2)))[1] == 0


class TestTemper:
    def test_the_plan_measures_it_and_keeps_it(self) -> None:
        random = np.random.default_rng(6)
        moods = np.exp(random.normal(0, 0.8, (120, PODS)))
        given = blocks(random, moods)
        plan = plan_judgement(settings(), arm(random, 180_000), 1800, EDGES, 100.0, Stretch(given))
        errors, latency = plan.metrics
        assert errors.phi > 1.3
        assert (errors.pods, sum(one.weight for one in errors.moods)) == (PODS, pytest.approx(1))
        assert errors.dispersion.endswith("at a time")
        lasting = blocks(random, np.repeat(np.exp(random.normal(0, 0.8, (6, PODS))), 40, axis=0))
        told = plan_judgement(settings(deadline_s=3600.0), arm(random, 180_000), 1800, EDGES, 100.0, Stretch(lasting))
        assert any("or more pods, for single ones differ" in one for one in told.feasibility.warnings)
        assert latency.phi == pytest.approx(1.0, abs=0.1)
        assert Plan.from_dict(json.loads(json.dumps(plan.to_dict()))) == plan
        expected, untold = (
            {one.what: one.seconds for one in p.feasibility.expectations}["errors x2 taken back"] or 0.0
            for p in (plan, planned())
        )
        assert expected > 1.2 * untold

    def test_without_counts_per_pod_it_says_so(self) -> None:
        assert [one.phi for one in planned().metrics] == [1.0, 1.0]
        assert planned().metrics[0].dispersion == "dispersion not measured: no counts per pod"

    def test_evidence_is_divided(self) -> None:
        plan = planned()
        dull = replace(plan, metrics=tuple(replace(one, phi=4.0) for one in plan.metrics))
        sharp, dulled = Judge(plan), Judge(dull)
        random = np.random.default_rng(7)
        for number in range(20):
            interval = Interval(5 * number, 5 * number + 5, 5, arm(random, 475), arm(random, 25, 0.03))
            first, second = sharp.look(interval), dulled.look(interval)
        assert first.metrics[0].harm_e > 20
        assert 1 < second.metrics[0].harm_e < first.metrics[0].harm_e ** 0.5


@pytest.mark.parametrize("groups", [1, 2, 5, 40])
def test_pods_that_are_alike_seldom_seem_to_differ_however_short_their_past_is(groups: int) -> None:
    rng, wrong, runs = np.random.default_rng(groups), 0, 4000
    for _ in range(runs):
        requests = np.full((groups, 2), 1500.0)
        events = rng.binomial(1500, 0.05, (groups, 2)).astype(float)
        factor = _significant(requests, events, scales=5)
        assert factor is not None
        wrong += factor > 1
    assert wrong / runs < 0.014  # 1 %, and what chance adds to it in so many
