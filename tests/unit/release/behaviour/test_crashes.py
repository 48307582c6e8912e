"""A crash, a refusal or a lost answer at any write of a release: the next try, or its end, makes it whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from glidepath.errors import GlidepathError, ReleaseTakenBack
from glidepath.release import brake
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.rollback import rollback
from tests.support.crashes import MODES, Died, Fuse, Saved, process
from tests.support.stage import Stage, abandon
from tests.support.tasks import GOOD, Action, first, second


def harm(run: Run) -> None:
    """What the guard does, in a process of its own."""
    brake.take_back(run, "harm")


BAD: tuple[Action, ...] = (claim, deploy, first, harm, second, rollback, *GOOD[-2:])
TRIES = 3


def attempt(stage: Stage, run: Run, action: Action, fuse: Fuse) -> bool:
    """One process carries out one task; True when it got through."""
    try:
        action(process(stage, run, fuse))
    except ReleaseTakenBack:
        return True
    except (GlidepathError, Died):
        return False
    return True


def go_on(stage: Stage, run: Run, way: tuple[Action, ...]) -> None:
    """The rest of a DAG run's tasks, each tried again while it fails."""
    for action in way:
        assert any(attempt(stage, run, action, Fuse()) for _ in range(TRIES)), (action, stage.said)


def assert_ended(stage: Stage, run: Run, fuse: Fuse, allowed: set[str]) -> None:
    outcome = run.release.outcome
    assert outcome in allowed, fuse.where
    assert stage.at_rest("v2" if outcome == "promoted" else "v1"), (fuse.where, stage.written())


def every_write(saved: Saved, action: Action, mode: str) -> Iterator[tuple[Stage, Run, Fuse, bool]]:
    """A task to which something happened at each of its writes in turn; last, whether it got through in spite of it."""
    for at in itertools.count():
        stage, run = saved.again()
        fuse = Fuse(at, mode)
        through = attempt(stage, run, action, fuse)
        if not fuse.blown:
            return
        yield stage, run, fuse, through


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", [GOOD, BAD], ids=["good", "bad"])
def test_whatever_happens_at_a_write_the_next_try_goes_on(planned: Saved, way: tuple[Action, ...], mode: str) -> None:
    saved = planned
    for number, action in enumerate(way):
        for stage, run, fuse, through in every_write(saved, action, mode):
            go_on(stage, run, way[number + through :])
            assert_ended(stage, run, fuse, {"promoted"} if way is GOOD else {"rolled_back"})
        saved = saved.after(action) if action is not finish else saved


@pytest.mark.parametrize("mode", ["dies", "refused", "cut"])
def test_whatever_happens_at_a_write_the_end_cleans_up_when_nobody_tries_again(planned: Saved, mode: str) -> None:
    saved = planned
    for action in GOOD[:5]:
        for stage, run, fuse, _ in every_write(saved, action, mode):
            go_on(stage, run, GOOD[5:])
            assert_ended(stage, run, fuse, {"promoted", "rolled_back", "refused"})
        saved = saved.after(action)


@pytest.mark.parametrize("mode", ["dies", "cut"])
def test_the_watchdog_never_undoes_the_brake(planned: Saved, mode: str) -> None:
    """Promote ends at any write, harm is found if it still counts, and then nobody is left but the watchdog."""
    saved = planned
    for action in GOOD[:4]:
        saved = saved.after(action)
    for stage, run, fuse, _ in every_write(saved, promote, mode):
        attempt(stage, run, harm, Fuse())
        back = brake.taken_back(run)
        assert back == (not brake.committed(run)), fuse.where
        if stage.holder():
            abandon(stage)
        if back:
            assert stage.weights() in ({"v1": 100, "v2": 0}, {"v1": 100}), fuse.where
        go_on(stage, run, GOOD[5:])
        assert_ended(stage, run, fuse, {"rolled_back"} if back else {"promoted"})
