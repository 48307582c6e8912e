"""Guards that follow each other, and guards that see nothing: what proves life is what was seen."""

from __future__ import annotations

import dataclasses

import pytest

from glidepath.errors import ReplacedError
from glidepath.record.turns import GUARD
from glidepath.release.brake import taken_back
from glidepath.release.guard import GUARDS_UNSEEN, Guard
from glidepath.release.phases import Decision
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.shift import shift
from tests.support.guards import started, ticks
from tests.support.stage import Stage, abandon


def begun(stage: Stage, run: Run) -> Guard:
    """A guard of another process, as its trigger begins it."""
    turn = run.ports.record.turns.take(run.id, GUARD, stage.clock)
    return Guard(dataclasses.replace(run, ports=stage.ports()), turn, steady=lambda: stage.clock)


def renewed(stage: Stage) -> str:
    """When the claim was renewed last."""
    return str(stage.server.all("leases")[0]["spec"]["renewTime"])


@pytest.mark.parametrize("lives", [1, 2])
def test_guards_begun_anew_within_each_scrape_take_harm_back(stage: Stage, lives: int) -> None:
    run, _ = started(stage)
    for _ in range(8):
        stage.traffic(errors=20)
        for _ in range(lives):
            begun(stage, run).tick()
    assert taken_back(run)
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_they_see_what_one_guard_would_have_seen(stage: Stage) -> None:
    run, _ = started(stage, weights=[20], bake="10m")
    begun(stage, run).tick()
    first = len(run.ports.record.looks(run.id))
    for _ in range(6):
        stage.traffic(errors=1)
        begun(stage, run).tick()
    counted = [one[1]["canary"]["requests"] for one in run.ports.record.looks(run.id)[first:] if one[1]]
    assert counted == [100] * 6


def test_guards_that_see_nothing_do_not_keep_the_claim(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = started(stage)
    monkeypatch.setattr("glidepath.release.looks.Looks.look", lambda *_: None)
    times = []
    for _ in range(40):
        stage.clock += 20  # longer than it takes to renew
        begun(stage, run).tick()
        times.append(renewed(stage))
    assert len(set(times)) == GUARDS_UNSEEN
    assert any("the claim is not renewed before the next look" in line for line in stage.said)
    abandon(stage)
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_one_guard_that_sees_nothing_does_not_either(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = started(stage)
    guard = begun(stage, run)
    with monkeypatch.context() as blind:
        blind.setattr(guard.looks, "look", lambda *_: None)
        times = []
        for _ in range(40):
            stage.clock += 5
            guard.tick()
            times.append(renewed(stage))
    assert times[-1] == times[12]  # 60 s after the last look, one lease
    assert times[0] != times[12]
    ticks(stage, guard, 5)
    assert renewed(stage) > times[-1]  # it sees again


def test_before_the_first_weight_and_after_the_brake_there_is_nothing_to_see_and_the_claim_is_kept(
    stage: Stage,
) -> None:
    run = stage.run()
    claim(run)
    deploy(run)

    def kept(guard: Guard) -> None:
        for _ in range(20):
            before = renewed(stage)
            stage.clock += 15
            guard.tick()
            assert renewed(stage) > before

    kept(begun(stage, run))
    shift(run, 1)
    guard = begun(stage, run)
    guard.deciding.decide(run.step(), Decision.ROLLBACK, "enough")
    kept(guard)


def test_a_guard_that_was_replaced_sees_no_more_and_the_other_misses_nothing(stage: Stage) -> None:
    run, _ = started(stage, weights=[20], bake="10m")
    old = begun(stage, run)
    ticks(stage, old, 2)
    new = begun(stage, run)
    stage.traffic(errors=1)
    with pytest.raises(ReplacedError):
        old.tick()
    seen = len(run.ports.record.looks(run.id))
    new.tick()
    looks = run.ports.record.looks(run.id)
    assert len(looks) == seen + 1
    assert looks[-1][1]["canary"]["requests"] == 100  # type: ignore[index]


def test_a_release_that_was_begun_by_older_code_goes_on(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 2)  # no turn was ever taken, nothing was handed on
    assert run.ports.record.turns.find(run.id, GUARD) is None
    later = begun(stage, run)
    ticks(stage, later, 8, errors=40)
    assert taken_back(run)
