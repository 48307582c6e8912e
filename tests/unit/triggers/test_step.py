"""The triggers: they survive serialization, fire when they must, and end with the release."""

from __future__ import annotations

import asyncio
import dataclasses
import importlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.triggers.base import TriggerEvent

from glidepath.errors import ClusterError, RecordError
from glidepath.record import Record
from glidepath.release.abort import abort
from glidepath.release.events import Decided
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.release.run import Run
from glidepath.release.tasks.rollback import rollback
from glidepath.triggers.guard import GuardTrigger
from glidepath.triggers.step import BakeTrigger, ObserveTrigger
from tests.support.airflow_api import api_error
from tests.support.guards import at_first_step
from tests.support.stage import Stage

Shifted = tuple[Stage, Run]


@pytest.mark.parametrize("former", ["bake.BakeTrigger", "bake.ObserveTrigger", "held.HeldTrigger"])
def test_a_trigger_that_airflow_stored_under_its_former_name_goes_on(former: str) -> None:
    """Its row outlives an upgrade of this code; from then on it is stored under its own name."""
    module, name = former.split(".")
    found = getattr(importlib.import_module(f"glidepath.triggers.{module}"), name)
    assert found.__module__ in ("glidepath.triggers.step", "glidepath.triggers.queueing")


@pytest.mark.parametrize(
    "trigger",
    [
        BakeTrigger("dag/run", 2, 90.0),
        ObserveTrigger("dag/run", 2, 90.0),
        GuardTrigger("dag/run"),
    ],
    ids=["bake", "observe", "guard"],
)
def test_a_trigger_survives_the_database(trigger: Any) -> None:
    path, arguments = trigger.serialize()
    module, _, name = path.rpartition(".")
    again = getattr(__import__(module, fromlist=[name]), name)(**arguments)
    assert type(again) is type(trigger)
    assert again.serialize() == (path, arguments)


async def event_of(run: AsyncIterator[TriggerEvent], meanwhile: Callable[[], object]) -> dict[str, Any]:
    """The trigger's event; `meanwhile` is called once it runs, beside its loop: it may wait for what the trigger does."""
    task = asyncio.ensure_future(anext(run))
    await asyncio.sleep(0.05)
    assert not task.done()
    await asyncio.to_thread(meanwhile)
    return dict((await asyncio.wait_for(task, 30)).payload)


@pytest.fixture
def shifted(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shifted:
    """A release whose canary has weight, and the record where triggers look for it."""
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", f"sqlite:///{tmp_path}/record.db")
    return stage, at_first_step(stage.run())


def test_a_bake_wakes_by_the_guards_word(shifted: Shifted) -> None:
    _, run = shifted
    word = {"decision": "advance", "reason": "good"}
    event = asyncio.run(event_of(BakeTrigger(run.id, 1, 90).run(), lambda: run.note(Decided(1, **word))))
    assert event == {"status": "decided"}


def test_a_bake_wakes_when_the_release_is_taken_back(shifted: Shifted) -> None:
    _, run = shifted
    event = asyncio.run(event_of(BakeTrigger(run.id, 1, 90).run(), lambda: abort(run, "killed")))
    assert event == {"status": "decided"}


def test_a_bake_notices_that_nobody_looks(shifted: Shifted) -> None:
    _, run = shifted

    async def first() -> dict[str, Any]:
        return dict((await asyncio.wait_for(anext(BakeTrigger(run.id, 1, 0.6).run()), 30)).payload)

    event = asyncio.run(first())
    assert event["status"] == "silent"
    assert "is the triggerer alive" in event["why"]


def test_a_clock_that_steps_does_not_make_the_guard_count_as_gone(
    shifted: Shifted, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run = shifted
    trigger = BakeTrigger(run.id, 1, 90)
    assert (trigger._decided(), trigger._silent()) == (None, None)
    real = time.time
    for step_s in (600, -600):
        monkeypatch.setattr(time, "time", lambda step_s=step_s: real() + step_s)
        assert (trigger._decided(), trigger._silent()) == (None, None)


def test_a_window_without_looks_is_no_silence_while_the_guard_shows_life(shifted: Shifted) -> None:
    _, run = shifted
    trigger = BakeTrigger(run.id, 3, 0.6)
    look = run.ports.record.last_look(run.id)
    trigger._newest = look["at"] if look else 0.0, time.monotonic() - 5
    assert trigger._decided() is None
    assert trigger._silent()["status"] == "silent"  # type: ignore[index]
    run.ports.record.add_event(run.id, "watching", {}, time.time())
    assert (trigger._decided(), trigger._silent()) == (None, None)


def test_a_window_that_a_person_ends_in_airflow_takes_the_version_back(
    shifted: Shifted, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, run = shifted
    trigger = ObserveTrigger(run.id, 3, 90.0)
    monkeypatch.setattr(trigger, "_run", lambda: run)
    asyncio.run(trigger.on_kill())
    assert made.weights()["v2"] == 0
    assert run.journal.answer_on(1) == (
        Decision.ROLLBACK,
        "a person ended the observation after the promotion in Airflow",
    )


def test_the_guard_goes_on_through_errors_and_ends_with_the_release(
    shifted: Shifted, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, run = shifted
    trigger = GuardTrigger(run.id)
    monkeypatch.setattr(trigger, "_run", lambda: run)
    monkeypatch.setattr("glidepath.triggers.watching.ROUNDS_A_SCRAPE", 500)
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    made.server.fail("GET", "virtualservices", 500, times=3)

    def back() -> None:
        while sum(status == 500 for _, _, status in made.server.log) < 3:
            time.sleep(0.01)
        abort(run, "enough")
        rollback(run)

    event = asyncio.run(event_of(trigger.run(), back))
    assert event["status"] == "closed"


@pytest.mark.parametrize("times", [1, 6])
def test_a_record_that_is_away_for_a_moment_ends_no_bake(
    shifted: Shifted, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """Each failure of a trigger is one of its task's few tries, however many hours lie between two of them."""
    _, run = shifted
    monkeypatch.setattr("glidepath.triggers.marks.POLL_S", 0.01)
    away, read = iter(range(times)), Record.once

    def refused(record: Record, *args: str) -> Any:
        if next(away, None) is not None:
            raise RecordError("the record database refused: the connection was lost")
        return read(record, *args)

    monkeypatch.setattr(Record, "once", refused)
    word = {"decision": "advance", "reason": "good"}
    trigger = BakeTrigger(run.id, 1, 90)
    event = asyncio.run(event_of(trigger.run(), lambda: run.note(Decided(1, **word))))
    assert event == {"status": "decided"}
    assert next(away, None) is None


@pytest.mark.parametrize(
    "error",
    [
        RecordError("away"),
        ClusterError("away", 0),
        api_error(503),
    ],
)
def test_a_guard_begins_once_what_it_needs_can_be_read(
    shifted: Shifted, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    _, run = shifted
    monkeypatch.setattr("glidepath.triggers.watching.ROUNDS_A_SCRAPE", 500)
    monkeypatch.setattr("glidepath.triggers.guard.STAND_BY_S", 0.01)
    away = iter([error] * 5)

    def told() -> Any:
        if (met := next(away, None)) is not None:
            raise met
        return run

    trigger = GuardTrigger(run.id)
    monkeypatch.setattr(trigger, "_run", told)

    def back() -> None:
        abort(run, "enough")
        rollback(run)

    event = asyncio.run(event_of(trigger.run(), back))
    assert event["status"] == "closed"
    turn = run.ports.record.turns.find(run.id, "guard")
    assert (next(away, None), turn.number) == (None, 1)  # type: ignore[union-attr]


def test_a_guard_whose_token_was_changed_goes_on_with_the_connection_s_new_one(
    shifted: Shifted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its client is made once, and a release may take hours."""
    made, run = shifted
    monkeypatch.setattr("glidepath.triggers.watching.ROUNDS_A_SCRAPE", 500)
    monkeypatch.setattr("glidepath.kube.calls.REFUSED_S", 0.0)
    trigger, clients = GuardTrigger(run.id), []

    def fresh() -> Any:
        clients.append(dataclasses.replace(run, ports=made.ports()))
        return clients[-1]

    monkeypatch.setattr(trigger, "_run", fresh)

    def back() -> None:
        while len(clients) < 1:
            time.sleep(0.01)
        made.server.fail("GET", "virtualservices", 401, times=1)
        while len(clients) < 2:
            time.sleep(0.01)
        abort(run, "enough")
        rollback(run)

    event = asyncio.run(event_of(trigger.run(), back))
    assert event["status"] == "closed"
    turn = run.ports.record.turns.find(run.id, "guard")
    assert turn.number == 1  # type: ignore[union-attr]
    assert len(clients) == 2


def test_a_guard_goes_on_through_an_error_that_nobody_thought_of(
    shifted: Shifted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow can't give a connection just then, say: each end of a trigger is one of its task's few tries."""
    _, run = shifted
    monkeypatch.setattr("glidepath.triggers.watching.ROUNDS_A_SCRAPE", 500)
    trigger, tick = GuardTrigger(run.id), Guard.attend
    monkeypatch.setattr(trigger, "_run", lambda: run)
    met = iter([KeyError("odd"), RuntimeError("odd")] * 4)

    def odd(guard: Guard) -> bool:
        if (error := next(met, None)) is not None:
            raise error
        return tick(guard)

    monkeypatch.setattr(Guard, "attend", odd)

    def back() -> None:
        abort(run, "enough")
        rollback(run)

    event = asyncio.run(event_of(trigger.run(), back))
    assert (event["status"], next(met, None)) == ("closed", None)


def test_a_guard_that_is_ended_by_a_person_brakes(shifted: Shifted, monkeypatch: pytest.MonkeyPatch) -> None:
    made, run = shifted
    trigger = GuardTrigger(run.id)
    monkeypatch.setattr(trigger, "_run", lambda: run)
    assert made.weights()["v2"] == 20
    asyncio.run(trigger.on_kill())
    assert made.weights()["v2"] == 0


def test_the_record_is_found_by_its_address(shifted: Shifted) -> None:
    _, run = shifted
    assert Record().get(run.id).id == run.id
