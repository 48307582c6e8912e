"""A pod that is known to be sick is set apart: it makes the judge neither deaf nor mute."""

from __future__ import annotations

import json
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.judge import (
    ArmCounts,
    Interval,
    Judge,
    MetricSettings,
    Plan,
    StepSettings,
    Stretch,
    Verdict,
    plan_judgement,
)
from glidepath.judge.moods import Mood
from glidepath.judge.outliers import Outlier, beyond, outliers, set_apart, together, without
from tests.unit.judge.traffic import BASE_ERRORS, EDGES, ERRORS, LATENCY, arm, settings

PODS = 8
HALF = (StepSettings(50, 60, 100),)
Blocks = list[dict[str, ArmCounts]]


def blocks(
    number: int, errors: Mapping[int, float] | None = None, slower: Mapping[int, float] | None = None,
    pods: int = PODS, seed: int = 1, requests: float = 1000.0,
) -> Blocks:  # fmt: skip
    """Blocks of a minute and a half; some pods have other errors, or are slower."""
    random = np.random.default_rng(seed)
    return [
        {
            f"pod-{pod}": arm(random, requests, (errors or {}).get(pod, BASE_ERRORS), (slower or {}).get(pod, 1.0))
            for pod in range(pods)
        }
        for _ in range(number)
    ]


def names(found: tuple[Outlier, ...]) -> list[str]:
    """The pods that are set apart."""
    return [one.pod for one in found]


class TestWhoIsSetApart:
    @pytest.mark.parametrize("kind", ["errors", "latency"])
    def test_a_pod_that_was_always_worse(self, kind: str) -> None:
        past = [(blocks(60, {3: 0.1}, {3: 1.6}), 90.0)]
        settings_, edge = (ERRORS, -1) if kind == "errors" else (LATENCY, 28)
        (one,) = outliers(past, settings_, edge)
        assert (one.pod, one.metric) == ("pod-3", settings_.name)
        assert one.share > 1.5 * one.others

    def test_what_it_has_is_told_beside_what_the_others_have(self) -> None:
        (one,) = outliers([(blocks(60, {3: 0.1}), 90.0)], ERRORS, -1)
        assert one.share == pytest.approx(0.1, rel=0.1)
        assert one.others == pytest.approx(BASE_ERRORS, rel=0.1)
        assert one.told == (
            f"errors of pod pod-3: {100 * one.share:.3g} %, beside {100 * one.others:.3g} % of the others"
        )

    def test_up_to_a_third_of_them_the_worst_first(self) -> None:
        assert names(outliers([(blocks(60, {1: 0.08, 5: 0.2}), 90.0)], ERRORS, -1)) == ["pod-5", "pod-1"]
        half = dict.fromkeys(range(4), 0.1)
        assert not outliers([(blocks(60, half), 90.0)], ERRORS, -1)

    def test_one_of_two_only_if_it_is_far_worse(self) -> None:
        assert names(outliers([(blocks(60, {1: 0.03}, pods=2), 90.0)], ERRORS, -1)) == ["pod-1"]
        assert not outliers([(blocks(60, {1: 0.02}, pods=2), 90.0)], ERRORS, -1)
        assert not outliers([(blocks(60, {0: 0.1}, pods=1), 90.0)], ERRORS, -1)

    def test_none_that_was_well_for_a_while(self) -> None:
        past = [(blocks(30, {3: 0.1}), 90.0), (blocks(10, seed=2), 90.0), (blocks(20, {3: 0.1}, seed=3), 90.0)]
        assert not outliers(past, ERRORS, -1)

    def test_none_that_came_lately(self) -> None:
        past = [(blocks(40, pods=3), 90.0), (blocks(40, {3: 0.1}, pods=4, seed=2), 90.0)]
        assert not outliers(past, ERRORS, -1)

    def test_none_where_less_than_an_hour_is_known(self) -> None:
        assert not outliers([(blocks(39, {3: 0.1}), 90.0)], ERRORS, -1)
        assert outliers([(blocks(40, {3: 0.1}), 90.0)], ERRORS, -1)

    def test_none_by_chance_where_there_are_few_events(self) -> None:
        for seed in range(40):
            assert not outliers([(blocks(120, seed=seed, requests=10.0), 90.0)], ERRORS, -1)

    def test_of_what_is_common_the_opposite_counts(self) -> None:
        spam = MetricSettings("spam", "share", "critical", 0.0, 0.02, 0.02, sides="both", counted="spam")

        def of(share: float) -> ArmCounts:
            return ArmCounts(1000, 0, (1000,), shares={"spam": (round(1000 * share), 1000)})

        past = [({f"pod-{pod}": of(0.6 if pod == 2 else 0.95) for pod in range(PODS)} for _ in range(60))]
        (one,) = outliers([(list(past[0]), 90.0)], spam, -1)
        assert (one.pod, one.share) == ("pod-2", pytest.approx(0.4))

    def test_none_that_the_moods_of_the_others_explain(self) -> None:
        found = (Outlier("pod-1", "errors", 0.05, 0.005),)
        assert beyond(found, ()) == found
        assert beyond(found, (Mood(0.7, 300.0, 1.0),)) == found
        assert not beyond(found, (Mood(0.65, 300.0, 0.5), Mood(0.9, 300.0, 0.5)))

    def test_none_by_a_metric_that_decides_nothing(self) -> None:
        told = MetricSettings("errors", "errors", "advisory", 0.10, harm_margin=0.0005, safety_margin=0.002)
        past = [([], 90.0), (blocks(60, {3: 0.1}), 90.0)]
        assert names(set_apart(past, [(ERRORS, -1)])) == ["pod-3"]
        assert not set_apart(past, [(told, -1)])

    def test_once_though_two_metrics_see_it(self) -> None:
        past = [([], 90.0), (blocks(60, {3: 0.1}, {3: 1.6, 5: 1.8}), 90.0)]
        assert names(set_apart(past, [(ERRORS, -1), (LATENCY, 28)])) == ["pod-3", "pod-5"]


class TestCounts:
    def test_the_other_pods_are_what_is_left(self) -> None:
        past = blocks(3, {3: 0.1})
        every = frozenset(past[0])
        total, sick = together(past, every, past[0]["pod-0"]), together(past, frozenset({"pod-3"}), past[0]["pod-0"])
        rest = ArmCounts(total.requests, total.errors, total.latency, total.pods, apart=sick).without_apart()
        assert rest == together(without(past, frozenset({"pod-3"})), every - {"pod-3"}, past[0]["pod-0"])
        assert all("pod-3" not in block for block in without(past, frozenset({"pod-3"})))

    def test_without_a_pod_set_apart_all_are_the_others(self) -> None:
        one = ArmCounts(5, 1, (4,))
        assert one.without_apart() is one

    def test_they_are_merged_and_written_down_with_the_rest(self) -> None:
        one = ArmCounts(5, 1, (4,), apart=ArmCounts(2, 1, (1,), 1, shares={"spam": (1, 2)}))
        assert one.plus(one).apart == ArmCounts(4, 2, (2,), 1, shares={"spam": (2, 4)})
        assert one.plus(ArmCounts(1, 0, (1,))).apart == one.apart == ArmCounts(1, 0, (1,)).plus(one).apart
        interval = Interval(0.0, 5.0, 5, one, ArmCounts(1, 0, (1,)))
        assert Interval.from_dict(json.loads(json.dumps(interval.to_dict()))) == interval

    @given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
    def test_a_sample_that_is_later_than_the_rest_makes_no_count_impossible(
        self, requests: int, errors: int, apart: int, apart_errors: int
    ) -> None:
        sick = ArmCounts(apart, min(apart, apart_errors), (apart,), shares={"spam": (min(apart, apart_errors), apart)})
        had = min(requests, errors)
        rest = ArmCounts(requests, had, (requests,), 1, shares={"spam": (had, requests)}, apart=sick).without_apart()
        assert (rest.requests, rest.latency) == (max(0, requests - apart), (max(0, requests - apart),))


def planned(older: Blocks, lately: Blocks, metrics: tuple[MetricSettings, ...] = (ERRORS, LATENCY)) -> Plan:
    """A plan at 100 requests a second, straight to half of the traffic."""
    every = together(lately, frozenset(lately[0]), lately[0]["pod-0"])
    return plan_judgement(
        settings(HALF, metrics=metrics),
        every,
        90.0 * len(lately),
        EDGES,
        100.0,
        Stretch(lately, 90.0),
        Stretch(older, 90.0),
    )


def released(
    plan: Plan, errors: float, slower: float = 1.0, sick: tuple[float, float] = (0.1, 1.0), seed: int = 1
) -> tuple[Verdict, float]:
    """How a canary ends, and after how many seconds; one of the stable's pods has errors and latency of its own."""
    random, judge = np.random.default_rng(seed), Judge(plan)
    for number in range(720):
        well, ill = arm(random, 250 * (PODS - 1) / PODS), arm(random, 250 / PODS, *sick)
        stable = well.plus(ill)
        counted = ArmCounts(stable.requests, stable.errors, stable.latency, PODS, apart=ill)
        look = judge.look(Interval(5.0 * number, 5.0 * number + 5, 50, counted, arm(random, 250, errors, slower)))
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            return look.verdict, 5.0 * number + 5
    return look.verdict, 3600.0


SICK = planned(blocks(100, {3: 0.1}), blocks(20, {3: 0.1}, seed=2))
SLOW = planned(blocks(100, slower={3: 1.6}), blocks(20, slower={3: 1.6}, seed=2))


class TestReleases:
    def test_a_good_version_is_promoted_in_its_usual_time(self) -> None:
        ended = [released(SICK, BASE_ERRORS, seed=seed) for seed in range(6)]
        assert {verdict for verdict, _ in ended} == {Verdict.PASS}
        assert float(np.median([seconds for _, seconds in ended])) <= 600

    def test_one_that_is_five_times_as_bad_as_all_goes_back(self) -> None:
        every = BASE_ERRORS * 7 / 8 + 0.1 / 8
        for seed in range(4):
            verdict, seconds = released(SICK, 5 * every, seed=seed)
            assert (verdict, seconds <= 60) == (Verdict.FAIL, True)

    def test_one_that_is_as_bad_as_all_together_is_neither_harmful_nor_proven(self) -> None:
        """By its errors alone: no other metric waits for proof, or takes a part of the chance of a rollback."""
        every = BASE_ERRORS * 7 / 8 + 0.1 / 8
        plan = planned(blocks(100, {3: 0.1}), blocks(20, {3: 0.1}, seed=2), (ERRORS,))
        assert {released(plan, every, seed=seed)[0] for seed in range(3)} == {Verdict.UNDECIDED}

    def test_it_may_get_well(self) -> None:
        assert released(SICK, BASE_ERRORS, sick=(BASE_ERRORS, 1.0))[0] is Verdict.PASS

    def test_a_slow_pod_hides_no_slow_version(self) -> None:
        assert released(SLOW, BASE_ERRORS, sick=(BASE_ERRORS, 1.6))[0] is Verdict.PASS
        assert released(SLOW, BASE_ERRORS, 1.5, sick=(BASE_ERRORS, 1.6))[0] is Verdict.FAIL


class TestPlan:
    def test_it_says_who_is_set_apart_and_judges_safety_by_the_others(self) -> None:
        assert names(SICK.apart) == ["pod-3"]
        errors = SICK.metrics[0]
        assert errors.rest is not None
        assert errors.rest.base == pytest.approx(BASE_ERRORS, rel=0.1)
        assert errors.base == pytest.approx(BASE_ERRORS * 7 / 8 + 0.1 / 8, rel=0.1)
        assert errors.phi == errors.rest.phi == 1.0
        assert (errors.pods, errors.rest.pods) == (7, 7)

    def test_it_is_written_down_and_read_again(self) -> None:
        assert Plan.from_dict(json.loads(json.dumps(SICK.to_dict()))) == SICK

    def test_another_policy_sets_the_same_pods_apart(self) -> None:
        assert SICK.baseline is not None
        again = plan_judgement(SICK.settings, SICK.baseline, SICK.baseline_s, SICK.edges, 100.0)
        assert again.metrics[0].rest is not None
        assert again.metrics[0].rest.base == SICK.metrics[0].rest.base  # type: ignore[union-attr]

    def test_what_a_promotion_takes_is_told_by_the_others(self) -> None:
        calm = planned(blocks(100), blocks(20, seed=2))
        sick, usual = (one.feasibility.expectations[0].seconds for one in (SICK, calm))
        assert sick is not None
        assert usual is not None
        assert sick <= 1.5 * usual

    def test_without_a_sick_pod_nothing_is_set_apart(self) -> None:
        calm = planned(blocks(100), blocks(20, seed=2))
        assert (calm.apart, calm.metrics[0].rest) == ((), None)
