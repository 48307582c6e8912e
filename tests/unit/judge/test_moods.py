"""Moods of pods: found in the stable's past, kept out of the evidence, and what that costs."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binom

from glidepath.judge import ArmCounts, Interval, Judge, Plan, StepSettings, Verdict
from glidepath.judge.dispersion import counted
from glidepath.judge.latent import MoodEvidence
from glidepath.judge.moods import MOST_PODS, Hidden, Mood, contrast, moods, slowed, spread_of, told
from tests.unit.judge.test_dispersion import blocks
from tests.unit.judge.traffic import ERRORS, arm, planned, settings

Array = NDArray[np.float64]
TEN_MINUTES = (Mood(0.45, 1000.0, 0.2), Mood(0.65, 300.0, 0.3), Mood(0.65, 1000.0, 0.4), Mood(0.9, 1000.0, 0.1))
PODS = (2, 4)


def drawn(random: np.random.Generator, sigma: float, lasts: int, count: int, pods: int = 4) -> Array:
    """Multiples of pods' error rates, redrawn every `lasts` blocks."""
    groups = -(-count // lasts)
    each = np.exp(random.normal(-(sigma**2) / 2, sigma, (groups, pods)))
    return np.asarray(np.repeat(each, lasts, axis=0)[:count])


def weighed(multiples: Array, block_s: float = 15.0, seed: int = 1) -> tuple[Mood, ...]:
    random = np.random.default_rng(seed)
    return moods([(*counted(blocks(random, multiples, 25 * block_s), ERRORS, -1), block_s)])


class TestWeighing:
    @pytest.mark.parametrize(("sigma", "lasts"), [(0.7, 2), (0.7, 40), (0.3, 40)])
    def test_what_there_is_is_found(self, sigma: float, lasts: int) -> None:
        found = weighed(drawn(np.random.default_rng(3), sigma, lasts, 720))
        weights = np.array([one.weight for one in found])
        assert weights.sum() == pytest.approx(1)
        assert weights @ np.array([one.sigma for one in found]) == pytest.approx(sigma, rel=0.35)
        seconds = math.exp(float(weights @ np.log([one.lasts_s for one in found])))
        assert lasts * 15 / 3 < seconds < lasts * 15 * 3
        assert [one.weight for one in found] == sorted((one.weight for one in found), reverse=True)

    @pytest.mark.parametrize(("pods", "count"), [(2, 8), (2, 30), (4, 240)])
    def test_pods_that_are_alike_are_not_believed_to_have_any(self, pods: int, count: int) -> None:
        believed = sum(bool(weighed(np.ones((count, pods)), seed=seed)) for seed in range(60))
        assert believed <= 1  # Markov's inequality allows six

    def test_weak_moods_are_found_in_a_long_past(self) -> None:
        assert weighed(drawn(np.random.default_rng(5), 0.3, 40, 720))
        assert not weighed(drawn(np.random.default_rng(5), 0.05, 2, 24))

    def test_what_hits_all_pods_at_once_is_none(self) -> None:
        shocks = np.repeat(np.random.default_rng(1).choice([0.2, 1.0, 6.0], size=(240, 1)), 4, axis=1)
        assert weighed(shocks) == ()

    def test_a_longer_past_says_more(self) -> None:
        random = np.random.default_rng(4)
        multiples = drawn(random, 0.7, 40, 720)
        requests, events = counted(blocks(random, multiples, 375), ERRORS, -1)
        short = moods([(requests[-120:], events[-120:], 15.0)])
        both = moods([(requests[:-120], events[:-120], 15.0), (requests[-120:], events[-120:], 15.0)])
        assert len(both) < len(short)

    def test_one_pod_says_nothing_and_pods_that_are_away_do_no_harm(self) -> None:
        assert moods([]) == ()
        assert moods([(np.full((9, 1), 100.0), np.ones((9, 1)), 15.0)]) == ()
        assert moods([(np.zeros((9, 3)), np.zeros((9, 3)), 15.0)]) == ()
        requests, events = np.full((60, 3), 500.0), np.full((60, 3), 3.0)
        events[:, 2] = 12.0
        requests[20:40, 1] = events[20:40, 1] = requests[50] = events[50] = 0.0
        assert sum(one.weight for one in moods([(requests, events, 15.0)])) == pytest.approx(1)

    def test_of_many_pods_the_busiest_are_looked_at(self) -> None:
        requests, events = np.full((20, MOST_PODS + 5), 100.0), np.full((20, MOST_PODS + 5), 1.0)
        requests[:, :5], events[:, :5], events[:, 5] = 10.0, 10.0, 5.0
        few = moods([(requests[:, 5:], events[:, 5:], 15.0)])
        assert few
        assert moods([(requests, events, 15.0)]) == few

    def test_people_are_told(self) -> None:
        assert told((Mood(0.7, 600, 1.0),)) == "a pod's rate is off by x2 or /2 for 10 min at a time"
        assert told((Mood(0.2, 30, 1.0),)) == "a pod's rate is off by x1.2 or /1.2 for 30 s at a time"


def transitions(kind: Mood, grid: Array, seconds: float) -> tuple[Array, Array]:
    """A hidden ratio's stationary chances on a grid, and those of going from one point to another."""
    mean, variance = contrast(np.array([kind.sigma]), *PODS)
    fresh = np.exp(-((grid - mean[0]) ** 2) / (2 * variance[0]))
    fresh /= fresh.sum()
    stays = math.exp(-seconds / kind.lasts_s)
    return fresh, stays * np.eye(len(grid)) + (1 - stays) * fresh[None, :]


@pytest.mark.parametrize("true", [1.0, 0.7, 0.2])
def test_no_bet_gains_in_expectation_over_two_looks(true: float) -> None:
    """All outcomes of two intervals, in a world with moods that is written down here anew, at the null and inside it."""
    kinds, total, split, seconds = (Mood(0.65, 60.0, 0.6), Mood(0.3, 600.0, 0.4)), 6, (30.0, 50.0), 20.0
    null, bets = np.array([[1.3]]), np.array([[2.0, 8.0]])
    grid = Hidden(kinds, 1, PODS).grid
    outcomes = np.arange(total + 1)
    odds = np.exp(grid) * true * null[0, 0] * split[0] / split[1]
    seen = binom.pmf(outcomes[:, None], total, odds / (1 + odds))
    chance = np.zeros((total + 1, total + 1))
    for kind in kinds:
        fresh, onwards = transitions(kind, grid, seconds)
        chance += kind.weight * np.einsum("z,xz,zw,yw->xy", fresh, seen, onwards, seen)
    assert chance.sum() == pytest.approx(1)
    expected = np.zeros(2)
    for first, second in product(outcomes, repeat=2):
        evidence = MoodEvidence(kinds, 1, 2)
        logs = sum(
            evidence.gains(split, (np.array([[float(x)]]), float(total - x)), null, bets, PODS, seconds)
            for x in (first, second)
        )
        expected += chance[first, second] * np.exp(logs[0])  # type: ignore[index]
    assert (expected <= 1 + 1e-9).all()
    if true == 1.0:
        assert expected == pytest.approx([1, 1])


def test_evidence_is_finite_from_no_request_to_a_thousand_million() -> None:
    evidence = MoodEvidence(TEN_MINUTES, 2, 3)
    null, bets = np.array([[1.1], [1.4]]), np.array([[1.5, 3.0, 40.0], [1.0, 0.5, 0.1]])
    for n, m, x, y in [
        (0, 0, 0, 0), (0, 9, 0, 9), (9, 0, 9, 0), (1e9, 1e9, 1e9, 0), (1e9, 1e9, 0, 1e9), (1e9, 1, 0, 1), (5, 5, 0, 0),
        (1e9, 1e9, 5e6, 5e6),
    ]:  # fmt: skip
        got = evidence.gains((n, m), (np.full((2, 1), float(x)), float(y)), null, bets, (3, 3), 5.0)
        assert np.isfinite(got).all(), (n, m, x, y)


def grown(
    factor: float, pods: tuple[int, int] = PODS, seconds: int = 600, kinds: tuple[Mood, ...] = TEN_MINUTES
) -> float:
    """Log evidence for a ratio of ten, against at most 1, when the canary shows `factor`."""
    evidence = MoodEvidence(kinds, 1, 1)
    gained = 0.0
    for _ in range(seconds // 5):
        events = (np.array([[1.25 * factor]]), 1.25)
        gained += float(evidence.gains((250, 250), events, np.ones((1, 1)), np.full((1, 1), 10.0), pods, 5.0)[0, 0])
    return gained


class TestEvidence:
    def test_one_mood_is_worth_so_much_and_no_more(self) -> None:
        kinds = (Mood(0.65, 1e9, 1.0),)  # it never ends
        variance = float(contrast(np.array([0.65]), *PODS)[1][0])
        assert grown(10, seconds=7200, kinds=kinds) == pytest.approx(math.log(10) ** 2 / (2 * variance), rel=0.05)

    def test_what_a_mood_may_well_be_is_no_harm_and_an_outage_is(self) -> None:
        assert grown(1.5, seconds=60) < 0
        assert grown(1.5) < 0
        assert grown(100, seconds=15) > math.log(200)

    def test_more_pods_have_less_of_it_together(self) -> None:
        assert grown(10, (1, 2)) < grown(10, (2, 4)) < grown(10, (10, 20))


class TestJudge:
    @staticmethod
    def moody(plan: Plan) -> Plan:
        return replace(
            plan, metrics=tuple(replace(one, phi=20.0, moods=TEN_MINUTES, pods=4) for one in plan.metrics[:1])
        )

    def test_a_total_outage_is_found_in_three_scrapes(self) -> None:
        judge, random = Judge(self.moody(planned())), np.random.default_rng(1)
        looks = [judge.look(Interval(5 * k, 5 * k + 5, 5, arm(random, 475), arm(random, 25, 1.0))) for k in range(3)]
        assert [look.verdict for look in looks] == [Verdict.UNDECIDED, Verdict.UNDECIDED, Verdict.FAIL]

    def test_no_version_like_stable_is_taken_back_for_its_pods_moods(self) -> None:
        plan = self.moody(planned())
        naive = replace(plan, metrics=tuple(replace(one, phi=1.0, moods=()) for one in plan.metrics))
        ends: dict[str, int] = {"moody": 0, "naive": 0}
        for seed in range(12):
            random = np.random.default_rng(seed)
            ours, theirs = drawn(random, 0.65, 120, 360, 2).mean(axis=1), drawn(random, 0.65, 120, 360).mean(axis=1)
            judges = {"moody": Judge(plan), "naive": Judge(naive)}
            for k in range(360):
                stable, canary = arm(random, 250, 0.005 * theirs[k]), arm(random, 250, 0.005 * ours[k])
                pair = [replace(one, pods=pods) for one, pods in ((stable, 4), (canary, 2))]
                looks = {name: judge.look(Interval(5 * k, 5 * k + 5, 50, *pair)) for name, judge in judges.items()}
            for name, look in looks.items():
                ends[name] += look.verdict is Verdict.FAIL
        assert ends["moody"] == 0
        assert ends["naive"] >= 2  # what it is good for

    def test_a_mood_at_the_last_weight_proves_nothing_for_the_next_one(self) -> None:
        judge, random = Judge(self.moody(planned())), np.random.default_rng(2)
        seen = [
            judge.look(Interval(5 * k, 5 * k + 5, 25, arm(random, 375), arm(random, 125, 0.002))) for k in range(60)
        ]
        after = judge.look(Interval(300, 305, 50, arm(random, 250), arm(random, 250, 0.002), 2))
        assert seen[-1].metrics[0].safety_e > 3
        assert after.metrics[0].safety_e < 1.5

    @pytest.mark.parametrize("metric", [0, 1])
    def test_while_both_versions_are_out_it_is_judged_and_told_how_long_it_takes(self, metric: int) -> None:
        asked = planned().metrics[metric]
        tempered = [replace(one, phi=20.0, moods=TEN_MINUTES, pods=4) for one in (asked, *asked.parts)]
        plan = replace(
            planned(settings((StepSettings(50, 60, 100),))), metrics=(replace(tempered[0], parts=tuple(tempered[1:])),)
        )
        judge = Judge(plan)
        slow = (*(0 for _ in plan.edges), 20_000)
        out = ArmCounts(20_000, 0, slow, 4) if metric else ArmCounts(20_000, 20_000, (*slow[:-1], 0), 4)
        for k in range(30):
            look = judge.look(Interval(5 * k, 5 * k + 5, 50, out, out))
        assert look.verdict is Verdict.UNDECIDED
        assert look.remaining_s is not None
        json.dumps(look.to_dict(), allow_nan=False)

    def test_what_happens_more_often_than_not_is_judged_by_its_opposite(self) -> None:
        common = planned().metrics[0]
        plan = replace(planned(), metrics=(replace(common, base=0.97, moods=TEN_MINUTES, pods=4, phi=20.0),))
        judge = Judge(plan)
        none = (0,) * (len(plan.edges) + 1)
        for k in range(60):
            look = judge.look(
                Interval(5 * k, 5 * k + 5, 50, ArmCounts(250, 242, none, 4), ArmCounts(250, 250 - k % 2, none, 2))
            )
        assert look.metrics[0].harm_e > 1


class TestTime:
    def test_a_release_takes_longer_where_pods_have_moods(self) -> None:
        assert slowed(0.1, (), 1.0, 2, 4, 5.0) == 0.1
        rates = [slowed(0.1, TEN_MINUTES, 0.34, pods, 4, 5.0) for pods in (1, 2, 8)]
        assert rates == sorted(rates)
        assert rates[-1] < 0.1
        # Ten times the errors are told from a mood before it ends.
        assert slowed(0.1, TEN_MINUTES, math.log(30), 2, 4, 5.0) > slowed(0.1, TEN_MINUTES, math.log(30), 2, 4, 50.0)

    def test_the_spread_is_that_of_both_arms(self) -> None:
        variance, lasts = spread_of((Mood(0.65, 300.0, 0.5), Mood(0.65, 500.0, 0.5)), 1, 10**9)
        assert variance == pytest.approx(0.65**2)
        assert lasts == 400
