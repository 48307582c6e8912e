"""What people ask of a release: it is recorded with who and why, the guard follows it, and what can't be done is refused."""

from __future__ import annotations

import pytest

from glidepath.errors import AskedError, NoReleaseError
from glidepath.release.asking import ask, held
from glidepath.release.events import Committed
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.release.run import Run, StepInForce
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.shift import shift
from tests.support.guards import annotated, started, ticks
from tests.support.releases import observed, taken_back, waiting
from tests.support.stage import Stage


def asks(stage: Stage, run: Run, what: str, why: str = "a customer complains") -> None:
    """A person named ops asks."""
    ask(stage.record, run.id, what, "ops", why, stage.clock)


def step(run: Run) -> StepInForce:
    """The one in force."""
    found = run.step()
    assert found is not None
    return found


def word(run: Run, step: int) -> Decision | None:
    """The guard's word."""
    told = run.journal.answer_on(step)
    return told[0] if told else None


def test_to_take_it_back_puts_all_traffic_on_stable_at_the_next_tick_and_says_who_and_why(stage: Stage) -> None:
    run, guard = started(stage)
    asks(stage, run, "take-back")
    guard.tick()
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert run.journal.answer_on(1) == (Decision.ROLLBACK, "taken back by ops: a customer complains")


def test_before_the_first_weight_it_goes_back_as_well(stage: Stage) -> None:
    run = stage.run()
    claim(run)
    deploy(run)
    asks(stage, run, "take-back")
    guard = Guard(run)
    guard.tick()
    shift(run, 1)
    assert stage.weights().get("v2", 0) == 0
    assert run.journal.taken_back()


def test_a_release_that_is_held_stays_at_its_weight_until_it_is_resumed(stage: Stage) -> None:
    run, guard = started(stage)
    asks(stage, run, "hold", "wait for the sale to end")
    ticks(stage, guard, 8)
    assert (word(run, 1), stage.weights()) == (None, {"v1": 80, "v2": 20})
    asks(stage, run, "resume", "it is over")
    ticks(stage, guard, 1)
    assert word(run, 1) is Decision.ADVANCE


def test_a_proof_at_the_last_weight_promotes_nothing_that_is_held(stage: Stage) -> None:
    run, guard = started(stage, weights=[50])
    asks(stage, run, "hold")
    ticks(stage, guard, 60, stable_errors=3)
    assert guard.looks.newest is not None
    assert guard.looks.newest.verdict == "PASS"
    assert word(run, 1) is None
    asks(stage, run, "resume")
    ticks(stage, guard, 1, stable_errors=3)
    assert word(run, 1) is Decision.PROMOTE


def test_harm_takes_back_what_is_held(stage: Stage) -> None:
    run, guard = started(stage)
    asks(stage, run, "hold")
    ticks(stage, guard, 8, errors=40)
    assert word(run, 1) is Decision.ROLLBACK
    assert stage.weights() == {"v1": 100, "v2": 0}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [("rollback", Decision.ROLLBACK), ("hold", Decision.ASK), ("promote", Decision.ASK)],
)
def test_the_deadline_is_kept_and_promotes_nothing_that_is_held(stage: Stage, answer: str, expected: Decision) -> None:
    run, guard = started(stage, policy=f"on_undecided: {answer}\n", weights=[20], bake="10m")
    asks(stage, run, "hold")
    ticks(stage, guard, 2)
    stage.clock += 1200
    ticks(stage, guard, 3)
    assert word(run, 1) is expected


def test_an_observation_ends_early_when_a_person_says_so(stage: Stage) -> None:
    told = observed(stage)
    asks(stage, told.run, "commit", "a hotfix has to go out")
    told.guard.tick()
    word_ = told.run.journal.word_on(3)
    assert word_ is not None
    assert "ended early by ops: a hotfix has to go out" in word_.reason


def test_a_no_to_the_question_goes_back_at_once_and_a_yes_is_written_down(stage: Stage) -> None:
    told = waiting(stage)
    asks(stage, told.run, "reject", "not in this state")
    told.guard.tick()
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_a_yes_is_written_down_and_airflow_goes_on(stage: Stage) -> None:
    told = waiting(stage)
    asks(stage, told.run, "approve", "the numbers are fine")
    told.guard.tick()
    assert stage.weights() == {"v1": 80, "v2": 20}
    [said] = told.run.journal.asked()
    assert (said.what, said.who, said.why, said.noted) == ("approve", "ops", "the numbers are fine", stage.clock)
    with pytest.raises(AskedError, match="approve was asked"):
        asks(stage, told.run, "approve")


def test_what_has_been_said_to_be_promoted_can_go_back_and_not_be_held(stage: Stage) -> None:
    told = waiting(stage)
    asks(stage, told.run, "approve", "the numbers are fine")
    with pytest.raises(AskedError, match="expected one of take-back"):
        asks(stage, told.run, "hold")
    asks(stage, told.run, "take-back")
    told.guard.tick()
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_the_guards_own_word_to_promote_is_not_held_either(stage: Stage) -> None:
    run, guard = started(stage)
    guard.deciding.decide(step(run), Decision.PROMOTE, "PASS")
    with pytest.raises(AskedError, match="expected one of take-back"):
        asks(stage, run, "hold")
    assert run.journal.asked() == []


def test_the_lease_asks_the_same_and_to_go_back_comes_first(stage: Stage) -> None:
    run, guard = started(stage)
    annotated(stage, "take-back", "from a terminal")
    asks(stage, run, "hold")
    ticks(stage, guard, 1)
    told = run.journal.answer_on(1)
    assert told is not None
    assert told[0] is Decision.ROLLBACK
    assert told[1].endswith("from a terminal")


def test_the_lease_holds_a_release_and_lets_it_go_on_and_the_record_says_so(stage: Stage) -> None:
    def on_lease() -> set[str]:
        return {name.rpartition("/")[2] for name in stage.server.all("leases")[0]["metadata"]["annotations"]}

    run, guard = started(stage)
    annotated(stage, "hold", "sale until noon")
    ticks(stage, guard, 12)
    found = held(run.journal.asked())
    assert found is not None
    assert (found.why, found.who.split()[0]) == ("sale until noon", "kubectl-annotate")
    assert word(run, 1) is None
    assert "hold" not in on_lease(), "the record has it: it can be asked again"
    annotated(stage, "resume", "the sale is over")
    ticks(stage, guard, 1)
    assert held(run.journal.asked()) is None
    assert word(run, 1) is Decision.ADVANCE
    assert [one.what for one in run.journal.asked()] == ["hold", "resume"]


def test_what_the_lease_can_not_ask_now_is_told_in_the_log_and_taken_off(stage: Stage) -> None:
    run, guard = started(stage)
    annotated(stage, "resume", "go on")
    guard.tick()
    guard.tick()
    assert [line for line in stage.said if "resume was asked" in line and "expected one of hold, take-back" in line]
    assert len([line for line in stage.said if "resume was asked" in line]) == 1
    assert run.journal.asked() == []


def test_past_the_point_of_no_return_nobody_is_heard_and_nothing_is_said(stage: Stage) -> None:
    told = observed(stage)
    told.run.note(Committed())
    annotated(stage, "take-back", "too late")
    with pytest.raises(AskedError, match="nothing can be asked of this one"):
        asks(stage, told.run, "take-back")
    said = len(stage.said)
    told.guard.tick()
    assert stage.said[said:] == []
    assert stage.weights() == {"v1": 5, "v2": 95}


@pytest.mark.parametrize(
    ("what", "why", "told"),
    [
        ("commit", "a reason", "commit was asked of release dag/run, which is baking; expected one of hold, take-back"),
        ("resume", "a reason", "expected one of hold, take-back"),
        ("delete", "a reason", "delete was asked"),
        ("take-back", " x ", "a reason of 1 characters; expected 3 to 500"),
        ("take-back", "x" * 501, "a reason of 501 characters"),
    ],
)
def test_what_can_not_be_done_is_refused_and_nothing_is_written(stage: Stage, what: str, why: str, told: str) -> None:
    run, _ = started(stage)
    with pytest.raises(AskedError, match=told):
        asks(stage, run, what, why)
    assert run.journal.asked() == []


def test_of_a_release_that_is_over_nothing_can_be_asked_and_of_none_neither(stage: Stage) -> None:
    told = taken_back(stage)
    with pytest.raises(AskedError, match="which is rolled_back; expected a release under way"):
        asks(stage, told.run, "take-back")
    with pytest.raises(NoReleaseError):
        ask(stage.record, "nobody/knows", "take-back", "ops", "a reason", stage.clock)


def test_who_held_it_last_is_known(stage: Stage) -> None:
    run, _ = started(stage)
    assert held(run.journal.asked()) is None
    asks(stage, run, "hold", "first")
    said = held(run.journal.asked())
    assert said is not None
    assert said.why == "first"
    asks(stage, run, "resume", "go on")
    assert held(run.journal.asked()) is None
