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


class Marks:
    """The marks of releases, for all who wait on one event loop."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[asyncio.Future[Mark | None]]] = {}
        self._polling: asyncio.Future[None] | None = None

    async def __call__(self, release_id: str) -> Mark | None:
        """The mark of a release at the next poll; None where the record has no such release.

        Raises:
            RecordError: The record can't be read.
        """
        mine: asyncio.Future[Mark | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(release_id, []).append(mine)
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
                for one in several:
                    if one.done():  # whoever waited is gone
                        continue
                    if isinstance(found, Exception):
                        one.set_exception(found)
                    else:
                        one.set_result(found.get(name))


_of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, Marks] = WeakKeyDictionary()


def marks() -> Marks:
    """Those of the running event loop."""
    return _of_loops.setdefault(asyncio.get_running_loop(), Marks())


def _read(release_ids: list[str]) -> dict[str, Mark]:
    from glidepath.record import Record
    from glidepath.record.reading import marks as read

    return read(Record(), release_ids)
