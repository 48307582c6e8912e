"""Tasks that were stopped and go on late, and a record that can't be written: the canary is off traffic in any case."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from glidepath.errors import GlidepathError, RecordError, ReleaseFinishedError
from glidepath.record import Record
from glidepath.release.abort import abort
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim, unbegun
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from glidepath.release.tasks.shift import shift
from glidepath.watchdog.facts import Health
from glidepath.watchdog.loop import Watchdog
from tests.support.apiserver import LEASES, NAMESPACE
from tests.support.crashes import process
from tests.support.stage import Stage, abandon

WRITES = ("set_token", "move", "close", "add_event", "add_look", "open_release")
ALL = 10**6


def full(*_: object, **__: object) -> None:
    raise RecordError("database or disk is full")


def up_to_weight(stage: Stage, run: Run) -> Guard:
    """The canary has 20 %, and its guard looks on."""
    claim(run)
    deploy(run)
    guard = Guard(process(stage, run))
    shift(run, 1)
    return guard


def watched(stage: Stage, guard: Guard, seconds: float, errors: int) -> None:
    """Guard and watchdog at work for so long, Airflow's scheduler away."""
    steady = [0.0]
    watchdog = Watchdog(stage.server.api(), NAMESPACE, Health(), lambda: stage.clock, lambda: steady[0])
    until = stage.clock + seconds
    while stage.clock < until:
        before = stage.clock
        stage.traffic(errors=errors)
        steady[0] += stage.clock - before
        with suppress(GlidepathError):
            guard.tick()
        watchdog.look()


def once(run: Callable[[], None]) -> Callable[[], None]:
    """Runs it the first time only."""
    done: list[bool] = []

    def maybe() -> None:
        if not done:
            done.append(True)
            run()

    return maybe


def test_a_claim_that_slept_lowers_no_token(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped between the Lease and the record; the second try has claimed anew and given weight when it goes on."""
    run, guards, real = stage.run(), [], Record.set_token

    def second_try() -> None:
        abandon(stage)
        guards.append(up_to_weight(stage, run))

    meanwhile = once(second_try)

    def slept(self: Record, identity: str, token: int) -> None:
        meanwhile()
        real(self, identity, token)

    monkeypatch.setattr(Record, "set_token", slept)
    with suppress(GlidepathError):
        claim(process(stage, run))
    assert str(run.release.token) == stage.lease("token")
    watched(stage, guards[0], 300, ALL)
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_a_claim_that_slept_claims_nothing_once_the_release_went_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped before it reads the Lease; meanwhile the watchdog has taken the canary back."""
    run, real = stage.run(), unbegun

    def second_try() -> None:
        guard = up_to_weight(stage, run)
        guard.deciding.decide(guard.run.step(), Decision.ADVANCE, "good")
        abandon(stage)

    meanwhile = once(second_try)

    def slept(of: Run) -> bool:
        was = real(of)
        meanwhile()
        return was

    monkeypatch.setattr("glidepath.release.tasks.claim.unbegun", slept)
    with pytest.raises(ReleaseFinishedError):
        claim(process(stage, run))
    with suppress(GlidepathError):
        shift(run, 2)
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_an_ended_release_takes_no_lease(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run, real = stage.run(), unbegun

    def ended(of: Run) -> bool:
        was = real(of)
        with suppress(GlidepathError):
            finish(run)
        return was

    monkeypatch.setattr("glidepath.release.tasks.claim.unbegun", ended)
    with pytest.raises(ReleaseFinishedError):
        claim(process(stage, run))
    assert stage.at_rest("v1")


def test_a_deploy_that_slept_holds_nothing_of_an_ended_release(stage: Stage) -> None:
    run = stage.run()
    claim(run)

    def end() -> None:
        with suppress(GlidepathError):
            finish(process(stage, run))

    stage.server.before("PATCH", "virtualservices", once(end))
    with suppress(GlidepathError):
        deploy(run)
    assert stage.at_rest("v1")


def test_what_can_not_be_written_down_is_not_kept_from_the_watchdog(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stage.run()
    guard = up_to_weight(stage, run)
    watched(stage, guard, 15, 1)
    for name in WRITES:
        monkeypatch.setattr(Record, name, full)
    watched(stage, guard, 300, 1)
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert stage.holder() == ""


@pytest.mark.parametrize("end", [rollback, settle, finish])
def test_who_goes_back_brakes_though_it_can_not_be_written_down(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, end: Callable[[Run], None]
) -> None:
    run = stage.run()
    up_to_weight(stage, run)
    with monkeypatch.context() as disk:
        for name in WRITES:
            disk.setattr(Record, name, full)
        with pytest.raises(RecordError):
            end(run)
        assert stage.weights() == {"v1": 100, "v2": 0}
    with suppress(GlidepathError):
        finish(run)
    assert stage.at_rest("v1")


def test_a_brake_that_was_not_written_down_is_no_drift_to_put_back(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = stage.run(policy="on_drift: restore\n")
    guard = up_to_weight(stage, run)
    watched(stage, guard, 15, 1)
    with monkeypatch.context() as disk:
        for name in ("add_event", "add_look"):
            disk.setattr(Record, name, full)
        abort(run, "the guard has not looked for 181 s")
        assert stage.weights() == {"v1": 100, "v2": 0}
    weights = []
    for _ in range(6):
        watched(stage, guard, 5, ALL)
        weights.append(stage.weights().get("v2", 0))
    assert not any(weights)
    now = run.journal.fate()
    assert now is not None
    assert now.kind == "taken_back"


def test_a_lease_that_was_deleted_begins_above_what_the_objects_carry(stage: Stage) -> None:
    run = stage.run()
    claim(run)
    abandon(stage)
    with suppress(GlidepathError):
        finish(run)
    newest = stage.lease("token")
    stage.server.objects.pop((LEASES, "glidepath-prices"))
    stage.traffic()
    other = stage.run("dag/other")
    claim(other)
    assert int(stage.lease("token")) > int(newest)
    with suppress(GlidepathError):
        finish(other)
    assert stage.at_rest("v1")
