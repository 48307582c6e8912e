"""The trigger that is the guard's body: it makes its rounds until the release is over."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

from glidepath.errors import ClusterError, GlidepathError, RecordError, ReplacedError, TemporaryError
from glidepath.triggers.events import ended
from glidepath.triggers.lanes import Lanes, lane
from glidepath.triggers.marks import marks
from glidepath.triggers.places import Place, warm_up
from glidepath.triggers.threads import once
from glidepath.triggers.watching import Rounds

if TYPE_CHECKING:
    from glidepath.policy.model import Connections
    from glidepath.ports import Watched
    from glidepath.record.turns import Turn
    from glidepath.release.guard import Guard
    from glidepath.release.run import Run

log = logging.getLogger(__name__)

STAND_BY_S = 0.5
# How old what a guard reads at rest may be, as a part of the lease.
AT_REST = 0.5
# After how long Events that could not be written are tried again, and how long the last of them are waited for, seconds.
EVENTS_S, LAST_EVENTS_S = 1.0, 2.0


def unexpected(error: Exception) -> bool:
    """Whether an error is none of those that say what is wrong outside."""
    return not isinstance(error, GlidepathError)


def unknown(error: Exception) -> bool:
    """Whether a cluster no longer accepts the client: its token may have changed, and the connection has the new one."""
    return isinstance(error, ClusterError) and error.status == HTTPStatus.UNAUTHORIZED


class GuardTrigger(BaseTrigger):
    """Runs `glidepath.release.guard.Guard` for one release.

    Of several that Airflow has begun the newest is at work; the others stand by until it is gone, or they are ended.

    Args:
        release_id: The release in the record.
    """

    def __init__(self, release_id: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.release_id = release_id
        self._place = Place(release_id, "guard")
        self._heard = False
        self._connections: Connections | None = None
        self._watched: Watched | None = None
        self._refused = -math.inf  # when the cluster last accepted the client no longer

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """Class path and arguments, as Airflow stores them."""
        return "glidepath.triggers.guard.GuardTrigger", {"release_id": self.release_id}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Watch until the record says that the release is over."""
        telling = asyncio.ensure_future(self._tell_cluster())
        try:
            while not await self._watch():
                log.info("guard: another process watches this release; this one stands by")
                while not await lane("record")(self._free):
                    await asyncio.sleep(STAND_BY_S)
            if self._heard:  # where Events can't be written, nobody waits for them
                await asyncio.wait({telling}, timeout=LAST_EVENTS_S)
            yield ended({"status": "closed", "why": "the release is closed"})
        finally:
            telling.cancel()
            self._close()

    async def _tell_cluster(self) -> None:
        """Write what is new as Events of Kubernetes, by a client of their own: nothing waits for it."""
        events: Any = None
        told: tuple[object, ...] | None = None
        while True:
            try:
                mark = await marks()(self.release_id, told)
                if mark is not None and mark.journal != told:
                    tell = lane("tell", (await self._connected()).kubernetes)
                    events = events or await tell(self._cluster_events)
                    over = await tell(events.deliver)
                    self._heard, told = True, mark.journal
                    if over:
                        return
            except Exception as error:  # whatever it is, it is worth a line at most
                self._heard = False
                log.debug("guard: an Event could not be written: %s", error)
                await asyncio.sleep(EVENTS_S)

    async def _connected(self) -> Connections:
        """The connections of the release, as `plan` froze them."""
        if self._connections is None:
            from glidepath.hooks.ports import spec_of

            self._connections = (await lane("record")(spec_of, self.release_id)).connections
        return self._connections

    def _cluster_events(self) -> Any:
        from glidepath.hooks.cluster import shared_api
        from glidepath.hooks.ports import spec_of
        from glidepath.kube import Objects, at_once
        from glidepath.messages.cluster import ClusterEvents
        from glidepath.record import Record

        spec = spec_of(self.release_id)
        objects = Objects(at_once(shared_api(spec.connections.kubernetes, "events")), spec.namespace)
        return ClusterEvents(Record(), self.release_id, objects)

    async def _watch(self) -> bool:
        """Make rounds; True when the release is over, False when another guard has begun since."""
        lanes = await self._lanes()
        rounds = Rounds(await self._begun(lanes), lanes, self._attend)
        try:
            errors = 0
            while True:
                try:
                    if not await rounds.round():
                        return True
                    errors = 0
                    # Only now: Airflow answers nothing else meanwhile, and the first look needs its connections.
                    warm_up(self.task_instance)
                except ReplacedError:
                    return False
                except Exception as error:
                    # One that nobody thought of, too: what it can't see it does not renew the claim for.
                    errors += 1
                    log.error("guard: look failed (%d in a row): %s", errors, error, exc_info=unexpected(error))
                    if unknown(error):
                        rounds.hand_to(await self._with_new_clients(lanes, rounds.guard))
                await rounds.pause()
        finally:
            rounds.leave()

    async def _lanes(self) -> Lanes:
        """Where the guard's calls are made."""
        while True:
            try:
                connections = await self._connected()
                return Lanes.to(connections.kubernetes, connections.prometheus)
            except RecordError as error:
                log.error("guard: can't begin, tried again: %s", error)
            await asyncio.sleep(STAND_BY_S)

    async def _begun(self, lanes: Lanes) -> Any:
        """The guard, once what it needs can be read; what can't pass by itself is raised."""
        from airflow.sdk.exceptions import AirflowRuntimeError

        turn: Turn | None = None
        while True:
            try:
                if turn is None:
                    turn = await lane("record")(self._place.take)  # before what takes long: whoever had it sees it
                return await lanes.attend(self._guard, turn)
            except (TemporaryError, AirflowRuntimeError) as error:  # the last: of its connections
                log.error("guard: can't begin, tried again: %s", error)
            await asyncio.sleep(STAND_BY_S)

    async def _with_new_clients(self, lanes: Lanes, guard: Any) -> Any:
        """The same guard with clients that are made anew; the old one if they can't be."""
        try:
            return await lanes.attend(lambda: self._anew(guard))
        except ReplacedError:
            return guard  # its next round says so
        except Exception as error:  # whatever it is, this one goes on, and tries again
            log.error("guard: the cluster's clients can't be made anew, tried again: %s", error)
            return guard

    async def on_kill(self) -> None:
        """A person ended the guard: without it no traffic stays on the canary. Or another process was given it."""
        await once("glidepath-guard-end", self._ended)

    def _guard(self, turn: Turn) -> Any:
        from glidepath.release.guard import Guard

        run = self._run()
        return Guard(run, turn, rest=self._rest(run))

    def _anew(self, guard: Any) -> Any:
        self._refused = time.monotonic()
        run, turn = self._run(), self._place.mine()
        return guard.anew(run, turn, self._rest(run))

    def _rest(self, run: Run) -> Run | None:
        """The release by what this process watches; None where it watches nothing."""
        watched = run.ports.watch(run.spec.lease * AT_REST) if run.ports.watch else None
        self._close()
        self._watched = watched
        return replace(run, ports=watched.ports) if watched else None

    def _close(self) -> None:
        if self._watched is not None:
            self._watched.close()
        self._watched = None

    def _attend(self, guard: Guard) -> bool:
        with suppress(RecordError):  # proven harm is taken back all the same
            self._place.keep()
        return guard.attend()

    def _free(self) -> bool:
        try:
            return self._place.free()
        except RecordError as error:
            log.error("guard: whether the other one lives can't be read: %s", error)
            return False

    def _ended(self) -> None:
        self._place.ended(self.task_instance, self._run, "the guard was ended by a person")

    def _run(self) -> Any:
        from glidepath.hooks.cluster import shared_api
        from glidepath.hooks.ports import load_run

        return load_run(self.release_id, log, partial(shared_api, since=self._refused))
