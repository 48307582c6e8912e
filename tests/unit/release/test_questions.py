"""What people are asked, as the journal has it: which question is open, and what it takes to begin."""

from __future__ import annotations

import pytest

from glidepath.errors import NotApprovedError
from glidepath.release.asking import possible
from glidepath.release.entry import Entry
from glidepath.release.events import Decided, WeightGiven
from glidepath.release.people import Answered, Asked, Questioned
from glidepath.release.phases import Phase
from glidepath.release.questions import PROMOTION, TRAFFIC, Question, approved, counts_from, open_question
from glidepath.release.tasks.shift import shift
from tests.support.guards import started, ticks
from tests.support.stage import Stage

ASKS_FIRST = "approval: {before: traffic}\n"
ASKED, YES = Questioned(4600.0, "rollback", about="traffic"), Answered("begin", "ann", "traffic")
WAITS = Decided(2, "ask", "proven", 9)
APPROVES = Asked("approve", "ann", "it is fine")


@pytest.mark.parametrize(
    ("phase", "entries", "expected"),
    [
        (Phase.DEPLOYED, [], None),
        (Phase.DEPLOYED, [ASKED], TRAFFIC),
        (Phase.DEPLOYED, [ASKED, APPROVES], None),
        (Phase.BAKING, [ASKED, YES, WeightGiven(1, 20)], None),
        (Phase.BAKING, [ASKED, APPROVES, YES, WAITS], PROMOTION),
        (Phase.BAKING, [ASKED, APPROVES, YES, WAITS, APPROVES], None),
        (Phase.BAKING, [WAITS, Decided(2, "rollback", "no data", 10)], None),
    ],
)
def test_the_question_that_is_open(phase: Phase, entries: list[Entry], expected: Question | None) -> None:
    assert open_question(phase, entries) is expected
    can = possible(phase, None, entries)
    assert (can == ["approve", "reject"]) == (expected is not None)


def test_who_let_it_begin_has_not_approved_its_promotion() -> None:
    began: list[Entry] = [ASKED, APPROVES, YES, WeightGiven(1, 20)]
    assert not approved(began)
    assert possible(Phase.BAKING, None, began) == ["hold", "take-back"]
    assert approved([*began, WAITS, APPROVES])


def test_waiting_to_begin_takes_nothing_of_the_time_to_decide(stage: Stage) -> None:
    run = stage.run(policy=ASKS_FIRST)
    assert counts_from(1000.0, run.spec.approval.before, []) == 1000
    assert counts_from(1000.0, run.spec.approval.before, [ASKED]) == 4600
    given = WeightGiven(1, 20, noted=9000.0)
    assert counts_from(1000.0, run.spec.approval.before, [ASKED, given, WeightGiven(2, 50, noted=9900.0)]) == 9000
    assert counts_from(1000.0, (), [ASKED, given]) == 1000


def test_a_release_that_waited_for_days_has_all_its_time_to_be_proven(stage: Stage) -> None:
    run, guard = started(stage, step=0, policy=ASKS_FIRST)
    run.note(Questioned(run.now() + 400_000, "rollback", about="traffic"))
    stage.clock += 300_000
    run.note(YES)
    shift(run, 1)
    ticks(stage, guard, 6)
    assert run.journal.word_on(1) is None or run.journal.word_on(1).decision == "advance"  # type: ignore[union-attr]
    assert run.deadline() == run.journal.weights()[0].noted + run.spec.max_duration


@pytest.mark.parametrize(
    "said", [[], [ASKED], [ASKED, Answered("rollback", "ben", "traffic")], [Answered("promote", "ann")]]
)
def test_without_a_yes_no_request_is_given_whatever_airflow_does(stage: Stage, said: list[Entry]) -> None:
    run, _ = started(stage, step=0, policy=ASKS_FIRST)
    for entry in said:
        run.note(entry)
    before = stage.written()
    with pytest.raises(NotApprovedError, match="no request was sent to it"):
        shift(run, 1)
    assert stage.written() == before
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_with_a_yes_it_begins(stage: Stage) -> None:
    run, _ = started(stage, step=0, policy=ASKS_FIRST)
    run.note(ASKED)
    run.note(YES)
    shift(run, 1)
    assert stage.weights() == {"v1": 80, "v2": 20}
