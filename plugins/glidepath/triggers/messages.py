"""The trigger that sends a release's messages: it reads the record beside the guard, and nothing waits for it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from glidepath.triggers.events import ended
from glidepath.triggers.lanes import lane
from glidepath.triggers.marks import marks

if TYPE_CHECKING:
    from glidepath.messages.outbox import Outbox

log = logging.getLogger(__name__)

POLL_S = 1.0


class MessagesTrigger(BaseTrigger):
    """Sends messages until the release is over and all is told or given up. Fires whatever happens.

    Args:
        release_id: The release in the record.
        link: Its page; empty for none.
        until: When it ends at the latest, epoch seconds.
    """

    def __init__(self, release_id: str, link: str, until: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.release_id, self.link, self.until = release_id, link, until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, as Airflow stores them."""
        return (
            "glidepath.triggers.messages.MessagesTrigger",
            {"release_id": self.release_id, "link": self.link, "until": self.until},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Each channel in threads of its own connection: one that hangs keeps no other waiting."""
        boxes = await self._outboxes()
        await asyncio.gather(*(self._serve(box) for box in boxes))
        yield ended({"status": "over" if all(box.over for box in boxes) else "late"})

    async def _outboxes(self) -> list[Outbox]:
        from glidepath.hooks.messages import outboxes

        while time.time() < self.until:
            try:
                return await lane("record")(outboxes, self.release_id, self.link, log.warning)
            except Exception as error:
                log.warning("messages: can't begin, tried again: %s", error)
            await asyncio.sleep(POLL_S)
        return []

    async def _serve(self, box: Outbox) -> None:
        carrying, seen = lane("message", f"{box.asked.to} {box.asked.connection}"), None
        due: float | None = 0.0
        while not box.over and time.time() < self.until:
            try:
                now = await marks()(self.release_id)
                journal = now.journal if now is not None else None
                if journal != seen or (due is not None and time.time() >= due):
                    seen = journal
                    due = await carrying(box.deliver)
            except Exception as error:  # the record is away, most likely; the guard has that, too, and says so
                log.warning("messages: %s: nothing is sent for now: %s", box.name, error)
                await asyncio.sleep(POLL_S)
