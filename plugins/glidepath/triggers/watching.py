"""A guard's rounds in a triggerer: it attends to its release, and looks when there can be something new to see."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from glidepath.evidence.sampled import BEATS
from glidepath.triggers.lanes import Lanes

if TYPE_CHECKING:
    from glidepath.release.looks import Fetched
    from glidepath.release.run import StepInForce

# How often it attends to the release.
ROUNDS_A_SCRAPE = 2
# A little after a beat began it surely has begun, seconds.
AFTER_S = 0.005


class Watches(Protocol):
    """What a guard does in its rounds: see `Guard`."""

    @property
    def scrape_s(self) -> float:
        """Seconds between two scrapes."""

    @property
    def wanted(self) -> StepInForce | None:
        """The step that wants a look."""

    def fetch(self) -> Fetched:
        """Ask for what is new. Other calls may be made meanwhile."""

    def see(self, step: StepInForce, fetched: Fetched) -> None:
        """Judge what was fetched, and act on it."""


G = TypeVar("G", bound=Watches)


class Rounds(Generic[G]):
    """The rounds of one guard. A look that hangs keeps no round waiting for longer than the next is due.

    Args:
        guard: The guard.
        lanes: Where its calls are made.
        attend: Calls `guard.attend`; False when the release is over.
        steady: A clock that does not jump, seconds.
    """

    def __init__(
        self, guard: G, lanes: Lanes, attend: Callable[[G], bool], steady: Callable[[], float] = time.monotonic
    ) -> None:
        self.guard, self._lanes, self._attend, self._steady = guard, lanes, attend, steady
        self._next = steady()
        self._fetching: asyncio.Future[Fetched] | None = None
        self._step: StepInForce | None = None

    async def round(self) -> bool:
        """Make one; False when the release is over. Errors are those of the guard."""
        self._next = self._steady() + self.guard.scrape_s / ROUNDS_A_SCRAPE
        if not await self._lanes.attend(self._attend, self.guard):
            return False
        if self._fetching is None and self.guard.wanted is not None:
            self._step = self.guard.wanted
            self._fetching = asyncio.ensure_future(self._lanes.look(self.guard.fetch))
        if self._fetching is not None:
            await asyncio.wait({self._fetching}, timeout=self.guard.scrape_s / ROUNDS_A_SCRAPE)
            if self._fetching.done():
                await self._see(self._fetching)
        return True

    async def _see(self, fetching: asyncio.Future[Fetched]) -> None:
        self._fetching = None
        fetched = fetching.result()
        self._next = min(self._next, next_look(fetched.began, self.guard.scrape_s, fetched.due_s))
        assert self._step is not None
        await self._lanes.act(self.guard.see, self._step, fetched)

    def hand_to(self, guard: G) -> None:
        """Go on with another guard, which asks anew what the one before was about to see."""
        if guard is not self.guard:  # else what it asked is still being read by it
            self.leave()
            self.guard = guard

    def leave(self) -> None:
        """What was asked is no longer waited for."""
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching = None

    async def pause(self) -> None:
        """Wait for the next round: for the beat in which there can be something new, or for its turn."""
        await asyncio.sleep(max(0.0, self._next - self._steady()))


def next_look(asked: float, scrape_s: float, due_s: float) -> float:
    """When to look next, by the clock of the beats, seconds; infinite where nobody knows.

    Args:
        asked: When the last look was, by that clock.
        scrape_s: Seconds between two scrapes.
        due_s: So long after the beat of that look there can be something new; less than 0 if there could have been.
    """
    beat_s = scrape_s / BEATS
    if math.isinf(due_s) or due_s < -scrape_s / ROUNDS_A_SCRAPE:
        return math.inf  # or it is more than a scrape that came late
    return (math.floor(asked / beat_s) + max(1, math.ceil(due_s / beat_s))) * beat_s + AFTER_S
