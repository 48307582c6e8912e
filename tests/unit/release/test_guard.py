"""The guard: what it decides and when, what it writes down first, and how it begins again."""

from __future__ import annotations

import dataclasses

import pytest

from glidepath.errors import EvidenceError
from glidepath.release.brake import taken_back
from glidepath.release.events import Braked
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.release.questions import PROMOTION, open_question
from glidepath.release.report import report, row
from glidepath.release.run import Run
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.shift import shift
from tests.support.guards import started, ticks
from tests.support.installed import http_routes
from tests.support.stage import Stage


def word(run: Run, step: int) -> Decision | None:
    """The guard's word."""
    told = run.journal.answer_on(step)
    return told[0] if told else None


def test_harm_is_braked_at_once_by_the_guard_itself_and_once(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 8, errors=40)
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert word(run, 1) is Decision.ROLLBACK
    assert sum(isinstance(one, Braked) for one in run.journal.entries()) == 1
    told = report(run.ports.record, run.id)
    assert told.verdict == "FAIL"
    assert told.deciding is not None
    assert told.deciding.name == "errors"
    assert row(told)["limit"] == told.deciding.limit
    writes = stage.written()
    ticks(stage, guard, 3)
    assert stage.written() == writes


SPAM = "metrics: [{kind: errors}, {kind: share, name: spam, event: {result: spam}, margin: 0.05}]\n"


def test_a_model_that_calls_everything_ham_goes_back_although_it_is_quick_and_without_errors(stage: Stage) -> None:
    run, guard = started(stage, policy=SPAM)
    ticks(stage, guard, 8, spam_share=0.0)
    assert stage.weights() == {"v1": 100, "v2": 0}
    told = report(run.ports.record, run.id)
    assert (told.verdict, told.deciding.name if told.deciding else None) == ("FAIL", "spam")
    assert any("spam -" in one and "harm beyond ±5.00 points" in one for one in stage.said)
    # A guard that starts again has the same shares from the record.
    again = Guard(run)
    assert again.looks.judge.no_data(0, 0, "none").metrics == guard.looks.judge.no_data(0, 0, "none").metrics


def test_the_same_predictions_climb(stage: Stage) -> None:
    run, guard = started(stage, policy=SPAM)
    ticks(stage, guard, 4)
    assert word(run, 1) is Decision.ADVANCE


def test_a_good_step_advances_and_the_last_one_promotes(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 4)
    assert word(run, 1) is Decision.ADVANCE
    shift(run, 2)
    ticks(stage, guard, 120, each=4, stable_errors=3)
    assert word(run, 2) is Decision.PROMOTE
    told = report(run.ports.record, run.id)
    assert told.verdict == "PASS"
    assert told.deciding is not None
    assert row(told)["limit"] == told.deciding.safe_limit
    promote(run)
    assert not guard.tick()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("rollback", Decision.ROLLBACK), ("hold", Decision.ASK), ("promote", Decision.PROMOTE)],
)
def test_without_a_decision_the_policy_answers(stage: Stage, answer: str, expected: Decision) -> None:
    run, guard = started(stage, policy=f"on_undecided: {answer}\n", weights=[20], bake="10m")
    ticks(stage, guard, 2)
    stage.clock += 1200
    for _ in range(3):
        stage.traffic()
        guard.tick()
    assert word(run, 1) is expected
    assert taken_back(run) == (expected is Decision.ROLLBACK)


def test_a_person_is_asked_before_a_promotion_if_the_policy_says_so(stage: Stage) -> None:
    run, guard = started(stage, policy="approval: {before: promotion}\n")
    ticks(stage, guard, 4)
    shift(run, 2)
    ticks(stage, guard, 120, each=4, stable_errors=3)
    asked = run.journal.word_on(2)
    assert asked is not None
    assert (asked.decision, asked.proven) == (Decision.ASK, True)
    assert "proven_safe" in asked.reason
    assert stage.weights() == {"v1": 50, "v2": 50}
    assert open_question(run.release.phase, list(run.journal.entries())) is PROMOTION


def test_without_proof_nothing_is_promoted_past_a_person(stage: Stage) -> None:
    run, guard = started(
        stage, policy="on_undecided: promote\napproval: {before: promotion}\n", weights=[20], bake="10m"
    )
    ticks(stage, guard, 2)
    stage.clock += 1200
    for _ in range(3):
        stage.traffic()
        guard.tick()
    asked = run.journal.word_on(1)
    assert asked is not None
    assert (asked.decision, asked.proven) == (Decision.ASK, False)


def test_silence_is_never_promoted(stage: Stage) -> None:
    run, guard = started(stage, policy="on_undecided: promote\n", weights=[20], bake="10m")
    ticks(stage, guard, 2)
    stage.prometheus.down = EvidenceError("away")
    stage.clock += 1199
    guard.tick()
    stage.clock += 5
    guard.tick()
    assert word(run, 1) is Decision.ROLLBACK


def test_a_telemetry_outage_is_waited_out_and_then_goes_back_without_blame(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    stage.prometheus.down = EvidenceError("away")
    for _ in range(5):
        stage.clock += 5
        guard.tick()
    assert not taken_back(run)
    last = run.ports.record.last_look(run.id)
    assert last is not None
    assert last["verdict"] == "NO_DATA"
    stage.clock += 10
    guard.tick()
    assert taken_back(run)
    assert run.journal.harm() is None
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_an_outage_is_as_long_for_guards_that_are_started_again_and_again(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    stage.prometheus.down = EvidenceError("away")
    for _ in range(7):
        assert not taken_back(run)
        stage.clock += 5
        Guard(run).tick()
    assert taken_back(run)
    assert run.journal.answer_on(1)[1].startswith("no data for 30 s, the policy's limit is 30 s")  # type: ignore[index]


def test_data_that_came_back_end_an_outage_for_the_next_guard_too(stage: Stage) -> None:
    run, guard = started(stage, weights=[20], bake="10m")
    ticks(stage, guard, 2)
    stage.prometheus.down = EvidenceError("away")
    guard.tick()
    stage.prometheus.down = None
    ticks(stage, guard, 2)
    again = Guard(run)
    stage.prometheus.down = EvidenceError("away")
    stage.clock += 28
    again.tick()
    assert not taken_back(run)


def test_a_guard_that_begins_again_rebuilds_every_look_to_the_bit(stage: Stage) -> None:
    run, guard = started(stage, weights=[20], bake="10m")
    ticks(stage, guard, 10, errors=1)
    again = Guard(dataclasses.replace(run, ports=stage.ports()))
    assert again.looks.seq == guard.looks.seq
    assert again.looks.judge._last == guard.looks.judge._last
    assert any("rebuilt from" in line for line in stage.said)


def test_other_buckets_are_no_evidence(stage: Stage) -> None:
    run, guard = started(stage)
    guard.looks.plan = dataclasses.replace(guard.looks.plan, edges=guard.looks.plan.edges[:-1])
    ticks(stage, guard, 2)
    last = run.ports.record.last_look(run.id)
    assert last is not None
    assert "buckets changed" in last["reason"]


def test_it_renews_the_lease(stage: Stage) -> None:
    _, guard = started(stage)
    before = stage.server.all("leases")[0]["spec"]["renewTime"]
    ticks(stage, guard, 3)
    assert stage.server.all("leases")[0]["spec"]["renewTime"] > before


@pytest.mark.parametrize("answer", ["rollback", "restore"])
def test_weights_changed_by_somebody_are_drift(stage: Stage, answer: str) -> None:
    run, guard = started(stage, policy=f"on_drift: {answer}\n")
    ticks(stage, guard, 1)
    stage.edit_routes({"http": http_routes({"v1": 10, "v2": 90})}, "a-person")
    seen = guard.looks.seq
    guard.tick()
    assert guard.looks.seq == seen  # nothing was judged
    if answer == "restore":
        assert stage.weights() == {"v1": 80, "v2": 20}
        assert not taken_back(run)
    else:
        assert stage.weights() == {"v1": 100, "v2": 0}
        assert "a-person" in run.journal.answer_on(1)[1]  # type: ignore[index]


def test_a_canary_scaled_away_is_drift(stage: Stage) -> None:
    run, guard = started(stage)
    stage.server.objects[next(key for key in stage.server.objects if key[1] == "prices-v2")]["spec"]["replicas"] = 0
    guard.tick()
    assert "v2 was scaled to 0" in run.journal.answer_on(1)[1]  # type: ignore[index]


def test_a_lost_claim_is_left_to_its_next_holder(stage: Stage) -> None:
    run, guard = started(stage)
    state = run.ports.claims.read()
    assert state is not None
    run.ports.claims.take_over(state, "somebody", 60)
    stage.clock += 30
    stage.traffic()
    for _ in range(3):
        guard.tick()
    assert taken_back(run)


@pytest.mark.parametrize("step_s", [600.0, -600.0])
def test_a_wall_clock_that_steps_changes_neither_verdict_nor_claim(stage: Stage, step_s: float) -> None:
    run, _ = started(stage)
    offset = [0.0]
    guard = Guard(dataclasses.replace(run, now=lambda: stage.clock + offset[0]))
    guard.tick()
    offset[0] = step_s
    before = stage.server.all("leases")[0]["metadata"]["resourceVersion"]
    ticks(stage, guard, 2)
    assert stage.server.all("leases")[0]["metadata"]["resourceVersion"] != before
    last = run.ports.record.last_look(run.id)
    assert last is not None
    assert last["verdict"] != "NO_DATA"
    ticks(stage, guard, 8, errors=40)
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_a_canary_whose_latency_is_not_counted_is_never_promoted(stage: Stage) -> None:
    run, guard = started(stage, policy="on_undecided: promote\n", weights=[20])
    for _ in range(5):
        stage.traffic()
        for key in [key for key in stage.prometheus.samples if _latency_of_v2(dict(key))]:
            del stage.prometheus.samples[key]
        guard.tick()
    last = run.ports.record.last_look(run.id)
    assert last is not None
    assert (last["verdict"], last["reason"]) == ("UNDECIDED", "not_counted")
    stage.clock += 1200
    guard.tick()
    assert word(run, 1) is Decision.ROLLBACK
    assert run.journal.harm() is None


def _latency_of_v2(labels: dict[str, str]) -> bool:
    return (labels.get("version"), labels.get("name")) == ("v2", "latency")
