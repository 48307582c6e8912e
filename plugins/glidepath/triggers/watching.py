"""A guard's rounds in a triggerer: it attends to its release, and looks when there can be something new to see."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from glidepath.evidence.sampled import BEATS
from glidepath.triggers.lanes import Lanes

if TYPE_CHECKING:
    from glidepath.release.guard import Guard
    from glidepath.release.looks import Fetched
    from glidepath.release.run import Step

# How often it attends to the release.
ROUNDS_A_SCRAPE = 2
# A little after a beat began it surely has begun, seconds.
AFTER_S = 0.005


class Rounds:
    """The rounds of one guard. A look that hangs keeps no round waiting for longer than the next is due.

    Args:
        guard: The guard.
        lanes: Where its calls are made.
        attend: Calls `guard.attend`; False when the release is over.
        steady: A clock that does not jump, seconds.
    """

    def __init__(
        self, guard: Guard, lanes: Lanes, attend: Callable[[Guard], bool], steady: Callable[[], float] = time.monotonic
    ) -> None:
        self.guard, self._lanes, self._attend, self._steady = guard, lanes, attend, steady
        self._next = steady()
        self._fetching: asyncio.Future[Fetched] | None = None
        self._step: Step | None = None

    @property
    def _scrape_s(self) -> float:
        return float(self.guard.run.spec.evidence.scrape)

    async def round(self) -> bool:
        """Make one; False when the release is over. Errors are those of the guard."""
        self._next = self._steady() + self._scrape_s / ROUNDS_A_SCRAPE
        if not await self._lanes.attend(self._attend, self.guard):
            return False
        if self._fetching is None and self.guard.wanted is not None:
            self._step = self.guard.wanted
            self._fetching = asyncio.ensure_future(self._lanes.look(self.guard.looks.fetch))
        if self._fetching is not None:
            await asyncio.wait({self._fetching}, timeout=self._scrape_s / ROUNDS_A_SCRAPE)
            if self._fetching.done():
                await self._see(self._fetching)
        return True

    async def _see(self, fetching: asyncio.Future[Fetched]) -> None:
        self._fetching = None
        fetched = fetching.result()
        self._next = min(self._next, next_look(fetched.began, self._scrape_s, fetched.due_s))
        assert self._step is not None
        await self._lanes.act(self.guard.see, self._step, fetched)

    def hand_to(self, guard: Guard) -> None:
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
