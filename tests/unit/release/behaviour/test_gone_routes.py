"""Routes that are gone, and what nobody but the guard sees before the first weight: callers reach every version's pods."""

from __future__ import annotations

import pytest

from glidepath.errors import TemporaryError
from glidepath.record.engines import engine_of
from glidepath.record.tables import events
from glidepath.release.brake import taken_back
from glidepath.release.guard import Guard
from glidepath.release.run import Run
from glidepath.release.tasks.rollback import rollback
from tests.support.apiserver import SERVICE
from tests.support.guards import started, ticks
from tests.support.installed import http_routes
from tests.support.stage import Stage, abandon
from tests.unit.release.behaviour.test_edited_routes import BASE, OURS, TESTERS, http, reason
from tests.unit.release.tasks.test_tasks import UP_TO_WEIGHT, do


def test_a_virtual_service_that_is_gone_comes_back_with_the_brake(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    before = stage.server.find("virtualservices", SERVICE)
    del stage.server.objects[BASE, SERVICE]
    guard.tick()
    assert "VirtualService shop/prices does not exist" in reason(stage, run.id)
    after = stage.server.find("virtualservices", SERVICE)
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert (after["spec"]["hosts"], after["spec"]["gateways"]) == (before["spec"]["hosts"], before["spec"]["gateways"])
    assert "held" in stage.states()


@pytest.mark.parametrize("done", [1, 2], ids=["before deploy", "before the first weight"])
def test_routes_that_are_gone_before_a_guard_looks_are_made_anew_at_once(stage: Stage, done: int) -> None:
    """Until they are back callers reach the pods of every version, the canary's too: no task waits for another try."""
    run = stage.run()
    do(run, *UP_TO_WEIGHT[:done])
    del stage.server.objects[BASE, SERVICE]
    do(run, *UP_TO_WEIGHT[done:])
    assert "VirtualService shop/prices does not exist" in reason(stage, run.id)
    assert stage.weights() == {"v1": 100, "v2": 0}
    do(run, rollback)
    assert run.release.outcome == "rolled_back"


def waiting(stage: Stage) -> tuple[Run, Guard]:
    """A release whose canary has pods and no weight yet, and its guard."""
    run = stage.run()
    do(run, *UP_TO_WEIGHT[:2])
    return run, Guard(run)


@pytest.mark.parametrize("what", ["gone", "weights", "testers"])
def test_what_gives_the_canary_requests_before_its_first_weight_takes_it_back(stage: Stage, what: str) -> None:
    """Pods may take minutes to be ready: nobody but the guard looks then."""
    run, guard = waiting(stage)
    guard.tick()
    assert not taken_back(run)
    if what == "gone":
        del stage.server.objects[BASE, SERVICE]
    else:
        stage.edit_routes({"http": OURS if what == "weights" else [TESTERS, *http_routes({"v1": 100, "v2": 0})]})
    guard.tick()
    assert reason(stage, run.id).startswith("drift: VirtualService shop/prices ")
    assert http(stage)[-1:] == http_routes({"v1": 100, "v2": 0})
    assert stage.ports().traffic.read().beside <= {"v1"}
    do(run, rollback)
    assert run.release.outcome == "rolled_back"


def test_a_first_weight_that_is_given_while_the_guard_looks_is_no_drift(stage: Stage) -> None:
    run, guard = waiting(stage)
    stage.server.before("GET", "virtualservices", lambda: UP_TO_WEIGHT[2](run))
    guard.tick()
    assert stage.weights() == {"v1": 80, "v2": 20}
    guard.tick()
    assert not taken_back(run), reason(stage, run.id)


def test_a_rollback_that_finds_no_routes_is_tried_again_and_ends_once_they_are_back(stage: Stage) -> None:
    """Nobody knows what they said: the claim was one of a version that did not write that down."""
    run = stage.run()
    do(run, *UP_TO_WEIGHT)
    with engine_of(stage.record.url).begin() as database:
        database.execute(events.delete().where(events.c.kind == "claim"))
    was = stage.server.objects.pop((BASE, SERVICE))
    with pytest.raises(TemporaryError, match="does not exist"):
        rollback(run)
    assert run.release.outcome is None
    stage.server.objects[BASE, SERVICE] = was
    rollback(run)
    assert run.release.outcome == "rolled_back"


def test_the_watchdog_makes_routes_anew_that_are_gone(stage: Stage) -> None:
    do(stage.run(), *UP_TO_WEIGHT)
    del stage.server.objects[BASE, SERVICE]
    abandon(stage)
    assert stage.weights() == {"v1": 100, "v2": 0}
