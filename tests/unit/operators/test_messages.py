"""The task that sends messages: it never fails, and the last task tells only what it can't."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from glidepath.errors import RecordError
from glidepath.operators import messages
from glidepath.operators.messages import MessagesOperator, tell_the_end
from tests.support.stage import Stage

TOLD = "messages: [{to: cloudevents, connection: broker}]\n"


def context(try_number: int = 1) -> Any:
    """As Airflow gives it, for the release `dag/run`."""
    ti = SimpleNamespace(dag_id="dag", run_id="run", try_number=try_number, max_tries=3)
    return {"dag": SimpleNamespace(dag_id="dag"), "run_id": "run", "ti": ti}


def test_it_waits_deferred_for_longer_than_the_release_can_last(linked: Stage) -> None:
    linked.run(policy=TOLD)
    with pytest.raises(TaskDeferred) as deferred:
        MessagesOperator(task_id="messages").execute(context())
    assert deferred.value.trigger.release_id == "dag/run"
    assert deferred.value.timeout > timedelta(minutes=20)


def test_without_channels_or_a_release_there_is_nothing_to_do(linked: Stage) -> None:
    MessagesOperator(task_id="messages").execute(context())
    linked.run()
    MessagesOperator(task_id="messages").execute(context())


def test_a_record_that_is_away_is_tried_again_and_then_no_fault_of_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_: str) -> None:
        raise RecordError("gone")

    monkeypatch.setattr(messages, "_spec", away)
    with pytest.raises(RecordError):
        MessagesOperator(task_id="messages").execute(context(1))
    MessagesOperator(task_id="messages").execute(context(4))


@pytest.mark.parametrize(
    ("state", "told"), [("deferred", False), ("running", False), ("failed", True), ("success", True), ("", True)]
)
def test_the_last_task_tells_the_end_where_the_task_for_it_does_not(
    linked: Stage, monkeypatch: pytest.MonkeyPatch, state: str, told: bool
) -> None:
    from glidepath.release.phases import Phase

    run, sent = linked.run(policy=TOLD), []
    monkeypatch.setattr("glidepath.triggers.places.task_state", lambda _: state)
    monkeypatch.setattr(messages, "last_words", lambda release, *_: sent.append(release))
    tell_the_end(run, context())
    assert sent == []
    run.close(Phase.REFUSED, "another was first")
    tell_the_end(run, context())
    assert sent == (["dag/run"] if told else [])
