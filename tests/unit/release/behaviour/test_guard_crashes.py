"""The guard's process ends anywhere, or one of its writes fails: the next one knows what was known."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from glidepath.errors import EvidenceError, GlidepathError, RecordError
from glidepath.judge import Interval, Judge, Look, Plan
from glidepath.release.brake import taken_back
from glidepath.release.events import Drifted
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.shift import shift
from tests.support.crashes import MODES, Died, Fuse, Saved, die, process
from tests.support.stage import Stage


def at_weight(run: Run) -> None:
    """The first step."""
    claim(run)
    deploy(run)
    shift(run, 1)


def look(stage: Stage, guard: Guard, count: int, errors: int = 0) -> bool:
    """So many scrapes, a look after each; whether all got through."""
    through = True
    for _ in range(count):
        stage.traffic(errors=errors)
        try:
            guard.tick()
        except GlidepathError:
            through = False
    return through


def assert_judged_from_the_record_alone(run: Run) -> None:
    """Each recorded look is what the judge makes of the recorded intervals before it."""
    release = run.release
    assert release.plan is not None
    judge = Judge(Plan.from_dict(release.plan))
    looks = run.ports.record.looks(run.id)
    assert [seq for seq, _, _ in looks] == list(range(1, len(looks) + 1))
    for _, interval, recorded in looks:
        if interval is not None:
            assert judge.look(Interval.from_dict(interval)) == Look.from_dict(recorded)
        else:
            judge.no_data(recorded["at"], recorded["at"], recorded["reason"])


@pytest.mark.parametrize("mode", MODES)
def test_harm_is_braked_whatever_happens_at_a_write(planned: Saved, mode: str) -> None:
    saved = planned.after(at_weight)
    for at in itertools.count():
        stage, run = saved.again()
        fuse = Fuse(at, mode)
        stage.prometheus.scrape("v2", 0)
        guard = Guard(process(stage, run, fuse))
        try:
            guard.tick()
            look(stage, guard, 8, errors=5)
        except Died:
            guard = Guard(process(stage, run))
            guard.tick()
        if not fuse.blown:
            break
        look(stage, guard, 8, errors=5)
        assert stage.weights() == {"v1": 100, "v2": 0}, fuse.where
        assert taken_back(run), fuse.where
        told = run.journal.answer_on(1)
        assert told is not None, fuse.where
        assert told[0] is Decision.ROLLBACK
        assert "FAIL" in told[1], (fuse.where, told)
        assert_judged_from_the_record_alone(run)
    assert at > 5


def test_harm_that_was_recorded_is_braked_though_telemetry_is_gone(planned: Saved) -> None:
    """The guard ended between writing FAIL down and acting upon it."""
    stage, run = planned.after(at_weight).again()
    stage.prometheus.scrape("v2", 0)
    guard = Guard(run)
    guard.tick()
    guard.deciding.decide = die  # type: ignore[method-assign]
    with pytest.raises(Died):
        look(stage, guard, 20, errors=40)
    last = run.ports.record.last_look(run.id)
    assert last is not None
    assert last["verdict"] == "FAIL"
    assert stage.weights() == {"v1": 80, "v2": 20}
    stage.prometheus.down = EvidenceError("away")
    Guard(process(stage, run)).tick()
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert taken_back(run)


def test_proven_harm_is_never_put_back_as_drift(planned: Saved) -> None:
    """The record refuses the note that the release goes back, after the brake was pulled."""
    stage, run = planned.after(at_weight).again()
    run = dataclasses.replace(run, spec=run.spec.model_copy(update={"on_drift": "restore"}))
    stage.prometheus.scrape("v2", 0)
    guard = Guard(run)
    guard.tick()
    real, refused = run.ports.record.add_event, []

    def add_event(release_id: str, kind: str, *more: object) -> bool:
        if kind == "taken_back" and not refused:
            refused.append(kind)
            raise RecordError("locked")
        return real(release_id, kind, *more)  # type: ignore[arg-type]

    run.ports.record.add_event = add_event  # type: ignore[method-assign]
    while not refused:
        assert guard.looks.seq < 9
        through = look(stage, guard, 1, errors=100)
    assert not through
    assert stage.weights() == {"v1": 100, "v2": 0}
    guard.tick()
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert taken_back(run)
    assert not any(isinstance(one, Drifted) for one in run.journal.entries())


def test_weight_whose_task_died_before_it_was_noted_is_watched(planned: Saved) -> None:
    stage, run = planned.after(claim).after(deploy).again()
    fuse = Fuse(4, "dies")
    with pytest.raises(Died):
        shift(process(stage, run, fuse), 1)
    assert fuse.calls[-2:] == ["PATCH virtualservices", "add_event"]
    assert stage.weights() == {"v1": 80, "v2": 20}
    stage.prometheus.scrape("v2", 0)
    guard = Guard(run)
    guard.tick()
    assert guard.run.step().number == 0
    look(stage, guard, 10, errors=40)
    assert guard.run.step().number == 1
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert taken_back(run)
