"""A process of a release that something happens to at one of its calls to the outside."""

from __future__ import annotations

import copy
import dataclasses
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar, cast

from kubernetes.client.exceptions import ApiException

from glidepath.claim import LeaseClaims
from glidepath.deploy import KubernetesWorkloads
from glidepath.errors import HandoverError, HelmError, RecordError
from glidepath.handover import Sync
from glidepath.kube import at_once
from glidepath.ports import Ports
from glidepath.record import Record
from glidepath.release.run import Run
from glidepath.wiring.cluster import mesh
from tests.support.apiserver import NAMESPACE, SERVICE, ApiServer
from tests.support.fields import clone
from tests.support.inprocess import InProcess
from tests.support.stage import Stage

# dies: the process ends before the call. refused: the call is not carried out. lost: it is carried out, the answer is
# lost once. cut: it is carried out, and neither its answer nor one of the client's next tries comes back.
MODES = ("dies", "refused", "lost", "cut")
RECORD_WRITES = frozenset({"set_token", "move", "close", "add_event", "add_look", "open_release"})
RETRIES = 2

T = TypeVar("T")


class Died(BaseException):
    """The process ended here; its `finally` blocks reach nobody any more."""


def die(*_: object) -> None:
    """End the process here."""
    raise Died


class Fuse:
    """Counts a process' calls, and at call `at` does what its mode says.

    Args:
        at: The call, from 0; None: none.
        mode: One of MODES; without meaning when there is a `between`.
        between: Called before the call is made; then reads count as calls too, else only writes do.
    """

    def __init__(self, at: int | None = None, mode: str = "dies", between: Callable[[], object] | None = None) -> None:
        self.at, self.mode, self.between = at, "between" if between else mode, between
        self.calls: list[str] = []
        self._cut = 0

    @property
    def blown(self) -> bool:
        """Whether call `at` was reached."""
        return self.at is not None and len(self.calls) > self.at

    @property
    def where(self) -> str:
        """The call that was hit, for a failing test's message."""
        return f"{self.mode} at call {self.at}, {self.calls[self.at] if self.blown and self.at is not None else 'none'}"

    def call(self, what: str, write: bool, do: Callable[[], T], error: Exception) -> T:
        """Make a call, or not; `error` is how this kind of call fails."""
        if self.blown and self.mode == "dies":
            raise Died
        if self._cut > 0:
            self._cut -= 1
            raise error
        if not write and self.between is None:
            return do()
        self.calls.append(what)
        if len(self.calls) - 1 != self.at:
            return do()
        if self.between is not None:
            self.between()
            return do()
        if self.mode == "dies":
            raise Died
        if self.mode != "refused":
            do()
            self._cut = RETRIES if self.mode == "cut" and isinstance(error, ApiException) else 0
        raise error


class Direct(InProcess):
    """A client whose requests go through a fuse."""

    def __init__(self, server: ApiServer, fuse: Fuse) -> None:
        super().__init__(server)
        self._fuse = fuse
        at_once(self)  # a refusal is meant to be one

    def carry(self, path: str, method: str, send: Callable[[], Any]) -> Any:
        place = path.partition("/namespaces/")[2] or f"every-namespace/{path.rpartition('/')[2]}"
        error = ApiException(status=403 if self._fuse.mode == "refused" else 504, reason="injected")
        return self._fuse.call(f"{method} {place.split('/')[1]}", method != "GET", send, error)


def through(port: T, fuse: Fuse, writes: frozenset[str], error: Exception) -> T:
    """The port, with all its calls going through the fuse."""
    return cast("T", _Through(port, fuse, writes, error))


class _Through:
    """All calls of a port go through the fuse."""

    def __init__(self, port: Any, fuse: Fuse, writes: frozenset[str], error: Exception) -> None:
        self._port, self._fuse, self._writes, self._error = port, fuse, writes, error

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found
        return lambda *args, **more: self._fuse.call(
            name, name in self._writes, lambda: found(*args, **more), self._error
        )


def ports(stage: Stage, fuse: Fuse) -> Ports:
    """Ports of a process whose calls go through a fuse."""
    api, told = Direct(stage.server, fuse), stage.handover
    traffic, fence = mesh(api, NAMESPACE, SERVICE)
    return dataclasses.replace(
        stage.ports(),
        record=through(stage.record, fuse, RECORD_WRITES, RecordError("injected")),
        claims=LeaseClaims(api, NAMESPACE, SERVICE, lambda: stage.clock),
        traffic=traffic,
        fence=fence,
        helm=stage.helm.in_process(
            lambda port: through(port, fuse, frozenset({"upgrade", "uninstall"}), HelmError("injected"))
        ),
        workloads=KubernetesWorkloads(api, NAMESPACE, SERVICE),
        handover=None if told is None else through(told, fuse, frozenset({"tell"}), HandoverError("injected")),
        sync=Sync(api, *stage.synced) if stage.synced else None,
    )


def process(stage: Stage, run: Run, fuse: Fuse | None = None) -> Run:
    """The same release in a process of its own."""
    return Run(run.id, run.spec, ports(stage, fuse or Fuse()), stage.said.append, lambda: stage.clock)


class Saved:
    """A stage and its release at a moment, to go on from as often as one likes, one at a time.

    Args:
        stage: Where it stands.
        run: The release.
        folder: Where the records go.
    """

    def __init__(self, stage: Stage, run: Run, folder: Path) -> None:
        self._stage, self._run, self._folder = stage, run, folder
        self._objects, self._handover = clone(stage.server.objects), copy.deepcopy(stage.handover)
        self._samples = {key: list(samples) for key, samples in stage.prometheus.samples.items()}
        with closing(sqlite3.connect(stage.record.url.removeprefix("sqlite:///"))) as database:
            self._record = database.serialize()

    def again(self) -> tuple[Stage, Run]:
        """The stage and the release as they were."""
        now = copy.copy(self._stage)
        now.server.objects = clone(self._objects)
        now.said, now.handover = [], copy.deepcopy(self._handover)
        now.helm = self._stage.helm.again(now.server)
        samples = {key: list(samples) for key, samples in self._samples.items()}
        now.prometheus = dataclasses.replace(self._stage.prometheus, clock=lambda: now.clock, samples=samples)
        counters = now.prometheus
        counters.totals, counters.errors, counters.spam = (
            dict(counters.totals),
            dict(counters.errors),
            dict(counters.spam),
        )
        file = self._folder / f"{uuid.uuid4()}.db"
        file.write_bytes(self._record)
        now.record = Record(f"sqlite:///{file}")
        run = Run(self._run.id, self._run.spec, ports(now, Fuse()), now.said.append, lambda: now.clock)
        return now, run

    def after(self, action: Callable[[Run], object]) -> Saved:
        """The same, once a task has been carried out."""
        stage, run = self.again()
        action(run)
        return Saved(stage, run, self._folder)
