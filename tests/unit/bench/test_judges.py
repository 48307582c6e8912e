"""The tournament: the same seed gives the same releases, and every judge is held to what it is said to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from bench.judges import many, ours, page, rivals
from bench.judges.past import past
from bench.judges.rivals import Seen, Threshold
from bench.judges.scenarios import RAMP, Scenario, scenarios
from bench.judges.service import Scrapes, Traffic
from bench.judges.shocks import Shock
from bench.judges.tournament import Case, Job, Row, play
from bench.judges.world import NORMAL, SCRAPE_S
from glidepath.judge import ArmCounts, Interval, Plan
from glidepath.judge.edges import Edges
from glidepath.judge.process import MetricProcess


def named(table: str, name: str) -> tuple[int, Scenario]:
    """A scenario and its number."""
    return next((number, one) for number, one in enumerate(scenarios()[table]) if one.name == name)


def planned(scenario: Scenario) -> tuple[Plan, Plan]:
    """The whole plan of a scenario, and the slim one."""
    seen = past(scenario.service, np.random.default_rng(1))
    return ours.whole(scenario, seen), ours.planned(scenario, seen)


@pytest.mark.parametrize("name", ["same version", "errors x10", "p95 +30 %"])
def test_the_slim_plan_ends_each_release_as_the_whole_one(name: str) -> None:
    _, scenario = named("ramp", name)
    ends = [
        ours.release(scenario, plan, Traffic(scenario.service, np.random.default_rng(5), 240))
        for plan in planned(scenario)
    ]
    assert ends[0] == ends[1]


def test_the_same_seed_gives_the_same_releases_however_they_are_spread() -> None:
    number, _ = named("single", "errors x10")
    _, together = play(Job("single", number, (0, 1), 3))
    _, first = play(Job("single", number, (0,), 3))
    _, second = play(Job("single", number, (1,), 3))
    assert together == {judge: first[judge] + second[judge] for judge in together}
    assert together != play(Job("single", number, (0, 1), 4))[1]


def test_every_scenario_of_the_study_is_there() -> None:
    names = {one.name for all_ in scenarios().values() for one in all_}
    for wanted in (
        "same version", "errors x1.2", "errors x1.5", "errors x2", "errors x10", "p95 +5 %", "p95 +15 %", "p95 +30 %",
        "p95 -10 %", "p95 +10 %: on the margin", "x10 after 30 good minutes", "x2 from the 50 % step", "tail only (p99) x4",
        "bimodal, p95 x2", "1 requests/s, same version", "10 requests/s, errors x10", "bursts", "daily drift",
        "noisy neighbour", "restarts, counter resets", "slow start, warm-up 90 s", "moods of pods, 30 s",
        "moods of pods, 10 min", "blip of one scrape", "Prometheus' buckets, p95 x2", "coarse buckets, p95 x2",
        "ramp 1-5-25-50, daily drift", "missing scrapes", "step change in both",
    ):  # fmt: skip
        assert wanted in names, wanted


class TestShocks:
    def test_a_shock_falls_into_the_intervals_pod_by_pod_and_none_of_it_is_lost(self) -> None:
        world = Shock(7.0, errors=11.0)(np.random.default_rng(1), 60)
        for each in (world.errors, world.canary_errors):
            assert ((each - 1.0).sum(axis=0) * SCRAPE_S / 10.0).tolist() == pytest.approx([7.0] * each.shape[1])
        assert len({tuple(pod) for pod in world.errors.T}) == world.errors.shape[1]

    def test_scraped_at_once_it_is_the_same_in_all_pods(self) -> None:
        world = Shock(SCRAPE_S, errors=30.0, every_s=60.0, own_times=False)(np.random.default_rng(1), 60)
        hit = world.errors[:, 0] == 30.0
        assert np.diff(np.flatnonzero(hit)).tolist() == [12] * (hit.sum() - 1)
        assert np.array_equal(world.errors, np.where(hit, 30.0, 1.0)[:, None].repeat(4, axis=1))
        assert np.array_equal(world.canary_errors[:, 0], world.errors[:, 0])

    def test_one_pod_is_sick_alone(self) -> None:
        world = Shock(5.0, pod=2)(np.random.default_rng(1), 60)
        assert world.errors.max(axis=0).tolist() == pytest.approx([1.0, 1.0, world.errors[:, 2].max(), 1.0])
        assert world.canary_errors.max() == 1.0

    def test_the_pods_that_the_plan_sets_apart_are_told(self) -> None:
        _, scenario = named("luck", "a sick pod of 20, same version")
        traffic = Traffic(scenario.service, np.random.default_rng(5), 240)
        traffic.apart = frozenset({"stable-0"})
        interval = traffic.interval(5, False)
        assert interval is not None
        sick, rest = interval.stable.apart, interval.stable.without_apart()
        assert sick is not None
        assert (sick.pods, rest.pods) == (1, 19)
        assert sick.errors / sick.requests > 5 * rest.errors / rest.requests
        assert sum(sick.latency) == sick.requests - sick.errors


def seen(errors: list[int], requests: int = 60, slow: int = 0) -> Seen:
    """An hour's start seen by a rival: so many errors a minute in the canary, of so many requests; `slow` beyond 0.2 s."""
    size = round(60 / SCRAPE_S)
    count = len(errors) * size
    both = np.full((count, 2), requests // size)
    bad = np.zeros((count, 2), dtype=np.int64)
    bad[::size, 1] = errors
    buckets = np.zeros((count, 2, 3), dtype=np.int64)
    buckets[:, :, 0] = both - bad
    buckets[::size, 1, 0] -= slow
    buckets[::size, 1, 2] += slow
    none = np.zeros(count, dtype=np.bool_)
    _, slim = planned(named("single", "same version")[1])
    return Seen(Scrapes(both, bad, bad, buckets, none, none), np.array([0.1, 0.2]), {0.95: 0.095}, slim)


class TestRivals:
    def test_a_threshold_counts_failed_checks_and_never_forgets(self) -> None:
        rule = Threshold(60.0, 3, 0.95)
        assert rivals.threshold(seen([4, 0, 4, 0, 0, 4, 0]), rule) == 360
        assert rivals.threshold(seen([4, 0, 4, 0, 0, 3, 0]), rule) is None  # 3 of 60 is 95 %: good

    def test_together_or_each_metric_for_itself(self) -> None:
        told = seen([0] * 6, slow=4)
        rule = Threshold(60.0, 3, 0.95, latency=1.5, relative=True)
        assert rivals.threshold(told, rule) == 180
        assert rivals.threshold(told, replace(rule, together=False)) == 180
        assert rivals.threshold(told, replace(rule, latency=3.0)) is None

    def test_quantiles_are_prometheus_own(self) -> None:
        found = rivals.quantiles(
            np.array([[50.0, 50.0, 0.0], [0.0, 0.0, 9.0], [0.0, 0.0, 0.0]]), np.array([0.1, 0.2]), 0.95
        )
        assert found[:2] == pytest.approx([0.19, 0.2])
        assert np.isnan(found[2])

    def test_mann_whitney_needs_a_shift_of_a_quarter(self) -> None:
        random = np.random.default_rng(1)
        stable = random.normal(1.0, 0.01, 60)
        assert rivals._high(random.normal(2.0, 0.01, 60), stable)
        assert not rivals._high(stable.copy(), stable)
        assert not rivals._high(random.normal(0.5, 0.01, 60), stable)


def test_many_releases_at_once_have_the_evidence_of_each() -> None:
    _, scenario = named("ramp", "same version")
    _, plan = planned(scenario)
    [metric, _] = plan.metrics
    releases, random = 3, np.random.default_rng(2)
    together = many.Metric(metric, 0.005, 0.05, len(RAMP) - 1, releases)
    alone = [MetricProcess(metric, plan.edges, 0.005, 0.05, len(RAMP) - 1) for _ in range(releases)]
    for number in range(40):
        n, m = random.poisson(60, releases) + 1, random.poisson(400, releases) + 1
        x, y = random.binomial(n, 0.02), random.binomial(m, 0.005)
        together.feed(n, m, x, y)
        for which, one in enumerate(alone):
            interval = _interval(plan, number, [int(every[which]) for every in (m, y, n, x)])
            one.feed(interval.stable, interval.canary, np.zeros((2, len(plan.edges) + 1)), SCRAPE_S)
    harm, safe = together.evidence()
    assert [one.look().harm_e for one in alone] == pytest.approx(np.exp(harm))
    assert [one.look().safety_e for one in alone] == pytest.approx(np.exp(safe))


def test_a_quantile_of_many_releases_is_judged_as_each() -> None:
    _, scenario = named("ramp", "same version")
    _, plan = planned(scenario)
    [_, metric] = plan.metrics
    releases, random = 2, np.random.default_rng(2)
    asked = 0.005, 0.05, len(RAMP) - 1
    together = many.Quantile(metric, plan.edges, *asked, releases)
    alone = [Edges(metric, plan.edges, *asked) for _ in range(releases)]
    edges, nothing = np.array(plan.edges), ArmCounts(0, 0, (0,) * (len(plan.edges) + 1))
    for number in range(40):
        slower = np.full(releases, 1.0 + 0.01 * number)
        below = [
            random.multinomial(count, NORMAL.buckets(edges, slower)).cumsum(axis=-1).astype(np.float64)
            for count in (400, 60)
        ]
        together.feed(below[0], below[1])
        for which, one in enumerate(alone):
            one.feed(nothing, nothing, np.array([arm[which] for arm in below]), SCRAPE_S)
    harm, safe = together.evidence()
    assert [one.look().harm_e for one in alone] == pytest.approx(np.exp(harm))
    assert [one.look().safety_e for one in alone] == pytest.approx(np.exp(safe))


def _interval(plan: Plan, number: int, counts: list[int]) -> Interval:
    empty = (0,) * (len(plan.edges) + 1)
    stable, canary = ArmCounts(counts[0], counts[1], empty, 1), ArmCounts(counts[2], counts[3], empty, 1)
    return Interval(SCRAPE_S * number, SCRAPE_S * (number + 1), 10, stable, canary)


def cases(median_s: float, wrong: float) -> Iterator[Case]:
    """Two rows of a tournament that went so."""
    quick = Row(400, 0.0, 1.0, median_s, median_s, 9, 200)
    yield Case("ramp", "errors x10", "harmful", {"ours": quick, "bound": replace(quick, median_s=20.0)})
    yield Case("ramp", "same version", "within", {"ours": Row(400, 1 - wrong, wrong, 400.0, 800.0, 9, 200)})


def test_what_is_missed_is_said_and_what_is_reached_is_not() -> None:
    assert list(page.misses(list(cases(45, 0.01)), [])) == []
    told = list(page.misses(list(cases(50, 0.02)), [many.Told("on the margin", 2000, 0.012, 0.02, None, None)]))
    assert len(told) == 3
    assert "errors x10: median 50 s, the goal is 45 s; the bound is 20 s" in told[0]
    assert "2.0% of 400 are taken back wrongly" in told[1]
    assert "1.20% of 2,000 are wrongly rolled back; the promise is 1%" in told[2]
