"""A trigger that Airflow ended here: a person did it, or another process was given it."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from glidepath.release.phases import Phase
from glidepath.release.run import Run
from glidepath.triggers import places
from glidepath.triggers.guard import GuardTrigger
from glidepath.triggers.places import Place
from glidepath.triggers.step import ObserveTrigger
from tests.support.airflow_api import task_is
from tests.support.guards import at_first_step
from tests.support.stage import Stage

TASK = SimpleNamespace(dag_id="dag", run_id="run", task_id="guard")
Asked = Callable[[Any], None]


@pytest.fixture
def made(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Stage, Run]:
    """A release whose canary has weight, and the record where triggers look for it."""
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", f"sqlite:///{tmp_path}/record.db")
    monkeypatch.setattr("glidepath.triggers.watching.ROUNDS_A_SCRAPE", 500)
    monkeypatch.setattr(places, "SIGN_S", 0.02)
    places.warmed.set()
    run = at_first_step(stage.run())
    monkeypatch.setattr("glidepath.hooks.ports.load_run", lambda *_: dataclasses.replace(run, ports=stage.ports()))
    return stage, run


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Says what Airflow answers: a state, or an error, or nothing for a while."""
    return lambda answer: task_is(monkeypatch, ("dag", "run", "guard"), answer)


def guard(run: Run) -> GuardTrigger:
    """A guard's trigger, as Airflow makes it."""
    made = GuardTrigger(run.id)
    made._task_instance = TASK  # type: ignore[assignment]
    return made


def ended(trigger: GuardTrigger | ObserveTrigger) -> float:
    """Airflow ends it; how long that took."""
    began = time.monotonic()
    asyncio.run(trigger.on_kill())
    return time.monotonic() - began


@pytest.mark.parametrize("state", ["failed", "success", "skipped", "removed", "scheduled", None, "gone"])
def test_a_persons_word_brakes_at_once(made: tuple[Stage, Run], airflow: Asked, state: str | None) -> None:
    stage, run = made
    airflow(state)
    trigger = guard(run)
    trigger._place.take()
    assert ended(trigger) < 2
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert run.journal.answer_on(1)[1] == "the guard was ended by a person"  # type: ignore[index]


@pytest.mark.parametrize("answer", ["nothing", RuntimeError("no answer")])
def test_when_nobody_can_say_it_brakes_within_two_seconds(
    made: tuple[Stage, Run], airflow: Asked, answer: object
) -> None:
    stage, run = made
    airflow(answer)
    trigger = guard(run)
    trigger._place.take()
    assert ended(trigger) < 2
    assert stage.weights()["v2"] == 0


def test_a_guard_that_another_process_was_given_changes_nothing(made: tuple[Stage, Run], airflow: Asked) -> None:
    stage, run = made
    airflow("nothing")
    old, new = guard(run), guard(run)
    old._place.take()
    new._place.take()
    before = stage.written()
    assert ended(old) < 2
    assert stage.written() == before
    assert run.journal.answer_on(1) is None
    assert ended(new) < 2  # the one at work is ended by a person
    assert stage.weights()["v2"] == 0


def test_airflows_word_is_enough_before_the_other_has_begun(made: tuple[Stage, Run], airflow: Asked) -> None:
    stage, run = made
    airflow("deferred")
    trigger = guard(run)
    trigger._place.take()
    assert ended(trigger) < 2
    assert stage.weights()["v2"] == 20


def test_another_that_has_shown_no_life_for_long_does_not_count(
    made: tuple[Stage, Run], airflow: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, run = made
    airflow("nothing")
    old, gone = guard(run), Place(run.id, "guard")
    old._place.take()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda now=time.time(): now - 60)
        gone.take()
    ended(old)
    assert stage.weights()["v2"] == 0


def test_an_observer_that_another_process_was_given_leaves_the_promotion_alone(
    made: tuple[Stage, Run], airflow: Asked
) -> None:
    stage, run = made
    airflow("nothing")
    old, new = (ObserveTrigger(run.id, 3, 90.0) for _ in range(2))
    for one in (old, new):
        one._keep()
    assert ended(old) < 2
    assert stage.weights()["v2"] == 20
    ended(new)
    assert stage.weights()["v2"] == 0


def test_of_two_that_were_begun_the_newer_one_is_at_work_and_the_other_stands_by(made: tuple[Stage, Run]) -> None:
    stage, run = made
    old, new = guard(run), guard(run)
    events: list[Any] = []

    async def drain(one: GuardTrigger) -> None:
        async for event in one.run():
            events.append((one, event.payload["status"]))

    async def until(true: Callable[[], bool]) -> None:
        while not true():
            await asyncio.sleep(0.01)

    def begun(count: int) -> bool:
        turn = run.ports.record.turns.find(run.id, "guard")
        return turn is not None and turn.number == count

    def based() -> bool:
        turn = run.ports.record.turns.find(run.id, "guard")
        return turn is not None and turn.samples is not None

    def looked(count: int) -> bool:
        return len(run.ports.record.looks(run.id)) >= count

    async def play() -> None:
        stage.prometheus.scrape("v2", 0)
        first = asyncio.ensure_future(drain(old))
        await until(based)
        stage.traffic()
        await until(lambda: looked(1))
        second = asyncio.ensure_future(drain(new))
        await until(lambda: begun(2))
        await until(lambda: "this one stands by" in "".join(told))
        stage.traffic()
        await until(lambda: looked(2))
        # The one at work is told to go, though the other is the one that Airflow means.
        second.cancel()
        run.ports.record.turns.leave(run.id, "guard", 2)
        await until(lambda: begun(3))
        stage.traffic()
        await until(lambda: looked(3))
        run.close(Phase.ROLLED_BACK, "enough")
        await first

    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glidepath.triggers.guard.log.info", lambda text, *_: told.append(text))
        asyncio.run(play())
    assert events == [(old, "closed")]
    assert [seq for seq, *_ in run.ports.record.looks(run.id)] == [1, 2, 3]
