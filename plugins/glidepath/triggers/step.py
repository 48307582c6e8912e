"""The triggers of waiting tasks: for the guard's word on a step, or on the observation after a promotion."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from glidepath.errors import RecordError, ReplacedError
from glidepath.triggers.events import Told, ended
from glidepath.triggers.lanes import lane
from glidepath.triggers.marks import marks
from glidepath.triggers.places import Place, warm_up
from glidepath.triggers.threads import once

if TYPE_CHECKING:
    from glidepath.record.reading import Mark

log = logging.getLogger(__name__)


class BakeTrigger(BaseTrigger):
    """Fires when a step has been decided, or when the guard has been silent for too long.

    Args:
        release_id: The release in the record.
        step: The step's number, from 1.
        silent_s: Seconds without any look after which the guard counts as gone.
    """

    def __init__(self, release_id: str, step: int, silent_s: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.release_id, self.step, self.silent_s = release_id, step, silent_s
        self._newest = 0.0, time.monotonic()

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, as Airflow stores them."""
        return (
            "glidepath.triggers.step.BakeTrigger",
            {"release_id": self.release_id, "step": self.step, "silent_s": self.silent_s},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Read the record whenever it has something new."""
        known: tuple[Mark | None, Told | None] | None = None
        while True:
            try:
                await self._live()
                mark = await marks()(self.release_id)
                if known is None or mark != known[0]:
                    known = mark, await lane("record")(self._decided)
                status = known[1] or self._silent()
            except RecordError as error:
                # That it is away says nothing of the release; the guard renews nothing meanwhile.
                log.warning("the record can't be read, tried again: %s", error)
                status = None
            if status is not None:
                yield ended(status)
                return

    async def _live(self) -> None:
        """Show that it is there, where that matters."""

    def _decided(self) -> Told | None:
        from glidepath.record import Record
        from glidepath.release.journal import Journal

        record = Record()
        journal = Journal(record, self.release_id)
        if journal.fate() or journal.word_on(self.step) or record.get(self.release_id).outcome is not None:
            return {"status": "decided"}
        newest = journal.seen()
        # By the clock that doesn't jump: a wall clock that steps must not make a guard that looks count as gone.
        if newest != self._newest[0]:
            self._newest = newest, time.monotonic()
        return None

    def _silent(self) -> Told | None:
        silent = time.monotonic() - self._newest[1]
        if silent > self.silent_s:
            return {"status": "silent", "why": f"the guard has not looked for {silent:.0f} s; is the triggerer alive?"}
        return None


class ObserveTrigger(BakeTrigger):
    """The same for the observation after a promotion. Ended by a person, it takes the new version back at once."""

    def __init__(self, release_id: str, step: int, silent_s: float) -> None:
        super().__init__(release_id, step, silent_s)
        self._place = Place(release_id, "observer")
        self._begun = False

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, as Airflow stores them."""
        return "glidepath.triggers.step.ObserveTrigger", super().serialize()[1]

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """As for a bake."""
        warm_up(self.task_instance)
        async for event in super().run():
            yield event

    async def _live(self) -> None:
        await lane("record")(self._keep)

    def _keep(self) -> None:
        if not self._begun:
            self._place.take()
            self._begun = True
        with suppress(RecordError, ReplacedError):  # two that wait do no harm
            self._place.keep()

    async def on_kill(self) -> None:
        """A person marked or cleared the waiting task: that is how a promotion is taken back by hand.

        Or another process was given it.
        """
        await once("glidepath-observe-end", self._ended)

    def _ended(self) -> None:
        why = "a person ended the observation after the promotion in Airflow"
        self._place.ended(self.task_instance, self._run, why)

    def _run(self) -> Any:
        from glidepath.hooks.ports import load_run

        return load_run(self.release_id, log)
