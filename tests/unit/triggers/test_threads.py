"""Blocking calls of triggers: one that hangs keeps neither the loop nor another trigger waiting."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from glidepath.policy.model import Connections
from glidepath.triggers.guard import GuardTrigger
from glidepath.triggers.queueing import HeldTrigger
from glidepath.triggers.step import BakeTrigger
from glidepath.triggers.threads import Threads, once


@pytest.fixture
def end() -> Iterator[threading.Event]:
    """Until it is set, what hangs hangs."""
    event = threading.Event()
    yield event
    event.set()


def test_calls_are_made_in_threads_of_that_name_and_no_more_of_them_than_said() -> None:
    threads, at_once, most, lock = Threads("glidepath-test", 3), [0], [0], threading.Lock()

    def work(number: int) -> tuple[int, str]:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(0.01)
        with lock:
            at_once[0] -= 1
        return number, threading.current_thread().name.rpartition("-")[0]

    async def many() -> list[tuple[int, str]]:
        return list(await asyncio.gather(*(threads(work, number) for number in range(30))))

    assert asyncio.run(many()) == [(number, "glidepath-test") for number in range(30)]
    assert 1 < most[0] <= 3


def test_an_error_is_the_callers() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(once("glidepath-test", fail))


def test_what_hangs_does_not_keep_the_process() -> None:
    code = (
        f"import asyncio, sys, threading\nsys.path = {sys.path!r}\n"
        "from glidepath.triggers.threads import Threads\n"
        "async def main():\n"
        "    call = asyncio.ensure_future(Threads('x')(threading.Event().wait))\n"
        "    await asyncio.sleep(0.1)\n"
        "    call.cancel()\n"
        "asyncio.run(main())\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


class Ticks:
    """A guard that counts its rounds, or hangs in the first."""

    wanted, scrape_s = None, 0.02

    def __init__(self, hangs_until: threading.Event | None = None) -> None:
        self.hangs_until, self.at = hangs_until, [0.0]

    def attend(self) -> bool:
        self.at.append(time.monotonic())
        if self.hangs_until is not None:
            self.hangs_until.wait(60)
        return True


def trigger(guard: Ticks, monkeypatch: pytest.MonkeyPatch) -> GuardTrigger:
    """A trigger with this guard."""
    made = GuardTrigger("dag/run")
    made._connections = Connections()
    monkeypatch.setattr(made, "_guard", lambda _: guard)
    monkeypatch.setattr(made, "_place", SimpleNamespace(keep=lambda: None, take=lambda: 1))
    return made


def test_another_guard_ticks_on_while_one_that_hangs_is_ended(
    end: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, healthy = Ticks(end), Ticks()

    async def drain(one: GuardTrigger) -> None:
        async for _ in one.run():
            pass

    async def play() -> tuple[float, float]:
        first, second = (asyncio.ensure_future(drain(trigger(one, monkeypatch))) for one in (hanging, healthy))
        while len(hanging.at) < 2 or len(healthy.at) < 5:
            await asyncio.sleep(0.01)
        began, seen = time.monotonic(), len(healthy.at)
        first.cancel()
        while not first.done() or len(healthy.at) < seen + 5:
            await asyncio.sleep(0.01)
        took = time.monotonic() - began
        second.cancel()
        return took, max(b - a for a, b in zip(healthy.at[1:], healthy.at[2:], strict=False))

    took, gap = asyncio.run(asyncio.wait_for(play(), 30))
    assert not end.is_set()
    assert took < 1
    assert gap < 1


def test_a_guard_whose_end_hangs_does_not_keep_anothers_end_waiting(
    end: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, other = GuardTrigger("dag/first"), GuardTrigger("dag/second")
    ended: list[Any] = []
    monkeypatch.setattr(hanging, "_ended", lambda: end.wait(60))
    monkeypatch.setattr(other, "_ended", lambda: ended.append(time.monotonic()))

    async def play() -> float:
        stuck = [asyncio.ensure_future(hanging.on_kill()) for _ in range(40)]
        await asyncio.sleep(0.05)
        began = time.monotonic()
        await other.on_kill()
        for one in stuck:
            one.cancel()
        return float(ended[0]) - began

    assert asyncio.run(asyncio.wait_for(play(), 30)) < 1


def test_waiting_runs_whose_cluster_hangs_starve_no_bakes_polls(
    end: threading.Event, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", f"sqlite:///{tmp_path}/record.db")
    monkeypatch.setattr(HeldTrigger, "_claims", lambda _: end.wait(60))
    monkeypatch.setattr("glidepath.triggers.marks.POLL_S", 0.01)
    polls = iter([None] * 20)
    monkeypatch.setattr(BakeTrigger, "_decided", lambda _: None)
    monkeypatch.setattr(BakeTrigger, "_silent", lambda _: next(polls, {"status": "decided"}))

    async def first(trigger: Any) -> Any:
        return (await anext(trigger.run())).payload

    async def play() -> tuple[Any, float]:
        waiting = [HeldTrigger("dag/run", "black_hole", "shop", "prices", time.time() + 600) for _ in range(40)]
        stuck = [asyncio.ensure_future(first(one)) for one in waiting]
        await asyncio.sleep(0.05)
        began = time.monotonic()
        event = await first(BakeTrigger("dag/run", 1, 90))
        took = time.monotonic() - began
        for one in stuck:
            one.cancel()
        return event, took

    event, took = asyncio.run(asyncio.wait_for(play(), 30))
    assert event == {"status": "decided"}
    assert took < 5
    assert not end.is_set()
