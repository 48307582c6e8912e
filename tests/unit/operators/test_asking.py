"""The operator that asks a person: with the evidence, by the policy's rules, and who answered what is written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from glidepath.errors import RecordError
from glidepath.operators.asking import AskOperator
from glidepath.release.people import Answered, Questioned
from glidepath.release.run import Run
from glidepath.release.tasks.shift import shift
from tests.support.apiserver import ApiServer
from tests.support.guards import started, ticks
from tests.support.stage import Stage

PROVEN = "approval: {before: promotion, timeout: 2h, unanswered: approve, by: [ann, ben]}\n"
IN_DOUBT = "on_undecided: hold\napproval: {unanswered: approve}\n"
Asking = Callable[..., tuple[AskOperator, dict[str, Any]]]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with ApiServer() as server:
        yield Stage(server, tmp_path)


@pytest.fixture
def asking(monkeypatch: pytest.MonkeyPatch) -> Asking:
    """The operator of a release, and what Airflow is told when it asks."""
    told: dict[str, Any] = {}
    monkeypatch.setattr(
        "airflow.providers.standard.operators.hitl.upsert_hitl_detail", lambda **given: told.update(given)
    )

    def made(run: Run, about: str = "promotion", go: str = "promote") -> tuple[AskOperator, dict[str, Any]]:
        operator = AskOperator(task_id="ask", about=about, go=go, subject="promote?", body="[the release](/page)")
        monkeypatch.setattr(operator, "run_of", lambda _: run)
        monkeypatch.setattr(operator, "do_branch", lambda **given: given["branches_to_execute"])
        return operator, told

    return made


def proven(stage: Stage) -> Run:
    """v2 is proven comparable, and the policy wants a person's word."""
    run, guard = started(stage, policy=PROVEN)
    ticks(stage, guard, 4)
    shift(run, 2)
    ticks(stage, guard, 120, each=4, stable_errors=3)
    return run


def in_doubt(stage: Stage) -> Run:
    """Nothing was proven in time."""
    run, guard = started(stage, policy=IN_DOUBT, weights=[20], bake="10m")
    ticks(stage, guard, 4)
    stage.clock += 1200
    ticks(stage, guard, 1)
    return run


def lasts(waits: TaskDeferred) -> float:
    """How long a person has to answer, seconds."""
    return float((waits.trigger.timeout_datetime - datetime.now(UTC)).total_seconds())


def context() -> Any:
    return {"task_instance": SimpleNamespace(id="ti"), "ti": SimpleNamespace()}


def test_a_proven_version_is_asked_about_with_its_numbers_and_promoted_unanswered_if_the_policy_says_so(
    stage: Stage, asking: Asking
) -> None:
    run = proven(stage)
    operator, told = asking(run)
    with pytest.raises(TaskDeferred) as waits:
        operator.execute(context())
    assert lasts(waits.value) == pytest.approx(7200, abs=5)
    assert waits.value.trigger.release_id == run.id
    assert told["subject"] == "prices: promote v2, which is proven comparable?"
    assert told["defaults"] == ["promote"]
    assert [one["id"] for one in told["assigned_users"]] == ["ann", "ben"]
    for part in ("the policy asks a person before a promotion", "At 50 %:", "- errors: ", "(/page)", "it is promoted."):
        assert part in told["body"]
    [asked] = [one for one in run.journal.entries() if isinstance(one, Questioned)]
    assert (asked.unanswered, list(asked.by), asked.until) == ("promote", ["ann", "ben"], run.now() + 7200)


def test_one_that_is_not_proven_goes_back_unanswered_whatever_the_policy_says_of_proven_ones(
    stage: Stage, asking: Asking
) -> None:
    operator, told = asking(in_doubt(stage))
    with pytest.raises(TaskDeferred) as waits:
        operator.execute(context())
    assert lasts(waits.value) == pytest.approx(3600, abs=5)
    assert told["subject"] == "prices: promote v2, which is not proven comparable?"
    assert (told["defaults"], told["assigned_users"]) == (["rollback"], None)
    assert "it goes back." in told["body"]


def event(option: str, by: dict[str, str] | None) -> dict[str, Any]:
    """What Airflow hands over with an answer."""
    return {
        "chosen_options": [option], "params_input": {}, "responded_at": datetime(2026, 11, 28, tzinfo=UTC),
        "responded_by_user": by,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("option", "by", "who"),
    [
        ("promote", {"id": "1", "name": "ann"}, "ann"),
        ("rollback", {"id": "7", "name": ""}, "7"),
        ("rollback", None, ""),
    ],
)
def test_who_answered_what_is_written_down_and_followed(
    stage: Stage, asking: Asking, option: str, by: dict[str, str] | None, who: str
) -> None:
    run = proven(stage)
    operator, _ = asking(run)
    assert operator.execute_complete(context(), event(option, by)) == [option]
    [answer] = [one for one in run.journal.entries() if isinstance(one, Answered)]
    assert (answer.answer, answer.who) == (option, who)


def test_an_answer_that_can_not_be_written_down_is_followed_all_the_same(
    stage: Stage, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, _ = asking(proven(stage))

    def away(_: object) -> Run:
        raise RecordError("away")

    monkeypatch.setattr(operator, "run_of", away)
    assert operator.execute_complete(context(), event("promote", None)) == ["promote"]


def test_another_try_asks_nobody_anew_and_waits_for_the_same_moment(stage: Stage, asking: Asking) -> None:
    """Airflow forgets what was answered when a question is asked again."""
    run = proven(stage)
    operator, told = asking(run)
    with pytest.raises(TaskDeferred):
        operator.execute(context())
    told.clear()
    stage.clock += 7000
    again, _ = asking(run)
    with pytest.raises(TaskDeferred) as waits:
        again.execute(context())
    assert told == {}
    assert lasts(waits.value) == pytest.approx(200, abs=5)
    assert waits.value.trigger.defaults == ["promote"]


def test_another_try_goes_the_way_that_was_answered(stage: Stage, asking: Asking) -> None:
    run = proven(stage)
    run.note(Answered("promote", "ann"))
    operator, told = asking(run)
    assert operator.execute(context()) == ["promote"]
    assert told == {}


def test_a_question_that_airflow_did_not_take_is_asked_by_the_next_try(
    stage: Stage, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = proven(stage)
    operator, told = asking(run)

    def away(**_: Any) -> None:
        raise ConnectionError("away")

    with monkeypatch.context() as patched:
        patched.setattr("airflow.providers.standard.operators.hitl.upsert_hitl_detail", away)
        with pytest.raises(ConnectionError):
            operator.execute(context())
    again, _ = asking(run)
    with pytest.raises(TaskDeferred):
        again.execute(context())
    assert told["defaults"] == ["promote"]


def deployed(stage: Stage, policy: str = "approval: {before: traffic, unanswered: approve}\n") -> Run:
    """v2 has its pods, and no requests."""
    run, _ = started(stage, step=0, policy=policy)
    return run


def test_before_its_first_requests_a_version_is_asked_about_and_goes_back_unanswered(
    stage: Stage, asking: Asking
) -> None:
    run = deployed(stage)
    operator, told = asking(run, "traffic", "step_1.shift")
    with pytest.raises(TaskDeferred) as waits:
        operator.execute(context())
    assert lasts(waits.value) == pytest.approx(3600, abs=5)
    assert told["subject"] == "prices: give v2 its first 20 % of the requests?"
    assert (told["options"], told["defaults"]) == (["begin", "rollback"], ["rollback"])
    assert "it goes back." in told["body"]
    asked = run.journal.question("traffic")
    assert asked is not None
    assert (asked.unanswered, asked.until) == ("rollback", run.now() + 3600)
    assert run.journal.question("promotion") is None


@pytest.mark.parametrize(("option", "way"), [("begin", "step_1.shift"), ("rollback", "rollback")])
def test_its_answer_is_the_way_that_the_run_takes(stage: Stage, asking: Asking, option: str, way: str) -> None:
    run = deployed(stage)
    operator, _ = asking(run, "traffic", "step_1.shift")
    assert operator.execute_complete(context(), event(option, {"id": "1", "name": "ann"})) == [way]
    answer = run.journal.answer("traffic")
    assert answer is not None
    assert (answer.answer, answer.who) == (option, "ann")


def test_a_release_that_asks_nobody_begins_at_once(stage: Stage, asking: Asking) -> None:
    operator, told = asking(deployed(stage, "approval: {before: promotion}\n"), "traffic", "step_1.shift")
    assert operator.execute(context()) == ["step_1.shift"]
    assert told == {}


def test_a_yes_that_can_not_be_written_down_is_tried_again_for_the_first_weight_needs_it(
    stage: Stage, asking: Asking, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator, _ = asking(deployed(stage), "traffic", "step_1.shift")

    def away(_: object) -> Run:
        raise RecordError("away")

    monkeypatch.setattr(operator, "run_of", away)
    with pytest.raises(RecordError):
        operator.execute_complete(context(), event("begin", None))
