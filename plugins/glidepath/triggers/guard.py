"""The trigger that is the guard's body: ticks it in an executor of its own until the release is over."""

from __future__ import annotations

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from glidepath.errors import GlidepathError

log = logging.getLogger(__name__)

# One thread a release: a blackholed Prometheus must not starve another release's brake, nor Airflow's own pool.
TICKS_A_SCRAPE = 2


class GuardTrigger(BaseTrigger):
    """Runs `glidepath.release.guard.Guard` for one release.

    Args:
        release_id: The release in the record.
    """

    def __init__(self, release_id: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.release_id = release_id

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, as Airflow stores them."""
        return "glidepath.triggers.guard.GuardTrigger", {"release_id": self.release_id}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Tick until the record says that the release is over."""
        loop = asyncio.get_running_loop()
        # Airflow tells a trigger's log lines by its context, which a thread does not have by itself.
        here = contextvars.copy_context()
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="glidepath-guard") as pool:
            guard = await loop.run_in_executor(pool, here.run, self._guard)
            period = guard.run.spec.evidence.scrape / TICKS_A_SCRAPE
            errors = 0
            while True:
                try:
                    if not await loop.run_in_executor(pool, here.run, guard.tick):
                        yield TriggerEvent({"status": "closed", "why": "the release is closed"})
                        return
                    errors = 0
                except GlidepathError as error:
                    errors += 1
                    log.error("guard: look failed (%d in a row): %s", errors, error)
                await asyncio.sleep(period)

    async def on_kill(self) -> None:
        """A person ended the guard: without it no traffic stays on the canary."""
        await asyncio.to_thread(self._abort)

    def _guard(self) -> Any:
        from glidepath.release.guard import Guard

        return Guard(self._run())

    def _abort(self) -> None:
        from glidepath.release.endings import abort

        abort(self._run(), "the guard was ended by a person")

    def _run(self) -> Any:
        from glidepath.hooks.ports import load_run

        return load_run(self.release_id, log.info)
