"""The window after a promotion, when something breaks in it or beside it."""

from __future__ import annotations

import pytest

from glidepath.errors import ReleaseTakenBack
from glidepath.release import brake
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.observe import observe
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.settle import settle
from tests.support.crashes import MODES, Saved, process
from tests.support.observing import END, GOOD, opened
from tests.support.stage import Stage, abandon
from tests.support.tasks import Action, do, every_call, every_fault, first, second


class TestWhateverBreaks:
    def test_the_watchdog_goes_back_to_the_old_version(self, stage: Stage) -> None:
        run, _ = opened(stage)
        abandon(stage)
        assert stage.weights() == {"v1": 100, "v2": 0}
        with pytest.raises(ReleaseTakenBack):
            observe(run)
        settle(run)
        assert run.release.outcome == "rolled_back"

    @pytest.mark.parametrize("mode", MODES)
    def test_whatever_happens_at_a_write_the_next_try_goes_on(self, windowed: Saved, mode: str) -> None:
        saved = windowed
        for number, action in enumerate(GOOD):
            if action in (promote, observe):
                calls = 0
                for stage, run, fuse in every_fault(saved, action, mode):
                    calls += 1
                    for rest in GOOD[number:]:
                        assert any(not do(process(stage, run), rest) for _ in range(3)), (fuse.where, rest)
                    assert run.release.outcome == "promoted", fuse.where
                    assert stage.at_rest("v2"), (fuse.where, stage.written())
                assert calls > 4
            saved = saved.after(action) if action is not finish else saved

    @pytest.mark.parametrize("action", [promote, observe])
    @pytest.mark.parametrize("who", ["guard", "watchdog", "ends"])
    def test_somebody_acts_between_any_two_calls(self, windowed: Saved, action: Action, who: str) -> None:
        saved = windowed
        for before in GOOD[: GOOD.index(action)]:
            saved = saved.after(before)
        for stage, run, fuse in every_call(saved, action, lambda stage, run: _act(who, stage, run)):
            back = brake.taken_back(run)
            assert not (back and brake.committed(run)), fuse.where
            if back:
                assert stage.weights().get("v2", 0) == 0, fuse.where
            do(process(stage, run), *END)
            stable = "v2" if run.release.outcome == "promoted" else "v1"
            # A task that goes on although its release has ended can leave pods; never traffic.
            assert stage.weights().get(stable) == 100, (fuse.where, stage.written())
            assert who == "ends" or stage.at_rest(stable), (fuse.where, stage.written())
            assert (run.release.outcome == "promoted") == brake.committed(run), fuse.where

    def test_a_shift_that_was_stopped_before_its_write_writes_nothing_after_the_commit(self, stage: Stage) -> None:
        run = stage.run()
        claim(run)
        deploy(run)
        stage.server.before("PATCH", "virtualservices", lambda: _to_the_end(run))
        first(run)
        assert brake.committed(run)
        assert stage.weights() == {"v2": 100}
        assert any("the release has gone on" in line for line in stage.said)


def _to_the_end(run: Run) -> None:
    for action in (first, second, promote):
        action(run)


def _act(who: str, stage: Stage, run: Run) -> None:
    other = process(stage, run)
    if who == "guard":
        brake.take_back(other, "harm")
    elif who == "watchdog" and stage.holder() == run.id:
        abandon(stage)
    elif who == "ends":
        do(other, *END)
