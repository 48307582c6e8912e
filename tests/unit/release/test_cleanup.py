"""A process that was stopped until its release had ended without it goes on: nothing of it is left, whatever it was at."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress

import pytest

from glidepath.errors import ClaimLostError, GlidepathError, HelmError
from glidepath.release import brake
from glidepath.release.events import Swept
from glidepath.release.guard import Guard
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.observe import observe
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from tests.support.apiserver import MESH, SERVICE
from tests.support.crashes import MODES, Died, Fuse, Saved, process
from tests.support.stage import Stage, abandon
from tests.support.tasks import Action, do, every_call, first, over, second, walked

UP: tuple[Action, ...] = (claim, deploy, first, second)
PROMOTED: tuple[Action, ...] = (*UP, promote, settle, finish)
TAKEN_BACK: tuple[Action, ...] = (*UP, rollback, settle, finish)
OBSERVED: tuple[Action, ...] = (*UP, promote, over, observe, settle, finish)


def tasks(way: tuple[Action, ...]) -> list[str]:
    return [action.__name__ for action in way]


def end(stage: Stage, run: Run) -> None:
    """What Airflow runs when the task before counts as dead."""
    do(process(stage, run), settle, finish)


def another_try(action: Action) -> Callable[[Stage, Run], None]:
    """The task itself is run again, and then the release ends."""

    def ended(stage: Stage, run: Run) -> None:
        do(process(stage, run), action)
        end(stage, run)

    return ended


def at_rest(stage: Stage, run: Run) -> bool:
    return stage.at_rest("v2" if run.release.outcome == "promoted" else "v1")


def goes_on_late(saved: Saved, way: tuple[Action, ...], number: int, ended: Callable[[Stage, Run], None]) -> None:
    """Stop a task before each of its calls in turn until the release has ended; then let it go on."""
    calls = 0
    for stage, run, fuse in every_call(walked(saved, *way[:number]), way[number], ended):
        calls += 1
        assert at_rest(stage, run), (fuse.where, fuse.calls[fuse.at :], stage.written())
        assert run.release.token is None or run.journal.finished(), fuse.where
    assert calls > 0


@pytest.mark.parametrize("number", range(len(PROMOTED)), ids=tasks(PROMOTED))
def test_the_release_ends_without_the_task(planned: Saved, number: int) -> None:
    goes_on_late(planned, PROMOTED, number, end)


@pytest.mark.parametrize("number", range(len(PROMOTED)), ids=tasks(PROMOTED))
def test_another_try_of_the_task_ends_the_release(planned: Saved, number: int) -> None:
    goes_on_late(planned, PROMOTED, number, another_try(PROMOTED[number]))


def test_another_try_takes_the_canary_back(planned: Saved) -> None:
    goes_on_late(planned, TAKEN_BACK, 4, another_try(rollback))


@pytest.mark.parametrize("number", [4, 6], ids=["promote", "observe"])
def test_a_release_with_a_window_ends_without_the_task(windowed: Saved, number: int) -> None:
    goes_on_late(windowed, OBSERVED, number, another_try(OBSERVED[number]))


@pytest.mark.parametrize("way", [PROMOTED[4:], TAKEN_BACK[4:]], ids=["promoted", "taken back"])
def test_the_guard_goes_on_when_the_release_has_ended(planned: Saved, way: tuple[Action, ...]) -> None:
    """It has seen harm, and was stopped before each call of its brake."""
    saved = walked(planned, *UP)
    for at in itertools.count():
        stage, run = saved.again()
        stage.prometheus.scrape("v2", 0)
        fuse = Fuse(at, between=lambda stage=stage, run=run: do(process(stage, run), *way))  # type: ignore[misc]
        guard = Guard(process(stage, run))
        guard.tick()
        stage.traffic(errors=40)
        guard.run = guard.deciding.run = process(stage, run, fuse)
        for _ in range(6):
            stage.traffic(errors=40)
            with suppress(GlidepathError):
                if not guard.tick():
                    break
        if not fuse.blown:
            return
        end(stage, run)
        assert not guard.tick()
        assert at_rest(stage, run), (fuse.where, fuse.calls[at:], stage.written())


def test_helm_in_flight_when_the_release_ends(planned: Saved) -> None:
    """Its process alone was stopped: when it goes on it makes the canary's pods once more."""
    stage, run = planned.after(claim).again()
    late = process(stage, run)

    def ends() -> None:
        stage.helm.before = lambda: None
        end(stage, run)

    stage.helm.before = ends
    with pytest.raises(ClaimLostError):
        deploy(late)
    assert at_rest(stage, run)
    assert any(isinstance(one, Swept) for one in run.journal.entries())


def test_helm_that_ends_while_the_release_is_closed(planned: Saved) -> None:
    """What it did before `finish` was through, its task need not have seen: `finish` looks again after it has said so."""
    deployed, saved = walked(planned, *UP[:2]).again()[0].helm.values, walked(planned, *TAKEN_BACK[:-1])
    seen = 0
    for at in itertools.count():
        stage, run = saved.again()
        through: list[bool] = []

        def in_flight(stage: Stage = stage, run: Run = run, through: list[bool] = through) -> None:
            through.append(run.journal.finished())
            with suppress(HelmError):
                stage.helm.upgrade(deployed)

        fuse = Fuse(at, between=in_flight)
        do(process(stage, run, fuse), finish)
        if not fuse.blown:
            break
        if not through[0]:
            seen += 1
            assert stage.at_rest("v1"), (fuse.where, stage.written())
    assert seen > 10


def test_a_brake_that_was_stopped_until_the_commit_moves_nothing(planned: Saved) -> None:
    """One that could not be written down: nothing but the fate itself could tell the promotion."""
    calls = 0
    for stage, _, fuse in every_call(
        walked(planned, *UP),
        lambda run: brake.brake(run, "harm"),
        lambda stage, run: do(process(stage, run), *PROMOTED[4:]),
    ):
        calls += 1
        assert stage.weights() == {"v2": 100}, fuse.where
    assert calls > 5


def deployed_late(planned: Saved, ended: Callable[[Stage, Run], object]) -> Callable[[Fuse], tuple[Stage, Run]]:
    """A deploy whose release ended while its helm was in flight, and that then meets a fuse."""
    saved = planned.after(claim)

    def again(fuse: Fuse) -> tuple[Stage, Run]:
        stage, run = saved.again()

        def ends() -> None:
            stage.helm.before = lambda: None
            ended(stage, run)

        stage.helm.before = ends
        with suppress(Died):
            do(process(stage, run, fuse), deploy)
        return stage, run

    return again


@pytest.mark.parametrize("mode", MODES)
def test_who_cleans_up_dies_and_the_next_release_does(planned: Saved, mode: str) -> None:
    late = deployed_late(planned, end)
    for at in itertools.count():
        fuse = Fuse(at, mode)
        stage, _ = late(fuse)
        if not fuse.blown:
            break
        abandon(stage)
        other = stage.run("dag/other", version="v3")
        for action in PROMOTED:
            action(other)
        assert stage.at_rest("v3"), (fuse.where, stage.written())
    assert at > 10


def test_what_another_release_has_since_is_its_own(planned: Saved) -> None:
    others: list[Run] = []

    def another(stage: Stage, run: Run) -> None:
        end(stage, run)
        others.append(stage.run("dag/other", version="v3"))
        claim(others[0])

    stage, run = deployed_late(planned, another)(Fuse())
    assert stage.holder() == "dag/other"
    assert not any(isinstance(one, Swept) for one in run.journal.entries())
    for action in (deploy, first, second, promote, settle, finish):
        action(others[0])
    assert stage.at_rest("v3")


def test_a_task_that_is_run_again_after_the_end_changes_nothing(planned: Saved) -> None:
    """What a person has done by hand since is not undone, odd as it may look."""
    saved = walked(planned, *PROMOTED)
    stage, run = saved.again()
    stage.helm.upgrade({**stage.helm.values, "roles": {"stable": "v2", "canary": "v3"}})
    before = stage.written()
    for action in PROMOTED:
        do(process(stage, run), action)
    assert stage.written() == before


@pytest.mark.parametrize("way", [(*UP, promote), (*UP, rollback)], ids=["promoted", "taken back"])
@pytest.mark.parametrize("before", [lambda _: None, abandon], ids=["held", "abandoned"])
def test_routes_that_are_gone_when_it_ends_are_made_anew(
    planned: Saved, way: tuple[Action, ...], before: Callable[[Stage], None]
) -> None:
    """Else the last task fails for want of them, its claim stays, and everything but the routes is open."""
    stage, run = walked(planned, *way).again()
    before(stage)
    del stage.server.objects[f"{MESH}/virtualservices", SERVICE]
    do(process(stage, run), settle, finish)
    assert at_rest(stage, run), stage.written()
