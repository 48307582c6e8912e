"""A version whose library has other latency buckets is released all the same: judged where both can be."""

from __future__ import annotations

import json

import pytest

from glidepath.evidence.series import Series
from glidepath.judge import ArmCounts, Judge, MetricSettings, Plan, Settings, StepSettings, plan_judgement
from glidepath.record import Record
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.release.resolution import at_edges, fits
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.shift import shift
from glidepath.replay.judging import replay
from glidepath.replay.recorded import export
from tests.support.stage import EDGES, Stage


def other_buckets(stage: Stage, kept: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary exposes only some of the stable's edges."""
    ask = stage.prometheus.range_vector

    def answer(selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        found = ask(selector, window_s, at, step_s)
        return [
            one for one in found if one.labels["version"] == "v1" or one.labels.get("le", "+Inf") in {*kept, "+Inf"}
        ]

    monkeypatch.setattr(stage.prometheus, "range_vector", answer)


def judged(stage: Stage, slower: float, errors: int = 0) -> tuple[str, str, Guard]:
    """A release at 50 % until the guard has spoken or 150 scrapes: its word, and the last look's reason."""
    run = stage.run(weights=[50])
    for task in (claim, deploy):
        task(run)
    shift(run, 1)
    guard = Guard(run)
    guard.tick()
    for _ in range(150):
        stage.traffic(slower=slower, errors=errors)
        guard.tick()
        spoken = run.journal.word_on(1)
        if spoken is not None:
            return spoken.decision, spoken.reason, guard
    last = run.ports.record.last_look(run.id)
    assert last is not None
    return "", str(last["reason"]), guard


EVERY_SECOND = {str(edge) for edge in EDGES[::2]}


@pytest.mark.parametrize(("slower", "word"), [(1.0, Decision.PROMOTE), (2.0, Decision.ROLLBACK)])
def test_it_is_judged_at_the_edges_that_both_have(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, slower: float, word: Decision
) -> None:
    kept = {str(edge) for edge in EDGES[::2]} | {str(edge) for edge in EDGES[20:34]}
    other_buckets(stage, kept - {str(EDGES[5])}, monkeypatch)
    decision, reason, guard = judged(stage, slower)
    assert decision == word, reason
    assert any("v2 has other latency buckets than v1: judged at the" in line for line in stage.said)
    again = Guard(guard.run)  # rebuilt from the record: nothing is chosen anew
    assert (again.looks.plan, again.looks.judge._last) == (guard.looks.plan, guard.looks.judge._last)
    evidence = export(guard.run.ports.record, guard.run.id)
    assert list(replay(evidence))[-1].verdict == evidence.lines[-1].verdict  # type: ignore[union-attr]


def test_where_no_common_edge_is_near_the_quantile_errors_are_judged_and_nothing_is_proven_of_latency(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_buckets(stage, {str(EDGES[0]), str(EDGES[-1])}, monkeypatch)
    assert judged(stage, 1.0)[:2] == ("", "resolution_limited")
    assert any(
        "WARNING: latency_p95: resolution_limited: the canary has other latency buckets" in one for one in stage.said
    )


def test_errors_take_it_back_without_any_common_edge_near(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    other_buckets(stage, {str(EDGES[0]), str(EDGES[-1])}, monkeypatch)
    assert judged(stage, 1.0, errors=25)[0] == Decision.ROLLBACK


def test_native_buckets_limit_nothing() -> None:
    edges = tuple(0.01 * 2 ** (place / 16) for place in range(80))
    settings = Settings((MetricSettings("latency_p95", "latency", "critical", 1.10, quantile=0.95),),
                        (StepSettings(50, 60, 100),), 5.0, 7200)  # fmt: skip
    plan = plan_judgement(settings, ArmCounts(80_000, 0, (0, *[1000] * 80)), 1800, edges, 100)
    assert (plan.metrics[0].note, plan.metrics[0].limit) == ("", 1.10)
    assert not plan.feasibility.warnings


def test_questions_keep_their_place_in_the_layout_of_counts(stage: Stage) -> None:
    run = stage.run()
    assert run.release.plan is not None
    plan = Plan.from_dict(run.release.plan)
    common = plan.edges[::3]
    coarse = at_edges(plan, common)
    assert (coarse.edges, coarse.baseline, coarse.settings) == (plan.edges, plan.baseline, plan.settings)
    assert fits(coarse, common)
    assert not fits(plan, common)
    for metric in coarse.metrics:
        for part in metric.parts:
            assert {one.edge for one in part.questions} == {part.edge}
            assert plan.edges[part.edge] in common
        assert [plan.edges[place] for place in metric.knots] in ([], list(common))
    assert Plan.from_dict(json.loads(json.dumps(coarse.to_dict()))) == coarse
    Judge(coarse)
    assert isinstance(run.ports.record, Record)


def test_pods_that_are_set_apart_stay_so() -> None:
    edges = (0.05, 0.1, 0.11, 0.2)
    slow = ArmCounts(1000, 100, (200, 300, 100, 200, 100), 1)
    every = ArmCounts(10000, 200, (5000, 3000, 800, 800, 200), 10, apart=slow)
    asked = Settings(
        (MetricSettings("latency_p95", "latency", "critical", 1.10, quantile=0.95),),
        (StepSettings(50, 60, 100),),
        5.0,
        3600,
    )
    had = plan_judgement(asked, every, 600, edges, 100.0)
    assert not fits(had, edges[:2])
    has = at_edges(had, edges[1:])
    (metric,), again = has.metrics, plan_judgement(asked, every.without_apart(), 600, edges, 100.0)
    assert metric.rest is not None
    assert metric.rest.base == again.metrics[0].base < metric.base
    assert {one.edge for one in metric.rest.parts} <= {1, 2, 3}
    assert metric.rest.knots == (1, 2, 3)
