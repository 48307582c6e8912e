"""A guard that reads what its process watches: it sees what others do, and does nothing by what is behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from glidepath.informers import informer
from glidepath.ports import Watched
from glidepath.release import drift, events
from glidepath.release.asking import ask
from glidepath.release.brake import taken_back
from glidepath.release.guard import Guard
from glidepath.release.run import Run
from glidepath.release.tasks.shift import shift
from glidepath.wiring.ports import watched
from tests.support.apiserver import SERVICE, SERVICES
from tests.support.guards import annotated, started
from tests.support.installed import http_routes
from tests.support.stage import Stage
from tests.support.watching import WatchingApiServer

Ready = tuple[Stage, Run, Guard, Watched]


class Watching(Stage):
    """A stage whose server can be watched."""

    server: WatchingApiServer


def until(what: Callable[[], Any]) -> None:
    over = time.monotonic() + 10
    while not what():
        assert time.monotonic() < over, "it never came"
        time.sleep(0.01)


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watching]:
    monkeypatch.setattr(informer, "PAUSE_S", 0.01)
    monkeypatch.setattr("glidepath.kube.calls.REFUSED_S", 0.0)
    monkeypatch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
    with WatchingApiServer() as server:
        yield Watching(server, tmp_path)


@pytest.fixture
def ready(stage: Watching) -> Iterator[tuple[Run, Guard]]:
    """A release at its first step, watched, and at rest: a tick asks the server for nothing but the claim."""
    run, _ = started(stage)
    api = stage.server.api()
    resting = watched(run.ports, run.spec, api, run.spec.lease / 2)
    guard = Guard(run, rest=replace(run, ports=resting.ports))
    until(lambda: reads(stage, guard) == [])
    yield run, guard
    resting.close()
    stage.server.end()


def reads(stage: Watching, guard: Guard) -> list[str]:
    """What a tick asks the server for, but for renewing the claim."""
    before = len(stage.server.log)
    stage.traffic()
    guard.tick()
    asked = [path.split("/")[-1] for method, path, _ in stage.server.log[before:] if method == "GET"]
    return [one for one in asked if not one.startswith("glidepath-")]


def test_at_rest_nothing_is_asked(stage: Watching, ready: tuple[Run, Guard]) -> None:
    _, guard = ready
    assert [reads(stage, guard) for _ in range(5)] == [[]] * 5


def edited(stage: Watching) -> None:
    stage.edit_routes({"http": http_routes({"v1": 20, "v2": 80})})


def scaled(stage: Watching) -> None:
    path = f"/apis/apps/v1/namespaces/shop/deployments/{SERVICE}-v2?fieldManager=a-person"
    status, answer = stage.server.handle("PATCH", path, "application/merge-patch+json", {"spec": {"replicas": 0}})
    assert status == 200, answer


def ordered(stage: Watching) -> None:
    annotated(stage, "take-back", "it looks odd")


@pytest.mark.parametrize("change", [edited, scaled, ordered])
def test_what_somebody_does_is_seen_and_acted_upon(
    stage: Watching, ready: tuple[Run, Guard], change: Callable[[Watching], None]
) -> None:
    run, guard = ready
    change(stage)

    def seen() -> bool:
        guard.tick()
        return taken_back(run)

    until(seen)
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_own_writes_that_are_not_seen_yet_are_no_drift(stage: Watching, ready: tuple[Run, Guard]) -> None:
    """The next weight is given, and the watch still says the one before."""
    run, guard = ready
    stage.server.silent = True
    shift(run, 2)
    assert stage.weights() == {"v1": 50, "v2": 50}
    asked = reads(stage, guard)
    assert SERVICE in asked  # what is watched differs, so the API was asked
    assert not taken_back(run)
    assert stage.weights() == {"v1": 50, "v2": 50}


def test_a_watch_that_breaks_blinds_nobody(stage: Watching, ready: tuple[Run, Guard]) -> None:
    run, guard = ready
    stage.server.silent = True
    stage.server.cut()
    edited(stage)
    until(lambda: reads(stage, guard) and taken_back(run))
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_an_order_that_was_withdrawn_is_followed_no_more(stage: Watching, ready: tuple[Run, Guard]) -> None:
    """What is watched still says it; the Lease does not."""
    run, guard = ready
    ordered(stage)
    until(lambda: "take-back" in str(guard._sure.rest.ports.claims.asked(run.claim)))
    stage.server.silent = True
    lease = stage.server.all("leases")[0]["metadata"]["name"]
    path = f"/apis/coordination.k8s.io/v1/namespaces/shop/leases/{lease}"
    gone = {"metadata": {"annotations": {"glidepath.dev/take-back": None}}}
    assert stage.server.handle("PATCH", path, "application/merge-patch+json", gone)[0] == 200
    reads(stage, guard)
    assert not taken_back(run)


def test_what_was_in_order_is_not_looked_through_again_before_something_changes(
    stage: Watching, ready: tuple[Run, Guard], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, guard = ready
    made: list[Run] = []

    def check(by: Run) -> str | None:
        made.append(by)
        return drift.objects_drift(by)

    def times(ticks: int) -> int:
        before = len(made)
        for _ in range(ticks):
            reads(stage, guard)
        return len(made) - before

    monkeypatch.setattr("glidepath.release.guard.objects_drift", check)
    assert times(1) == 1
    until(lambda: times(1) == 0)  # the guard's own word on the step is something new, too
    assert times(5) == 0
    run.note(events.Watching())  # the record has something new
    assert (times(1), times(3)) == (1, 0)
    stage.server.put(
        SERVICES, stage.server.find("services", SERVICE) | {"metadata": {"name": SERVICE, "labels": {"a": "b"}}}
    )
    until(lambda: times(1) == 1)  # and the cluster
    assert times(3) == 0
    stage.server.cut()
    stage.server.down = True
    until(lambda: times(1) == 1)  # nothing is proven any more
    assert not taken_back(run)


@pytest.mark.parametrize("what", ["hold", "resume", "hold again"])
def test_what_is_asked_on_the_lease_to_be_written_down_is_written_by_what_the_api_says(
    stage: Watching, ready: tuple[Run, Guard], what: str
) -> None:
    """It is in the record once, and off the Lease; `resume` can't be asked of what is not held."""
    run, guard = ready
    if what == "hold again":
        ask(run.ports.record, run.id, "hold", "ann", "a first time", run.now())
    annotated(stage, what.removesuffix(" again"), "it looks odd")

    def followed() -> bool:
        guard.tick()
        return run.ports.claims.asked(run.claim) is None

    until(followed)
    assert [word.what for word in run.journal.asked()] == ([] if what == "resume" else ["hold"])
