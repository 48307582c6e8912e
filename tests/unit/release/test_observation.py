"""The window after a promotion: the old version is warm, is still the safe one, and can have everything back."""

from __future__ import annotations

import dataclasses

import pytest

from glidepath.errors import EvidenceError, PolicyError, ReleaseTakenBack
from glidepath.policy import for_run
from glidepath.release import brake
from glidepath.release.events import Watching
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.release.report import report
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.observe import observe
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.settle import settle
from glidepath.traffic import Routes, Split
from tests.support.apiserver import http_routes
from tests.support.crashes import Died, die
from tests.support.guards import annotated, started, ticks
from tests.support.observing import END, GOOD, JUDGED, UNJUDGED, UP_TO_WINDOW, opened, proven, word
from tests.support.stage import Stage
from tests.support.tasks import do, over, second, twice


class TestAGoodVersion:
    def test_the_old_one_is_warm_and_the_safe_one_until_the_end(self, stage: Stage) -> None:
        run, guard = opened(stage)
        assert stage.weights() == {"v1": 5, "v2": 95}
        assert {one["spec"]["replicas"] for one in stage.server.all("deployments")} == {2}
        assert stage.versions() == {"v1", "v2"}
        assert (stage.lease("stable"), stage.helm.values["roles"]["stable"]) == ("v1", "v1")
        assert run.release.phase == "observing"
        ticks(stage, guard, 11)
        assert word(run) is None
        with pytest.raises(ReleaseTakenBack, match="no word on the observation"):
            observe(run)
        ticks(stage, guard, 1)
        told = word(run)
        assert told is not None
        assert told[0] is Decision.PROMOTE
        observe(run)
        assert not guard.tick()
        for action in END:
            action(run)
        assert stage.at_rest("v2")
        assert stage.lease("stable") == "v2"

    @pytest.mark.parametrize("ahead_s", [300, -300])
    def test_it_lasts_as_long_though_the_guard_s_clock_is_another_than_the_tasks(
        self, stage: Stage, ahead_s: float
    ) -> None:
        """The task says since when the window is open, by the clock of its machine."""
        run, _ = started(stage, policy=JUDGED)
        guard = Guard(dataclasses.replace(run, now=lambda: stage.clock + ahead_s))
        ticks(stage, guard, 2)
        do(run, second, proven)
        ticks(stage, guard, 2)
        promote(run)
        ticks(stage, guard, 12)
        assert word(run) is None
        ticks(stage, guard, 1)
        assert word(run) is not None

    def test_every_task_twice_is_the_same_as_once(self, stage: Stage) -> None:
        run = stage.run(policy=JUDGED)
        twice(stage, run, GOOD)
        assert stage.at_rest("v2")

    def test_promote_that_comes_late_gives_nothing_back_to_the_old_one(self, stage: Stage) -> None:
        run, _ = opened(stage)
        over(run)
        stage.helm.before = die
        with pytest.raises(Died):
            observe(run)
        assert brake.committed(run)
        stage.helm.before = lambda: None
        before = stage.weights()
        promote(run)
        assert before == stage.weights() == {"v2": 100}

    def test_a_doubt_holds_the_word_up_for_a_second_window_at_most(self, stage: Stage) -> None:
        run, guard = opened(stage)
        ticks(stage, guard, 3)
        guard.looks.newest = dataclasses.replace(guard.looks.newest, suspicious=True)  # type: ignore[type-var]
        guard._look = lambda *_: None  # type: ignore[method-assign]
        ticks(stage, guard, 20)
        assert word(run) is None
        ticks(stage, guard, 2)
        assert word(run) is not None

    def test_the_report_is_of_the_look_that_proved_it(self, stage: Stage) -> None:
        run, guard = opened(stage)
        ticks(stage, guard, 13)
        assert word(run) is not None
        decided = report(run.ports.record, run.id).decided_at
        assert decided == run.journal.word_on(2).noted  # type: ignore[union-attr]


class TestHarm:
    def test_it_goes_back_by_the_guard_itself_and_the_old_pods_are_there(self, stage: Stage) -> None:
        run, guard = opened(stage)
        ticks(stage, guard, 12, errors=100, stable_errors=0)
        assert stage.weights() == {"v1": 100, "v2": 0}
        assert word(run)[0] is Decision.ROLLBACK  # type: ignore[index]
        with pytest.raises(ReleaseTakenBack):
            observe(run)
        settle(run)
        with pytest.raises(ReleaseTakenBack, match="FAIL"):
            finish(run)
        assert stage.at_rest("v1")

    def test_between_the_word_and_the_point_of_no_return(self, stage: Stage) -> None:
        run, _ = opened(stage)
        over(run)
        stage.server.before("PATCH", "virtualservices", lambda: brake.take_back(run, "late harm"))
        with pytest.raises(ReleaseTakenBack):
            observe(run)
        assert stage.weights() == {"v1": 100, "v2": 0}

    def test_drift_goes_back(self, stage: Stage) -> None:
        run, guard = opened(stage)
        stage.edit_routes({"http": http_routes({"v1": 40, "v2": 60})}, "kubectl-edit")
        guard.tick()
        assert stage.weights() == {"v1": 100, "v2": 0}
        assert "kubectl-edit" in word(run)[1]  # type: ignore[index]

    def test_all_traffic_on_the_canary_is_drift_before_the_word_on_the_last_step(self, stage: Stage) -> None:
        run = stage.run()
        for action in UP_TO_WINDOW[:4]:
            action(run)
        run.ports.traffic.write(run.claim, Routes(Split("v1", "v2", 100)))
        Guard(run).tick()
        assert stage.weights() == {"v1": 100, "v2": 0}

    @pytest.mark.parametrize("action", ["rollback", "hold"])
    def test_lost_telemetry_is_the_policys_to_answer(self, stage: Stage, action: str) -> None:
        run, guard = opened(stage)
        no_data = run.spec.on_no_data.model_copy(update={"action": action})
        guard.run = guard.deciding.run = run = dataclasses.replace(
            run, spec=run.spec.model_copy(update={"on_no_data": no_data})
        )
        ticks(stage, guard, 2)
        stage.prometheus.down = EvidenceError("away")
        ticks(stage, guard, 20)
        assert brake.taken_back(run) == (action == "rollback")
        ticks(stage, guard, 3)
        assert word(run)[0] is (Decision.ROLLBACK if action == "rollback" else Decision.PROMOTE)  # type: ignore[index]


class TestAPersonsWord:
    def test_take_it_back(self, stage: Stage) -> None:
        run, guard = opened(stage)
        annotated(stage, "take-back", "the mobile app breaks")
        guard.tick()
        assert stage.weights() == {"v1": 100, "v2": 0}
        reason = word(run)[1]  # type: ignore[index]
        assert reason.startswith("taken back by kubectl-annotate at ")
        assert reason.endswith("the mobile app breaks")

    def test_at_any_step(self, stage: Stage) -> None:
        run = stage.run()
        for action in UP_TO_WINDOW[:3]:
            action(run)
        annotated(stage, "take-back", "")
        Guard(run).tick()
        assert stage.weights() == {"v1": 100, "v2": 0}

    def test_end_it_early(self, stage: Stage) -> None:
        run, guard = opened(stage)
        annotated(stage, "commit", "a hotfix waits")
        guard.tick()
        assert "a hotfix waits" in word(run)[1]  # type: ignore[index]
        observe(run)
        finish(run)
        assert stage.at_rest("v2")

    def test_what_was_asked_of_an_earlier_release_is_forgotten(self, stage: Stage) -> None:
        run, _ = opened(stage)
        annotated(stage, "take-back", "no good")
        Guard(run).tick()
        do(run, *END)
        other = stage.run("two", policy=JUDGED, version="v3")
        claim(other)
        assert other.ports.claims.asked(other.claim) is None


class TestWithoutAHoldback:
    def test_nothing_is_judged_and_the_old_one_is_warm(self, stage: Stage) -> None:
        run, guard = opened(stage, UNJUDGED)
        seen = guard.looks.seq
        assert stage.weights() == {"v1": 0, "v2": 100}
        ticks(stage, guard, 12)
        assert guard.looks.seq == seen
        assert any(isinstance(one, Watching) for one in run.journal.entries())
        assert word(run)[0] is Decision.PROMOTE  # type: ignore[index]
        observe(run)
        finish(run)
        assert stage.at_rest("v2")

    def test_a_person_can_take_it_back(self, stage: Stage) -> None:
        _, guard = opened(stage, UNJUDGED)
        annotated(stage, "take-back", "slow")
        guard.tick()
        assert stage.weights() == {"v1": 100, "v2": 0}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("after_promotion: {holdback: 5}", "expected `warm` to say for how long"),
        ("after_promotion: {warm: 15m, holdback: 60}", "less than or equal to 50"),
        ("after_promotion: {warm: 15m, holdback: 50}", "expected more than the last step's 50 %"),
        ("after_promotion: {warm: long}", "expected a duration"),
    ],
)
def test_windows_that_make_no_sense_are_refused(stage: Stage, text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        stage.spec(policy=text + "\n")


def test_weights_of_a_run_leave_room_for_the_holdback(stage: Stage) -> None:
    policy = stage.spec(policy=JUDGED)
    with pytest.raises(PolicyError, match="holdback"):
        for_run(policy, {"version": "v2", "weights": [20, 96]})
