"""What every kind of metric keeps to; a kind that is added is tried here as well."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from glidepath.judge import ArmCounts, Interval, Judge, MetricSettings, StepSettings, Verdict, plan_judgement
from glidepath.judge.bets import Bets
from glidepath.judge.metrics import KINDS, Kind, kind_of
from glidepath.judge.metrics.base import nothing_counted
from glidepath.judge.plan import MetricPlan, Question
from tests.unit.judge.traffic import EDGES, arm, settings

SETTINGS = {
    "errors": MetricSettings("errors", "errors", "critical", 0.10, 0.0005, 0.002),
    "share": MetricSettings("spam", "share", "critical", 0.0, 0.05, 0.05, sides="both", counted="spam"),
    "latency": MetricSettings("latency_p95", "latency", "critical", 1.10, quantile=0.95),
    "slow": MetricSettings("slow", "slow", "critical", 0.0, 0.01, 0.01, threshold=EDGES[27]),
    "exceedance": MetricSettings("beyond", "exceedance", "critical", 1.10, threshold=EDGES[27]),
}


def counts(random: np.random.Generator, requests: int = 60_000) -> ArmCounts:
    """An arm that counts something for every kind."""
    made = arm(random, requests)
    good = made.requests - made.errors
    return ArmCounts(made.requests, made.errors, made.latency, 2, {}, {"spam": (int(random.binomial(good, 0.3)), good)})


@pytest.fixture(params=sorted(SETTINGS))
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each kind that is judged."""
    return KINDS[request.param]


@pytest.fixture
def plan(kind: Kind) -> MetricPlan:
    """A plan of it."""
    return kind.planned(SETTINGS[kind.name], counts(np.random.default_rng(1)), EDGES)


def test_every_kind_is_tried_here() -> None:
    assert set(SETTINGS) == {name for name, kind in KINDS.items() if kind.judged}


def test_an_unknown_kind_is_named_with_those_that_there_are() -> None:
    with pytest.raises(
        ValueError, match=r"metric m: kind 'median', expected one of errors, share, latency, slow, exceedance, mean"
    ):
        kind_of(MetricSettings("m", "median", "critical", 0.1))


def test_questions_ascend_and_both_decisions_have_a_row(plan: MetricPlan) -> None:
    values = [one.value for one in plan.questions]
    assert values == sorted(set(values))
    assert values[plan.harm] == pytest.approx(plan.limit)
    assert values[plan.safety] == pytest.approx(plan.safe_limit)


def test_harms_that_are_told_are_worse_than_the_stable_version(plan: MetricPlan) -> None:
    for part in plan.asked:
        told = list(kind_of(part.settings).harms(part))
        assert told
        for what, probability in told:
            assert plan.settings.name in what
            assert 0 <= probability <= 1
            assert "below" in part.sides or probability > part.base


def test_bets_on_harm_are_beyond_the_null_and_share_the_whole_mass(kind: Kind, plan: MetricPlan) -> None:
    assert sum(kind.harm_weights) == pytest.approx(1.0)
    assert len(kind.harm_weights) == len(kind.harm_factors)
    bets = Bets(plan)
    canary, stable, possible = bets.at(plan.base)
    null = bets.null(stable)
    assert possible[plan.harm, bets.harm].all()
    assert (canary[plan.harm, bets.harm] > null[plan.harm]).all()
    assert possible[plan.safety, bets.safety].any()


def test_events_are_no_more_than_what_they_are_a_share_of(kind: Kind, plan: MetricPlan) -> None:
    one, random = counts(np.random.default_rng(2)), np.random.default_rng(3)
    events, of = kind.events(plan.settings, plan.edge, one)
    assert 0 < events < of
    assert kind.counted(plan.settings, one)
    below = np.array([np.cumsum(each.latency, dtype=np.float64) for each in (one, counts(random))])
    rows = np.array([row.edge for row in plan.questions])
    n, m, x, y = kind.counts(plan, rows, one, counts(np.random.default_rng(3)), below)
    assert (m, y) == (of, events)
    assert n > 0
    assert (np.asarray(x) <= n).all()


def test_nothing_counted_is_said_and_proves_nothing(kind: Kind) -> None:
    nothing = ArmCounts(0, 0, (0,) * (len(EDGES) + 1))
    assert not kind.counted(SETTINGS[kind.name], nothing)
    made = kind.planned(SETTINGS[kind.name], nothing, EDGES)
    assert (made.harm, made.safety) == (-1, -1)
    assert made.note.startswith(("not_counted", "resolution_limited"))


class Timeouts(Kind):
    """A kind that a team adds: time-outs among requests, told as errors are."""

    name = "timeouts"
    better = 0.0
    harm_factors = (1.5, 3.0, 10.0)
    harm_weights = (0.4, 0.4, 0.2)

    def planned(self, settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
        events, of = baseline.proportion(settings)
        if of == 0:
            return nothing_counted(settings)
        base = (events + 0.5) / (of + 1)
        rows = tuple(Question(value, value) for value in (-base / 2, 0.0, settings.harm_margin, settings.safety_margin))
        return MetricPlan(settings, base, -1, rows, 2, 3, settings.harm_margin, settings.safety_margin)

    def harms(self, metric: MetricPlan) -> Iterator[tuple[str, float]]:
        yield f"{metric.settings.name} x5", 5 * metric.base


@pytest.mark.parametrize(("share", "verdict"), [(0.01, Verdict.PASS), (0.05, Verdict.FAIL)])
def test_another_kind_is_a_class_and_its_name(share: float, verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "timeouts", Timeouts())
    asked = MetricSettings("timeouts", "timeouts", "critical", 0.0, 0.002, 0.01, counted="timeouts")
    random = np.random.default_rng(5)

    def timed(mean: float, part: float) -> ArmCounts:
        n = int(random.poisson(mean))
        return ArmCounts(n, 0, (n,), 2, {}, {"timeouts": (int(random.binomial(n, part)), n)})

    plan = plan_judgement(settings((StepSettings(50, 30, 100),), metrics=(asked,)), timed(60_000, 0.01), 600, (), 100.0)
    assert any("timeouts x5 taken back" in line for line in plan.feasibility.lines())
    judge = Judge(plan)
    for number in range(200):
        look = judge.look(Interval(5.0 * number, 5.0 * number + 5, 50, timed(250, 0.01), timed(250, share)))
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            break
    assert look.verdict is verdict
