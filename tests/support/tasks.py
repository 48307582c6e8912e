"""The tasks of a release as tests run them: each takes the release, and nothing else."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator

from glidepath.errors import GlidepathError
from glidepath.release.events import ObservationOver
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.settle import settle
from glidepath.release.tasks.shift import shift
from tests.support.crashes import Died, Fuse, Saved, process
from tests.support.stage import Stage

Action = Callable[[Run], object]


def first(run: Run) -> None:
    """Step 1."""
    shift(run, 1)


def second(run: Run) -> None:
    """Step 2."""
    shift(run, 2)


# A release of two steps that is promoted.
GOOD: tuple[Action, ...] = (claim, deploy, first, second, promote, settle, finish)


def over(run: Run) -> None:
    """The guard's word on the window of a release of two steps."""
    run.note(ObservationOver(3, "promote", "over", 0))


def do(run: Run, *actions: Action) -> list[BaseException]:
    """One after the other, whatever comes of each; what was raised."""
    errors: list[BaseException] = []
    for action in actions:
        try:
            action(run)
        except (GlidepathError, Died) as error:
            errors.append(error)
    return errors


def walked(saved: Saved, *actions: Action) -> Saved:
    """The same, once these have been carried out."""
    for action in actions:
        saved = saved.after(action)
    return saved


def every_fault(saved: Saved, action: Action, mode: str) -> Iterator[tuple[Stage, Run, Fuse]]:
    """The release after one task was done with each of its calls failing so, one after the other."""
    for at in itertools.count():
        stage, run = saved.again()
        fuse = Fuse(at, mode)
        do(process(stage, run, fuse), action)
        if not fuse.blown:
            return
        yield stage, run, fuse


def twice(stage: Stage, run: Run, actions: Iterable[Action]) -> None:
    """Each of them twice, one after the other: the second time it has to change nothing."""
    for action in actions:
        action(run)
        before = stage.written()
        action(run)
        assert stage.written() == before, action


def every_call(
    saved: Saved, action: Action, other: Callable[[Stage, Run], object]
) -> Iterator[tuple[Stage, Run, Fuse]]:
    """The release after `other` acted before each call of one task, and the task went on."""
    for at in itertools.count():
        stage, run = saved.again()
        fuse = Fuse(at, between=lambda stage=stage, run=run: other(stage, run))  # type: ignore[misc]
        do(process(stage, run, fuse), action)
        if not fuse.blown:
            return
        yield stage, run, fuse
