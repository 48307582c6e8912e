"""Faults of whole hosts: killed, stopped for longer than a lease, cut off for longer than a lease."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from glidepath.record.turns import GUARD
from tests.distributed.fleet import Fleet
from tests.faults.arena import LEASE_S
from tests.faults.catalogue import Fault
from tests.faults.components import family, signal_all
from tests.faults.scene import Scene

GROUP = "Hosts"
HELD_S = LEASE_S + 5
# Longer than Airflow bears a task that sends no heartbeat: the task is tried again elsewhere.
LOST_S = 60.0


@contextmanager
def killed(fleet: Fleet, name: str) -> Iterator[None]:
    """kill -9 of all that runs on a host; it is started again afterwards."""
    fleet.hold_down(name, True)
    signal_all(family(_pid(fleet, name)), signal.SIGKILL)
    try:
        yield
    finally:
        fleet.hold_down(name, False)


@contextmanager
def stopped(fleet: Fleet, name: str) -> Iterator[None]:
    """SIGSTOP of all that runs on a host, then SIGCONT."""
    processes = family(_pid(fleet, name))
    signal_all(processes, signal.SIGSTOP)
    try:
        yield
    finally:
        signal_all(processes, signal.SIGCONT)


@contextmanager
def cut(fleet: Fleet, name: str) -> Iterator[None]:
    """A host's link down, then up: it goes on, and reaches nothing meanwhile."""
    fleet.airflow.cut(name, True)
    try:
        yield
    finally:
        fleet.airflow.cut(name, False)


WAYS = {"killed": killed, "stopped": stopped, "cut": cut}


def _pid(fleet: Fleet, name: str) -> int:
    pid = fleet.airflow.component(name)
    assert pid, f"{name} is not running"
    return pid


def _fleet(scene: Scene) -> Fleet:
    assert isinstance(scene.arena, Fleet)
    return scene.arena


def triggerer(way: str) -> Callable[[Scene], None]:
    """Strikes the triggerer that has the guard; another one's guard has to look within a lease."""

    def strike(scene: Scene) -> None:
        fleet = _fleet(scene)
        name = fleet.guards_host(scene.path)
        assert name, "no triggerer has the guard"
        before, seen = _turn(scene), _looks(scene)
        scene.struck = time.time()
        with WAYS[way](fleet, name):
            fleet.wait("another guard's turn", lambda: _turn(scene) > before or scene.ended(), LEASE_S)
            took = time.time() - scene.struck
            fleet.wait("its first look", lambda: _looks(scene) > seen or scene.ended(), LEASE_S)
            scene.notes.append(f"{name} {way}: another guard after {took:.1f} s, looked after {_since(scene):.1f} s")
            scene.hold_until(HELD_S - _since(scene))
        scene.hold_until(10, scene.ended)  # what was stopped or cut off finds out, and ends its triggers
        scene.notes.append(f"{_turn(scene) - before} further guards were begun")

    return strike


def worker(way: str, held_s: float) -> Callable[[Scene], None]:
    """Strikes a worker that is in a task."""

    def strike(scene: Scene) -> None:
        fleet, found = _fleet(scene), list[str]()
        fleet.wait("a worker in a task", lambda: _found(fleet.working(scene.path), found), 60)
        scene.struck = time.time()
        with WAYS[way](fleet, found[-1]):
            scene.notes.append(f"{found[-1]} {way} for {held_s:.0f} s")
            scene.hold_until(held_s)

    return strike


def scheduler(way: str) -> Callable[[Scene], None]:
    """Strikes one of the schedulers, for longer than a lease."""

    def strike(scene: Scene) -> None:
        fleet, name = _fleet(scene), scene.rng.choice(["scheduler-1", "scheduler-2"])
        scene.struck = time.time()
        with WAYS[way](fleet, name):
            scene.notes.append(f"{name} {way} for {HELD_S:.0f} s")
            scene.hold_until(HELD_S)

    return strike


def _found(name: str, found: list[str]) -> bool:
    found.append(name)
    return bool(name)


def _turn(scene: Scene) -> int:
    now = scene.arena.record.turns.find(scene.release_id, GUARD)
    return now.number if now else 0


def _looks(scene: Scene) -> int:
    return len(scene.arena.record.looks(scene.release_id))


def _since(scene: Scene) -> float:
    return time.time() - scene.struck


WORDS = {"killed": "kill -9", "stopped": "SIGSTOP, then SIGCONT", "cut": "its link down, then up"}
FAULTS = {
    one.name: one
    for one in (
        *(
            Fault(f"triggerer-{way}", GROUP, f"{WORDS[way]}: the triggerer that has the guard",
                  ("baking", "harm"), triggerer(way), ends=("promoted",))
            for way in WAYS
        ),
        *(
            Fault(f"worker-{way}", GROUP, f"{WORDS[way]}: a worker that is in a task",
                  ("deploy", "promoting"), worker(way, LOST_S if way == "cut" else HELD_S))
            for way in WAYS
        ),
        *(
            Fault(f"scheduler-{way}", GROUP, f"{WORDS[way]}: one of two schedulers",
                  ("baking",), scheduler(way), ends=("promoted",))
            for way in WAYS
        ),
    )
}  # fmt: skip
