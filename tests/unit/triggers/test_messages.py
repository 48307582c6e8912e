"""The trigger that sends messages: dead services keep nobody waiting, and it ends when all is told or given up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection

from glidepath.operators.messages import last_words
from glidepath.record import Record
from glidepath.release.abort import abort
from glidepath.release.journal import Journal
from glidepath.release.people import Messaged
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from glidepath.triggers.guard import GuardTrigger
from glidepath.triggers.messages import MessagesTrigger
from tests.support.bot import Bot, served
from tests.support.guards import started, ticks
from tests.support.stage import Stage

DEAD = "messages: [{to: cloudevents, connection: dead, timeout: 0.5, tries: 2}, {to: cloudevents, connection: good}]\n"


@pytest.fixture
def good() -> Iterator[Bot]:
    """A service that answers."""
    with served() as made:
        yield made


@pytest.fixture
def dead(good: Bot, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bot]:
    """A service that takes calls and never answers."""
    with served() as made:
        made.answers = ["hangs"]
        monkeypatch.setenv("AIRFLOW_CONN_DEAD", made.url)
        monkeypatch.setenv("AIRFLOW_CONN_GOOD", good.url)
        yield made


@pytest.fixture
def stage(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A message that fails is tried again soon."""
    monkeypatch.setattr("glidepath.messages.outbox.PAUSE_S", 0.1)
    return stage


def noted(record: Record, channel: str) -> list[tuple[str, str]]:
    """News and state of each try."""
    entries = Journal(record, "dag/run").entries()
    return [(one.news, one.state) for one in entries if isinstance(one, Messaged) and one.channel == channel]


@pytest.mark.parametrize("answer", ["hangs", 500, 0.3])
def test_a_dead_service_delays_neither_the_release_nor_the_loop_nor_other_channels(
    stage: Stage, good: Bot, dead: Bot, answer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", stage.record.url)
    dead.answers = [answer]
    run, guard = started(stage, policy=DEAD)
    trigger = MessagesTrigger(run.id, "", time.time() + 60)
    gaps: list[float] = []

    async def beside(task: asyncio.Task[None]) -> None:
        while not task.done():
            before = time.monotonic()
            await asyncio.sleep(0.01)
            gaps.append(time.monotonic() - before)

    async def sent() -> None:
        async for event in trigger.run():
            assert event.payload["status"] == "over"

    def released() -> None:
        ticks(stage, guard, 8, errors=40)
        assert stage.weights() == {"v1": 100, "v2": 0}
        settle(run)

    async def both() -> None:
        task = asyncio.ensure_future(sent())
        watching = asyncio.ensure_future(beside(task))
        await asyncio.to_thread(released)
        assert run.release.outcome == "rolled_back"
        await asyncio.wait_for(task, 50)
        await watching

    asyncio.run(both())
    assert sorted(gaps)[len(gaps) // 2] < 0.2
    assert noted(stage.record, "cloudevents-2")[-1] == ("ended", "sent")
    assert good.bodies()[-1]["data"]["state"] == "ROLLED BACK"
    assert noted(stage.record, "cloudevents-1")[-1] == ("ended", "sent" if answer == 0.3 else "failed")


def test_the_last_task_tells_what_is_untold_within_its_time(
    stage: Stage, good: Bot, dead: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", stage.record.url)
    run, guard = started(stage, policy=DEAD)
    ticks(stage, guard, 8, errors=40)
    settle(run)
    said: list[str] = []
    began = time.monotonic()
    last_words(run.id, "", said.append, within_s=3.0)
    assert time.monotonic() - began < 8
    assert good.bodies()[-1]["data"]["state"] == "ROLLED BACK"
    assert dead.got
    last_words(run.id, "", said.append, within_s=3.0)
    assert len({body["id"] for body in good.bodies()}) == len(good.bodies())


def test_a_release_that_nobody_knows_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", f"sqlite:///{tmp_path}/none.db")
    said: list[str] = []
    last_words("dag/none", "", said.append)
    assert "nobody is told" in said[0]


def test_it_survives_the_database() -> None:
    path, arguments = MessagesTrigger("dag/run", "https://x", 5.0).serialize()
    assert path == "glidepath.triggers.messages.MessagesTrigger"
    assert MessagesTrigger(**arguments).serialize() == (path, arguments)


@pytest.mark.parametrize(
    ("to", "connection", "expected"),
    [
        ("slack", Connection(conn_id="x", conn_type="slack", password="xoxb"), ("https://slack.com/api", "Bearer xoxb")),
        ("teams", Connection(conn_id="x", conn_type="http", password="https://f.example/w?sig=s"), ("https://f.example/w?sig=s", "")),
        ("webhook", Connection(conn_id="x", conn_type="https", host="api.example", extra='{"headers": {"Authorization": "Bearer t"}}'),
         ("https://api.example", "Bearer t")),
    ],
)  # fmt: skip
def test_secrets_are_in_connections(
    to: str, connection: Connection, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from glidepath.hooks import messages

    monkeypatch.setattr(messages.BaseHook, "get_connection", lambda _: connection)
    url, headers = messages.address("x", to)
    assert (url, headers.get("Authorization", "")) == expected


def test_events_that_hang_delay_no_brake_and_not_the_guards_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", stage.record.url)
    monkeypatch.setattr("glidepath.triggers.watching.ROUNDS_A_SCRAPE", 500)
    run, _ = started(stage)
    trigger, hangs = GuardTrigger(run.id), threading.Event()
    monkeypatch.setattr(trigger, "_run", lambda: run)
    monkeypatch.setattr(trigger, "_cluster_events", lambda: hangs.wait(60))

    async def first() -> dict[str, Any]:
        return dict((await asyncio.wait_for(anext(trigger.run()), 30)).payload)

    def back() -> None:
        abort(run, "enough")
        rollback(run)

    async def both() -> float:
        task = asyncio.ensure_future(first())
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await asyncio.to_thread(back)
        assert (await task)["status"] == "closed"
        return time.monotonic() - began

    try:
        assert asyncio.run(both()) < 20
    finally:
        hangs.set()
    assert stage.weights() == {"v1": 100}
