"""The task that sends messages: it never fails, and the last task tells only what it can't."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred
from airflow.sdk.log import mask_secret

from glidepath.errors import RecordError
from glidepath.operators import messages
from glidepath.operators.messages import MessagesOperator, tell_refused, tell_the_end, why_refused
from glidepath.operators.tasks import ENDED, FinishOperator, PlanOperator
from tests.support.bot import Bot, served
from tests.support.stage import POLICY, Stage

NO_IMAGE = ValueError("no image v9")
TOLD = "messages: [{to: cloudevents, connection: broker}]\n"


@pytest.fixture
def bot() -> Iterator[Bot]:
    """A service that takes POSTs."""
    with served() as made:
        yield made


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


def refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, bot: Bot, why: Exception = NO_IMAGE, extra: Any = None, **params: Any
) -> list[Any]:
    """What a service is sent when `plan` was refused; `extra` is an event's that started the run."""
    path = folder / "policy.yaml"
    path.write_text(POLICY + TOLD)
    monkeypatch.setenv("AIRFLOW_CONN_BROKER", bot.url)
    given = context() | {"params": {"version": "v9"} | params}
    if extra is not None:
        event = SimpleNamespace(timestamp=1.0, extra=extra)
        given |= {"dag_run": SimpleNamespace(run_type="asset_triggered"), "triggering_asset_events": {"a": [event]}}
    tell_refused(given, str(path), why_refused(why))
    return bot.bodies()


@pytest.mark.usefixtures("linked")
def test_a_refused_plan_is_told_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bot: Bot) -> None:
    [body] = refused(tmp_path, monkeypatch, bot)
    assert body["type"].endswith("release.ended")
    assert (body["data"]["state"], body["data"]["sentence"]) == ("REFUSED", "no image v9")
    assert body["data"]["canary"] == "v9"


@pytest.mark.usefixtures("linked")
def test_a_dry_run_is_told_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bot: Bot) -> None:
    assert refused(tmp_path, monkeypatch, bot, dry_run=True) == []


@pytest.mark.usefixtures("linked")
def test_what_an_event_asked_for_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bot: Bot) -> None:
    [body] = refused(tmp_path, monkeypatch, bot, extra={"version": "v10"})
    assert body["data"]["canary"] == "v10"
    assert len(refused(tmp_path, monkeypatch, bot, extra={"version": "v10", "dry_run": True})) == 1


@pytest.mark.usefixtures("linked")
def test_a_secret_that_airflow_knows_is_not_told_and_an_error_without_words_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bot: Bot
) -> None:
    mask_secret("correct-horse-battery")
    refused(tmp_path, monkeypatch, bot, RuntimeError("login with correct-horse-battery failed"))
    refused(tmp_path, monkeypatch, bot, TimeoutError())
    assert [body["data"]["sentence"] for body in bot.bodies()] == ["login with *** failed", "TimeoutError"]


def test_what_the_record_has_is_told_from_there(
    linked: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bot: Bot
) -> None:
    linked.run(policy=TOLD)
    assert refused(tmp_path, monkeypatch, bot) == []


@pytest.mark.usefixtures("linked")
def test_a_dead_service_holds_a_refused_plan_for_some_seconds_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "airflow.task")
    bot.answers = ["hangs"]
    monkeypatch.setattr(messages, "LAST_S", 0.5)
    began = time.monotonic()
    refused(tmp_path, monkeypatch, bot)
    assert time.monotonic() - began < 5
    assert "cloudevents-1: has not answered within 0.5 s" in caplog.text


@pytest.mark.usefixtures("linked")
def test_a_policy_that_can_not_be_read_breaks_nothing(tmp_path: Path) -> None:
    tell_refused(context() | {"params": {}}, str(tmp_path / "none.yaml"), "no image v9")


class Kept:
    """A task instance's messages to other tasks."""

    dag_id, run_id, try_number, max_tries = "dag", "run", 1, 0

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}

    def xcom_push(self, key: str, value: str) -> None:
        self.kept[key] = value

    def xcom_pull(self, key: str, **_: str) -> str | None:
        return self.kept.get(key)


@pytest.mark.usefixtures("linked")
@pytest.mark.parametrize(
    ("version", "planned", "told"),
    [("v9 or so", True, "the run's parameters are refused"), ("v9", False, ENDED)],
    ids=["plan refuses it", "a person marks plan as failed before it has run"],
)
def test_whatever_became_of_plan_the_last_task_tells_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bot: Bot, version: str, planned: bool, told: str
) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY + TOLD)
    monkeypatch.setenv("AIRFLOW_CONN_BROKER", bot.url)
    given: Any = context() | {"params": {"version": version}, "ti": Kept()}
    if planned:
        plan = PlanOperator(task_id="plan", policy_path=str(path), go="claim", stay="no", late="late")
        with pytest.raises(AirflowFailException):
            plan.execute(given)
        assert not plan.has_on_failure_callback, "Airflow would call it beside the last task"
    with pytest.raises(AirflowFailException, match="nothing was touched"):
        FinishOperator(task_id="finish", plan="plan", policy_path=str(path)).execute(given)
    [body] = bot.bodies()
    assert body["data"]["state"] == "REFUSED"
    assert body["data"]["sentence"].startswith(told)
