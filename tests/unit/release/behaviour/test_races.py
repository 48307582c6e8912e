"""Somebody else acts between any two calls of a task: the guard, the watchdog, a person."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest

from glidepath.errors import ClaimError, ReleaseTakenBack, TemporaryError
from glidepath.release import brake
from glidepath.release.events import Committed
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from tests.support.crashes import Fuse, Saved, process
from tests.support.stage import Stage, abandon
from tests.support.tasks import Action, do, every_call, first, second, walked

WAY: tuple[Action, ...] = (claim, deploy, first, second, promote)
NAMES = ["claim", "deploy", "first", "second", "promote"]
END: tuple[Action, ...] = (settle, finish)


def guard_brakes(stage: Stage, run: Run) -> None:
    """The guard finds harm."""
    if run.release.token is not None:
        brake.take_back(process(stage, run), "harm")


def watchdog_acts(stage: Stage, run: Run) -> None:
    """The task was stopped for so long that the watchdog took the service."""
    if stage.holder() == run.id:
        abandon(stage)


@pytest.mark.parametrize("task", range(len(WAY)), ids=NAMES)
def test_the_guard_brakes_at_any_call(planned: Saved, task: int) -> None:
    """One fate, and once the task is through no weight is on a canary that was taken back."""
    for stage, run, fuse in every_call(walked(planned, *WAY[:task]), WAY[task], guard_brakes):
        back = brake.taken_back(run)
        if back:
            assert stage.weights().get("v2", 0) == 0, fuse.where
            assert stage.lease("stable") == "v1", fuse.where
        do(process(stage, run), *END)
        assert run.release.outcome == ("rolled_back" if back or task < 4 else "promoted"), fuse.where
        assert stage.at_rest("v1" if back or task < 4 else "v2"), (fuse.where, stage.written())


@pytest.mark.parametrize("task", range(len(WAY)), ids=NAMES)
def test_the_watchdog_acts_at_any_call(planned: Saved, task: int) -> None:
    for stage, run, fuse in every_call(walked(planned, *WAY[:task]), WAY[task], watchdog_acts):
        if fuse.calls:
            errors = do(process(stage, run), *END)
            assert run.release.outcome is not None, (fuse.where, errors)
            promoted = run.release.outcome == "promoted"
            assert promoted == brake.committed(run), fuse.where
            assert stage.at_rest("v2" if promoted else "v1"), (fuse.where, stage.written())


@pytest.mark.parametrize("good", [True, False], ids=["promoted", "taken back"])
def test_the_watchdog_acts_at_any_call_of_the_last_task_and_another_try_ends_it(planned: Saved, good: bool) -> None:
    way: tuple[Action, ...] = (*WAY, settle) if good else (claim, deploy, first, rollback)
    saved = walked(planned, *way)
    for at in itertools.count():
        stage, run = saved.again()
        fuse = Fuse(at, between=lambda stage=stage, run=run: watchdog_acts(stage, run))  # type: ignore[misc]
        errors = do(process(stage, run, fuse), finish)
        if not fuse.blown:
            return
        assert not any(isinstance(one, ClaimError) for one in errors), (fuse.where, "such an error is not tried again")
        errors = do(process(stage, run), finish)
        assert [type(one) for one in errors] == ([] if good else [ReleaseTakenBack]), (fuse.where, errors)
        assert stage.at_rest("v2" if good else "v1"), (fuse.where, stage.written())


@pytest.mark.parametrize("write", ["move", "close"])
def test_another_task_ends_it_while_the_last_one_does_and_another_try_gives_the_claim_back(
    planned: Saved, write: str
) -> None:
    """A rollback whose worker was thought dead, and `finish`: whichever is second meets no error that is final."""
    saved = walked(planned, claim, deploy, first)
    stage, run = saved.again()
    do(process(stage, run, calls := Fuse(between=lambda: None)), finish)
    stage, run = saved.again()
    fuse = Fuse(calls.calls.index(write), between=lambda: do(process(stage, run), rollback))
    with suppress(TemporaryError, ReleaseTakenBack):
        finish(process(stage, run, fuse))
    assert fuse.blown
    with pytest.raises(ReleaseTakenBack):
        finish(process(stage, run))
    assert stage.at_rest("v1"), stage.written()


def test_a_fate_is_written_once(stage: Stage) -> None:
    run = stage.run()
    assert run.note(Committed())
    assert not brake.note_taken_back(run, "late")
    assert run.journal.fate() == Committed()
