"""The one guarded write: weights are given only while the release is open, and taken back if it was not any more."""

from __future__ import annotations

import pytest

from glidepath.release import brake
from glidepath.release.events import Committed, TakenBack
from glidepath.release.run import Run
from glidepath.traffic import Routes, Split
from tests.support.stage import Stage
from tests.unit.release.tasks.test_tasks import UP_TO_WEIGHT, do

HALF = Routes(Split("v1", "v2", 50))


@pytest.fixture
def run(stage: Stage) -> Run:
    """A release whose canary has its first weight."""
    made = stage.run()
    do(made, *UP_TO_WEIGHT)
    return made


def test_an_open_release_gives_them_and_says_so_before_it_looks_again(stage: Stage, run: Run) -> None:
    seen: list[dict[str, int]] = []
    assert brake.give(run, HALF, written=lambda: seen.append(stage.weights()))
    assert seen == [{"v1": 50, "v2": 50}]


def test_what_is_not_wanted_any_more_is_not_written(stage: Stage, run: Run) -> None:
    before = stage.written()
    assert not brake.give(run, HALF, lambda: False, written=lambda: pytest.fail("it was written"))
    assert stage.written() == before


@pytest.mark.parametrize("word", [TakenBack("before"), Committed()])
def test_a_release_with_its_fate_gives_none(stage: Stage, run: Run, word: str) -> None:
    run.note(word)
    assert not brake.give(run, HALF)
    assert stage.weights() == ({"v1": 100, "v2": 0} if isinstance(word, TakenBack) else {"v1": 80, "v2": 20})


def test_a_brake_that_was_pulled_while_they_were_written_is_pulled_again(stage: Stage, run: Run) -> None:
    def written() -> None:
        assert stage.weights() == {"v1": 50, "v2": 50}
        run.note(TakenBack("meanwhile"))

    assert not brake.give(run, HALF, written=written)
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_a_commit_meanwhile_leaves_them_in_force(stage: Stage, run: Run) -> None:
    assert brake.give(run, HALF, written=lambda: run.note(Committed()) and None)
    assert stage.weights() == {"v1": 50, "v2": 50}
