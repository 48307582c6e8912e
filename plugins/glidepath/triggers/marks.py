"""Whether the record has anything new of the releases that triggers of this process wait for: one query for all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from glidepath.triggers.lanes import lane

if TYPE_CHECKING:
    from glidepath.record.reading import Mark

# How often the record is asked while anybody waits, seconds.
POLL_S = 0.5


Waiting = tuple["asyncio.Future[Mark | None]", "tuple[object, ...] | None"]


class Marks:
    """The marks of releases, for all who wait on one event loop."""

    def __init__(self) -> None:
        # By release: who waits, and which journal's mark is nothing new to them.
        self._waiting: dict[str, list[Waiting]] = {}
        self._polling: asyncio.Future[None] | None = None

    async def __call__(self, release_id: str, journal: tuple[object, ...] | None = None) -> Mark | None:
        """The mark of a release at the next poll; None where the record has no such release.

        Args:
            release_id: The release.
            journal: At the next poll at which its journal has another mark than this; None: at the next.

        Raises:
            RecordError: The record can't be read.
        """
        mine: asyncio.Future[Mark | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(release_id, []).append((mine, journal))
        if self._polling is None or self._polling.done():
            self._polling = asyncio.ensure_future(self._poll())
        return await mine

    async def _poll(self) -> None:
        while self._waiting:
            await asyncio.sleep(POLL_S)
            waiting, self._waiting = self._waiting, {}
            found: dict[str, Mark] | Exception
            try:
                found = await lane("record")(_read, list(waiting))
            except Exception as error:
                found = error
            for name, several in waiting.items():
                for one, journal in several:
                    if one.done():  # whoever waited is gone
                        continue
                    if isinstance(found, Exception):
                        one.set_exception(found)
                    elif (mark := found.get(name)) is None or journal is None or mark.journal != journal:
                        one.set_result(mark)
                    else:
                        self._waiting.setdefault(name, []).append((one, journal))


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Marks] = WeakKeyDictionary()


def marks() -> Marks:
    """Those of the running event loop."""
    return _of_loops.setdefault(asyncio.get_running_loop(), Marks())


def _read(release_ids: list[str]) -> dict[str, Mark]:
    from glidepath.record import Record
    from glidepath.record.reading import marks as read

    return read(Record(), release_ids)
