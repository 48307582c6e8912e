"""The judge's verdicts, on made-up and on simulated traffic."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from glidepath.judge import ArmCounts, Interval, Judge, Look, Numbering, Plan, StepSettings, Verdict
from glidepath.judge.quantiles import quantile
from tests.unit.judge.traffic import EDGES, ERRORS, LATENCY, RAMP, arm, planned, release, settings

ONE_STEP = (StepSettings(50, 30, 100),)


def flat(requests: int, errors: int = 0, slow: int = 0) -> ArmCounts:
    """Counts with all latencies in one bucket near 50 ms, `slow` ones far above."""
    buckets = [0] * (len(EDGES) + 1)
    buckets[25] = requests - errors - slow
    buckets[60] = slow
    return ArmCounts(requests, errors, tuple(buckets), 1)


def looks(
    judge: Judge, count: int, stable: ArmCounts, canary: ArmCounts, weight: int = 50, at: float = 0.0, step: int = 1
) -> Look:
    """Feed the same interval `count` times; the last look."""
    for number in range(count):
        look = judge.look(Interval(at + 5 * number, at + 5 * number + 5, weight, stable, canary, step))
    return look


class TestScenarios:
    """Few seeded runs of each kind of scenario; the tournament in bench/ runs hundreds."""

    @pytest.mark.parametrize(
        ("name", "change", "verdict", "median_s"),
        [
            ("same version", {}, Verdict.PASS, 540),
            ("p95 +5 %, within the tolerance", {"slower": 1.05}, Verdict.PASS, 600),
            ("errors x2", {"errors": 0.010}, Verdict.FAIL, 330),
            ("errors x10", {"errors": 0.05}, Verdict.FAIL, 60),
            ("p95 +30 %", {"slower": 1.3}, Verdict.FAIL, 95),
            ("total outage", {"errors": 1.0}, Verdict.FAIL, 20),
        ],
        ids=lambda value: value if isinstance(value, str) else "",
    )
    def test_verdict_and_time(self, name: str, change: dict[str, float], verdict: Verdict, median_s: float) -> None:
        ended = [release(seed, **change) for seed in range(9)]
        assert {one.verdict for one in ended} == {verdict}, name
        assert float(np.median([one.seconds for one in ended])) <= median_s

    def test_harm_after_ten_good_minutes_is_found_at_once(self) -> None:
        asked = settings((StepSettings(10, 3600, 100),))
        ended = [release(seed, errors=0.05, worse_from_s=600, asked=asked) for seed in range(5)]
        assert all(one.verdict is Verdict.FAIL for one in ended)
        assert float(np.median([one.seconds for one in ended])) - 600 <= 60

    def test_a_blip_of_one_scrape_is_no_harm(self) -> None:
        judge, random = Judge(planned()), np.random.default_rng(3)
        for number in range(60):
            errors = 1.0 if number == 30 else 0.005
            look = judge.look(Interval(5 * number, 5 * number + 5, 5, arm(random, 475), arm(random, 25, errors)))
        assert look.verdict is Verdict.UNDECIDED


class TestVerdicts:
    def test_fail_names_the_metric_and_stays(self) -> None:
        judge = Judge(planned())
        look = looks(judge, 12, flat(475, 2), flat(25, 12), weight=5)
        assert (look.verdict, look.reason, look.deciding) == (Verdict.FAIL, "harm_proven", "errors")
        assert not look.may_advance
        again = looks(judge, 50, flat(475, 2), flat(500, 0), weight=5, at=60)
        assert (again.verdict, again.deciding) == (Verdict.FAIL, "errors")

    def test_pass_needs_the_last_weight(self) -> None:
        judge = Judge(planned(settings((StepSettings(40, 30, 100), StepSettings(50, 30, 100)))))
        first = looks(judge, 400, flat(300, 1, 15), flat(200, 0, 2), weight=40)
        assert (first.verdict, first.may_advance) == (Verdict.UNDECIDED, True)
        assert first.proven_safe
        second = looks(judge, 1, flat(250, 1, 12), flat(250, 0, 2), weight=50, at=2000, step=2)
        assert (second.verdict, second.proven_safe) == (Verdict.UNDECIDED, False)  # safety starts afresh
        assert looks(judge, 400, flat(250, 1, 12), flat(250, 0, 2), weight=50, at=2005, step=2).verdict is Verdict.PASS

    def test_pass_waits_for_bake_and_requests(self) -> None:
        for step in (StepSettings(50, 3000, 1), StepSettings(50, 1, 10**6)):
            look = looks(Judge(planned(settings((step,)))), 300, flat(250, 1, 12), flat(250, 0, 2))
            assert look.proven_safe
            assert look.verdict is Verdict.UNDECIDED

    def test_a_step_is_left_after_bake_and_requests_and_not_before(self) -> None:
        judge = Judge(planned(settings((StepSettings(10, 30, 120), StepSettings(50, 30, 1)))))
        may = [looks(judge, 1, flat(180, 1, 9), flat(20, 0, 1), 10, at=5.0 * n).may_advance for n in range(8)]
        assert may == [False] * 5 + [True] * 3

    def test_a_suspicion_holds_the_ramp(self) -> None:
        judge = Judge(planned(settings((StepSettings(10, 5, 1), StepSettings(50, 30, 1)))))
        held = False
        for number in range(40):
            look = looks(judge, 1, flat(450, 2), flat(50, 1 + (number > 4)), 10, at=5.0 * number)
            assert look.suspicious == any(one.harm_e >= 5 for one in look.metrics)
            assert not (look.suspicious and look.may_advance)
            held = held or look.suspicious
        assert held

    def test_a_silent_canary_fails_and_a_silent_service_does_not(self) -> None:
        look = looks(Judge(planned(settings(ONE_STEP))), 4, flat(250), flat(0))
        assert (look.verdict, look.reason, look.deciding) == (Verdict.FAIL, "canary_silent", "traffic")
        quiet = looks(Judge(planned(settings(ONE_STEP))), 100, flat(0), flat(0))
        assert quiet.verdict is Verdict.UNDECIDED

    def test_few_requests_make_no_silence(self) -> None:
        look = looks(Judge(planned(settings((StepSettings(5, 30, 1),)))), 3, flat(20), flat(0), weight=5)
        assert look.verdict is Verdict.UNDECIDED

    def test_a_wrong_split_holds_and_never_rolls_back(self) -> None:
        judge = Judge(planned(settings((StepSettings(10, 30, 1), StepSettings(50, 30, 1)))))
        look = looks(judge, 40, flat(350, 2), flat(150, 1), weight=10)
        assert (look.verdict, look.reason, look.may_advance) == (Verdict.UNDECIDED, "split_mismatch", False)

    def test_the_right_split_is_not_held(self) -> None:
        random, judge = np.random.default_rng(5), Judge(planned(settings((StepSettings(10, 9999, 1),))))
        for number in range(400):
            look = judge.look(Interval(5 * number, 5 * number + 5, 10, arm(random, 450), arm(random, 50)))
        assert look.reason != "split_mismatch"

    def test_low_traffic_and_warm_up_are_said(self) -> None:
        few = looks(Judge(planned(settings((StepSettings(50, 30, 10**6),)))), 10, flat(3), flat(3))
        assert few.reason == "low_traffic"
        judge = Judge(planned(settings(ONE_STEP, warmup_s=60.0)))
        warm = looks(judge, 10, flat(250, 1), flat(250, 200))
        assert (warm.verdict, warm.reason) == (Verdict.UNDECIDED, "warming_up")
        assert looks(judge, 20, flat(250, 1), flat(250, 1), at=50).verdict is Verdict.UNDECIDED

    def test_a_critical_metric_that_counts_nothing_for_the_canary_is_said(self) -> None:
        blind = ArmCounts(250, 1, (0,) * (len(EDGES) + 1), 1)
        judge = Judge(planned(settings(ONE_STEP)))
        assert judge.look(Interval(0, 5, 50, flat(90), replace(blind, requests=90))).reason == "evidence_growing"
        last = looks(judge, 200, flat(250, 1), blind, at=5)
        assert (last.verdict, last.reason, last.deciding) == (Verdict.UNDECIDED, "not_counted", "latency_p95")
        # A quantile beyond the last edge is no estimate, but it was counted.
        slow = ArmCounts(250, 1, (0,) * len(EDGES) + (249,), 1)
        told = looks(Judge(planned(settings(ONE_STEP))), 1, flat(250, 1), slow)
        assert (told.metrics[1].estimate_canary, told.reason) == (None, "evidence_growing")
        # What is no condition of a promotion may stay uncounted.
        advisory = settings(ONE_STEP, metrics=(ERRORS, replace(LATENCY, role="advisory")))
        assert looks(Judge(planned(advisory)), 3, flat(250, 1), blind).reason == "evidence_growing"

    def test_superior_must_be_faster(self) -> None:
        asked = settings(ONE_STEP, decision="superior")
        assert release(1, asked=asked, most_s=900).verdict is Verdict.UNDECIDED
        assert release(1, slower=0.85, asked=asked, most_s=900).verdict is Verdict.PASS

    def test_whether_it_is_better_is_told_in_any_case(self) -> None:
        asked = settings((StepSettings(50, 300, 100),))
        same, fast, fewer = (release(1, asked=asked, **change) for change in ({}, {"slower": 0.85}, {"errors": 0.0005}))
        assert [[one.proven_better for one in ended.look.metrics] for ended in (same, fast, fewer)] == [
            [False, False], [False, True], [True, False],
        ]  # fmt: skip

    def test_a_guard_metric_can_fail_and_need_not_be_proven(self) -> None:
        watched = replace(LATENCY, role="guard")
        coarse = settings(ONE_STEP, metrics=(ERRORS, watched))
        assert release(2, asked=coarse).verdict is Verdict.PASS
        ended = release(2, slower=2.0, asked=coarse)
        assert (ended.verdict, ended.look.deciding) == (Verdict.FAIL, "latency_p95")

    def test_silence_promotes_nothing_and_is_nobodys_fault(self) -> None:
        judge = Judge(planned(settings(ONE_STEP)))
        assert judge.no_data(0, 5, "Prometheus is away").verdict is Verdict.NO_DATA
        assert looks(judge, 300, flat(250, 1, 12), flat(250, 0, 2)).verdict is Verdict.PASS
        silent = judge.no_data(1500, 1510, "Prometheus is away")
        assert (silent.verdict, silent.proven_safe, silent.may_advance) == (Verdict.NO_DATA, False, False)
        assert silent.reason == "Prometheus is away"

    def test_other_buckets_than_planned_are_refused(self) -> None:
        with pytest.raises(ValueError, match="latency buckets 3"):
            Judge(planned()).look(Interval(0, 5, 5, ArmCounts(1, 0, (1, 0, 0)), flat(1)))


class TestIntervals:
    @pytest.mark.parametrize("change", [{"errors": 0.05}, {"slower": 1.3}, {}, {"errors": 0.01}])
    def test_verdict_and_interval_agree(self, change: dict[str, float]) -> None:
        for seed in range(3):
            ended = release(seed, **change)
            for one in ended.look.metrics:
                assert (one.harm_e >= one.harm_threshold) == (one.low is not None and one.low >= one.limit)
                if ended.verdict is Verdict.PASS:
                    assert one.high is not None
                    assert one.high <= one.safe_limit
                if one.low is not None and one.high is not None:
                    assert one.low < one.high

    def test_the_truth_lies_within(self) -> None:
        missed = 0
        for seed in range(20):
            for one in release(seed, most_s=600, asked=settings((StepSettings(50, 9999, 1),))).look.metrics:
                truth = 0.0 if one.unit == "points" else 1.0
                missed += (one.low is not None and one.low > truth) or (one.high is not None and one.high < truth)
        assert missed == 0


class TestEstimates:
    def test_they_are_of_the_weight_in_force(self) -> None:
        """Errors rise from 1 to 4 % in both arms while the canary's share grows: added up, the canary looks worse."""
        judge = Judge(planned(settings((StepSettings(10, 30, 1), StepSettings(50, 30, 1)))))
        looks(judge, 10, flat(900, 9), flat(100, 1), weight=10)
        last = looks(judge, 10, flat(500, 20), flat(500, 20), weight=50, at=50, step=2).metrics[0]
        assert (last.estimate_stable, last.estimate_canary, last.effect) == (0.04, 0.04, 0.0)

    def test_quantiles_are_interpolated_within_a_bucket(self) -> None:
        edges = (1.0, 2.0, 4.0)
        assert quantile((50, 50, 0, 0), edges, 0.5) == pytest.approx(1.0)
        assert quantile((0, 100, 0, 0), edges, 0.5) == pytest.approx(2**0.5)
        assert quantile((0, 50, 50, 0), edges, 0.75) == pytest.approx(2 * 2**0.5)
        assert quantile((10, 0, 0, 90), edges, 0.95) is None
        assert quantile((0, 0, 0, 0), edges, 0.95) is None


class TestReplay:
    def test_the_same_intervals_give_the_same_looks_to_the_bit(self) -> None:
        random, plan = np.random.default_rng(7), planned()
        told = [
            Interval(5 * n, 5 * n + 5, (5, 25)[n // 20], arm(random, 400), arm(random, 60, 0.02), 1 + n // 20)
            for n in range(40)
        ]
        again = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
        assert again == plan
        first, second = Judge(plan), Judge(again)
        for one in told:
            look = first.look(one)
            read = Interval.from_dict(json.loads(json.dumps(one.to_dict())))
            assert read == one
            assert second.look(read) == look
            assert Look.from_dict(json.loads(json.dumps(look.to_dict()))) == look

    def test_memory_does_not_grow_with_the_bake(self) -> None:
        judge = Judge(planned())
        looks(judge, 10, flat(475, 2), flat(25, 0), weight=5)
        sizes = len(pickle.dumps(judge._metrics))
        looks(judge, 500, flat(475, 2), flat(25, 0), weight=5, at=50)
        assert len(pickle.dumps(judge._metrics)) <= 1.05 * sizes


@st.composite
def arms(draw: st.DrawFn) -> ArmCounts:
    """Any counts from none to a milliard."""
    requests = draw(st.integers(0, 10**9))
    errors = draw(st.integers(0, requests))
    slow = draw(st.integers(0, requests - errors))
    return flat(requests, errors, slow)


@given(st.lists(st.tuples(arms(), arms(), st.sampled_from([5, 25, 50])), min_size=1, max_size=6))
@hypothesis_settings(max_examples=60, deadline=None)
def test_no_counts_break_the_judge(rows: list[tuple[ArmCounts, ArmCounts, int]]) -> None:
    judge, steps, failed = Judge(planned()), Numbering(), False
    for number, (stable, canary, weight) in enumerate(rows):
        look = judge.look(steps.numbered(Interval(5 * number, 5 * number + 5, weight, stable, canary)))
        text = json.dumps(look.to_dict(), allow_nan=False)
        assert Look.from_dict(json.loads(text)) == look
        assert not any(math.isnan(one.harm_e) or math.isnan(one.safety_e) for one in look.metrics)
        assert not failed or look.verdict is Verdict.FAIL
        failed = look.verdict is Verdict.FAIL


def test_impossible_counts_are_refused() -> None:
    for bad in ((-1, 0, ()), (1, 2, ()), (1, 0, (-1,))):
        with pytest.raises(ValueError, match="expected counts of zero or more"):
            ArmCounts(*bad)
    assert RAMP[0].weight == 5
