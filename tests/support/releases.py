"""Whole releases in memory, by the release's own code, that end in every way: what pages and commands are tried on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from glidepath.errors import ReleaseTakenBack
from glidepath.evidence.prometheus import NotAnsweredError
from glidepath.release.guard import Guard
from glidepath.release.people import Questioned
from glidepath.release.run import Run
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from glidepath.release.tasks.shift import shift
from tests.support.apiserver import NAMESPACE, SERVICE, ApiServer
from tests.support.guards import started, ticks
from tests.support.stage import BEGAN, Stage

DAG = "release_prices"
ASKS = "on_undecided: hold\n"
ASKS_FIRST = "approval: {before: [traffic, promotion]}\n"
OBSERVED = "after_promotion: {warm: 10m, holdback: 5}\n"


@dataclass
class Told:
    """A release, as far as it was played, and the stage that it was played on."""

    stage: Stage
    run: Run
    guard: Guard


def _begun(stage: Stage, name: str, **params: Any) -> Told:
    planned = stage.run
    identity = f"{DAG}/manual__{name}+00:00"
    stage.run = lambda *_, **given: planned(identity, **given)  # type: ignore[method-assign]
    try:
        run, guard = started(stage, **params)
    finally:
        stage.run = planned  # type: ignore[method-assign]
    return Told(stage, run, guard)


def promoted(stage: Stage) -> Told:
    """v2 is as good as v1: it is promoted."""
    told = last_step(stage)
    ticks(stage, told.guard, 120, stable_errors=3)
    promote(told.run)
    told.guard.tick()
    settle(told.run)
    finish(told.run)
    return told


def last_step(stage: Stage, name: str = "promoted", **params: object) -> Told:
    """v2 is good so far, and at 50 %."""
    told = _begun(stage, name, **params)
    ticks(stage, told.guard, 4)
    shift(told.run, 2)
    ticks(stage, told.guard, 2, stable_errors=3)
    return told


def crashing(server: ApiServer, version: str) -> None:
    """A pod of a version that was killed and started again; the API has its last lines."""
    name = f"{SERVICE}-{version}-7d9f"
    killed = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    status = {"name": "app", "state": {"running": {}}, "ready": True, "restartCount": 1, "lastState": killed}
    labels = {"app": SERVICE, "version": version}
    server.put(
        f"/api/v1/namespaces/{NAMESPACE}/pods",
        {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels},
            "spec": {"containers": [{"name": "app"}]}, "status": {"phase": "Running", "containerStatuses": [status]},
        },
    )  # fmt: skip
    server.logs[name, "app", True] = "loading prices\nMemoryError: <script>alert(1)</script>\n"


def taken_back(stage: Stage) -> Told:
    """v2 fails: it is taken back for it."""
    told = _begun(stage, "taken-back")
    crashing(stage.server, "v2")
    ticks(stage, told.guard, 8, errors=40)
    rollback(told.run)
    settle(told.run)
    try:
        finish(told.run)
    except ReleaseTakenBack:
        return told
    raise AssertionError("a release that was taken back ends red")


def waiting(stage: Stage) -> Told:
    """Nothing was proven in time, and the policy asks a person."""
    told = _begun(stage, "waiting", policy=ASKS, weights=[20], bake="10m")
    ticks(stage, told.guard, 4)
    stage.clock += 1200
    ticks(stage, told.guard, 3)
    return told


def gated(stage: Stage) -> Told:
    """The pods of v2 are ready, and a person is asked whether it gets its first requests."""
    told = _begun(stage, "gated", policy=ASKS_FIRST, step=0)
    ticks(stage, told.guard, 2)
    told.run.note(Questioned(told.run.now() + 3600, "rollback", about="traffic"))
    told.guard.tick()
    return told


def undecided(stage: Stage, **params: object) -> Told:
    """v2 is at 20 %, and nothing is decided."""
    told = _begun(stage, "undecided", **params)
    ticks(stage, told.guard, 1)
    return told


def blind(stage: Stage) -> Told:
    """Prometheus is away in the middle of a step."""
    told = _begun(stage, "blind")
    ticks(stage, told.guard, 1)
    stage.prometheus.down = NotAnsweredError("Prometheus is away")
    for _ in range(2):
        stage.clock += 8
        told.guard.tick()
    return told


def observed(stage: Stage) -> Told:
    """v2 is promoted, and v1 is still warm."""
    told = last_step(stage, "observed", policy=OBSERVED)
    ticks(stage, told.guard, 120, stable_errors=3)
    promote(told.run)
    ticks(stage, told.guard, 3)
    return told


ENDS: dict[str, Callable[..., Told]] = {
    "promoted": promoted, "taken-back": taken_back, "waiting": waiting, "undecided": undecided, "blind": blind,
    "observed": observed, "gated": gated,
}  # fmt: skip


def played(folder: Path, until: float | None = None) -> str:
    """Play all of them into a record of this folder, without waiting for traffic to be seen silent; its URL.

    Args:
        folder: Where.
        until: All have come as far as they come at this epoch second; None: all begin at the same.
    """
    url = f"sqlite:///{folder}/record.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
        lasted = fill(folder / "played", url if until is None else f"sqlite:///{folder}/first.db")
        if until is not None:
            fill(folder / "again", url, {name: until - seconds for name, seconds in lasted.items()})
    return url


def fill(folder: Path, url: str, began: Mapping[str, float] = MappingProxyType({})) -> dict[str, float]:
    """Play all of them into one record; each has a service of its own. How long each was, seconds.

    Args:
        folder: Where their services are.
        url: The record's.
        began: When each begins, epoch seconds, if not when a stage does.
    """
    from glidepath.record import Record

    lasted = {}
    for name, play in ENDS.items():
        place, begins = folder / name, began.get(name, BEGAN)
        place.mkdir(parents=True)
        with ApiServer() as server:
            stage = Stage(server, place, began=begins)
            stage.record = Record(url)
            play(stage)
        lasted[name] = stage.clock - begins
    return lasted
