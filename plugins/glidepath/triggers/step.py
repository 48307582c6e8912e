"""The triggers of waiting tasks: for the guard's word on a step, or on the observation after a promotion."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from glidepath.errors import RecordError, ReplacedError
from glidepath.triggers.places import Place, warm_up
from glidepath.triggers.threads import Threads, once

log = logging.getLogger(__name__)

POLL_S = 0.5
# All of these poll the record, and nothing else.
_threads = Threads("glidepath-bake", 4)


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
        """Poll the record; it is a local query, a few hundred microseconds."""
        from glidepath.record import Record

        while True:
            try:
                status = await _threads(lambda: self._status(Record()))
            except RecordError as error:
                # That it is away says nothing of the release; the guard renews nothing meanwhile.
                log.warning("the record can't be read, tried again: %s", error)
                status = None
            if status is not None:
                yield TriggerEvent(status)
                return
            await asyncio.sleep(POLL_S)

    def _status(self, record: Any) -> dict[str, str] | None:
        from glidepath.release.journal import Journal

        journal = Journal(record, self.release_id)
        if journal.fate() or journal.word_on(self.step) or record.get(self.release_id).outcome is not None:
            return {"status": "decided"}
        newest = journal.seen()
        # By the clock that doesn't jump: a wall clock that steps must not make a guard that looks count as gone.
        if newest != self._newest[0]:
            self._newest = newest, time.monotonic()
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

    def _status(self, record: Any) -> dict[str, str] | None:
        if not self._begun:
            self._place.take()
            self._begun = True
        with suppress(RecordError, ReplacedError):  # two that wait do no harm
            self._place.keep()
        return super()._status(record)

    async def on_kill(self) -> None:
        """A person marked or cleared the waiting task: that is how a promotion is taken back by hand.

        Or another process was given it.
        """
        await once("glidepath-observe-end", self._ended)

    def _ended(self) -> None:
        from glidepath.release.abort import abort

        if self._place.passed_on(self.task_instance):
            log.info("observe: ended here; it goes on in another process")
            return
        abort(self._run(), "a person ended the observation after the promotion in Airflow")

    def _run(self) -> Any:
        from glidepath.hooks.ports import load_run

        return load_run(self.release_id, log)
