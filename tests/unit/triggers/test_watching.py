"""A guard's rounds: when they are, and that what hangs keeps nobody else's waiting."""

from __future__ import annotations

import asyncio
import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.errors import EvidenceError
from glidepath.evidence import Prometheus
from glidepath.evidence.shared import Shared
from glidepath.release.looks import Fetched
from glidepath.release.run import StepInForce
from glidepath.triggers.lanes import Lanes
from glidepath.triggers.watching import AFTER_S, Rounds, next_look

SCRAPE = 0.5
HANGING = 50


@pytest.fixture
def black_hole() -> Iterator[str]:
    """The address of a server that accepts and never answers."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(1000)
        yield f"http://127.0.0.1:{one.getsockname()[1]}"


class Guarding:
    """A guard that looks by some reader, and brakes when a look says so.

    Attributes:
        at: When it attended.
        braked: How long after the look it braked, seconds.
    """

    def __init__(self, shared: Shared | None) -> None:
        self.scrape_s, self.wanted = SCRAPE, StepInForce(1, 20, 0.0)
        self.fetch: Callable[[], Fetched] = self._fetched
        self._view = shared.view(SCRAPE / 5) if shared is not None else None
        self.at: list[float] = []
        self.failed: list[float] = []
        self.looked, self.braked = 0.0, math.inf

    def attend(self) -> bool:
        self.at.append(time.monotonic())
        return math.isinf(self.braked)

    def _fetched(self) -> Fetched:
        self.looked, seen = time.monotonic(), EvidenceError("harm")
        if self._view is not None:
            try:
                self._view.now()
            except EvidenceError as error:
                seen = error
                self.failed.append(time.monotonic())
        return Fetched(seen, 0.0, self.looked, 0.0, math.inf)

    def see(self, step: StepInForce, fetched: Fetched) -> None:
        if self._view is None:
            self.braked = time.monotonic() - self.looked


async def watch(guard: Guarding, prometheus: str) -> None:
    rounds = Rounds(guard, Lanes.to("one cluster", prometheus), Guarding.attend)
    while await rounds.round():
        await rounds.pause()


def test_a_prometheus_that_hangs_delays_no_brake_of_another_s_guards_and_no_claim_of_its_own(black_hole: str) -> None:
    shared = Shared(Prometheus(black_hole, timeout_s=1))
    hanging = [Guarding(shared) for _ in range(HANGING)]

    async def play() -> tuple[float, float]:
        stuck = [asyncio.ensure_future(watch(one, black_hole)) for one in hanging]
        while min(len(one.at) for one in hanging) < 4:
            await asyncio.sleep(0.01)
        harmed, began = Guarding(None), time.monotonic()
        await watch(harmed, "another")
        took = time.monotonic() - began
        while min(len(one.failed) for one in hanging) < 2:
            await asyncio.sleep(0.05)
        for one in stuck:
            one.cancel()
        return harmed.braked, took

    braked, took = asyncio.run(asyncio.wait_for(play(), 60))
    assert braked < 0.2
    assert took < 2 * SCRAPE
    gaps = [b - a for one in hanging for a, b in zip(one.at, one.at[1:], strict=False)]
    assert sorted(gaps)[len(gaps) // 2] == pytest.approx(SCRAPE / 2, abs=SCRAPE / 4)
    assert max(gaps) < 4 * SCRAPE  # none waits for the time-outs of the others


@given(st.floats(0, 1e6), st.sampled_from([0.5, 1.0, 5.0, 15.0, 60.0]), st.floats(0, 1))
def test_the_next_look_is_in_the_first_beat_in_which_there_can_be_something_new(
    asked: float, scrape: float, part: float
) -> None:
    beat, due = scrape / 5, part * scrape
    at = next_look(asked, scrape, due)
    begun = math.floor(asked / beat) * beat
    assert at - AFTER_S >= begun + max(due, beat) - 1e-6
    assert at - AFTER_S < begun + max(due, beat) + beat + 1e-6


def test_what_did_not_come_is_looked_for_in_the_next_beat_and_then_in_each_round() -> None:
    assert next_look(100.3, 5.0, -1.0) == pytest.approx(101 + AFTER_S)
    assert next_look(100.3, 5.0, -2.6) == math.inf
    assert next_look(100.3, 5.0, math.inf) == math.inf


def breaks() -> Fetched:
    raise ZeroDivisionError


def test_an_error_in_a_look_that_nobody_thought_of_is_raised_once() -> None:
    guard = Guarding(None)

    async def play() -> None:
        rounds = Rounds(guard, Lanes.to("one cluster", "odd"), Guarding.attend)
        fetch, guard.fetch = guard.fetch, breaks
        with pytest.raises(ZeroDivisionError):
            await rounds.round()
        guard.fetch = fetch
        assert await rounds.round()

    asyncio.run(play())
    assert guard.braked < 5


def test_rounds_that_fail_do_not_follow_each_other_at_once() -> None:
    guard = Guarding(None)

    def fails(guard: Guarding) -> bool:
        guard.at.append(time.monotonic())
        raise RuntimeError("odd")

    async def play() -> None:
        rounds = Rounds(guard, Lanes.to("one cluster", "odd"), fails)
        for _ in range(3):
            with pytest.raises(RuntimeError):
                await rounds.round()
            await rounds.pause()

    asyncio.run(play())
    assert min(b - a for a, b in zip(guard.at, guard.at[1:], strict=False)) > 0.8 * SCRAPE / 2


def test_a_guard_that_stays_is_not_asked_twice_at_once() -> None:
    """Its clients could not be made anew; what it asked hangs still."""
    guard, other = Guarding(None), Guarding(None)
    hangs = threading.Event()
    asked: list[Guarding] = []

    def fetch(one: Guarding) -> Fetched:
        asked.append(one)
        hangs.wait(30)
        return one._fetched()

    for one in (guard, other):
        one.fetch = partial(fetch, one)

    async def play() -> None:
        rounds = Rounds(guard, Lanes.to("one cluster", "odd"), Guarding.attend)
        for followed in (guard, guard, other, other):
            await rounds.round()
            rounds.hand_to(followed)
        hangs.set()
        while await rounds.round():
            pass
        rounds.leave()

    asyncio.run(play())
    assert asked == [guard, other]
