"""The window after a promotion: the old version is warm, is still the safe one, and can have everything back."""

from __future__ import annotations

import dataclasses
import itertools

import pytest

from glidepath.errors import EvidenceError, GlidepathError, PolicyError, ReleaseTakenBack
from glidepath.policy import for_run
from glidepath.release import brake, endings, steps
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.release.report import report
from glidepath.release.run import Run
from tests.support.apiserver import LEASES, MESH, SERVICE, http_routes
from tests.support.crashes import MODES, Died, Fuse, Saved, process
from tests.support.stage import Stage, abandon
from tests.support.tasks import Action, first, over, second

NUMBER = 3
JUDGED = "after_promotion: {warm: 60s, holdback: 5}\n"
UNJUDGED = "after_promotion: {warm: 60s}\n"


def proven(run: Run) -> None:
    """The guard's word on the last step."""
    run.note("decision", once="decision:2", step=2, decision="promote", reason="proven", look=0)


UP_TO_WINDOW: tuple[Action, ...] = (steps.claim, steps.deploy, first, second, proven, endings.promote)
END: tuple[Action, ...] = (endings.settle, endings.finish)
GOOD: tuple[Action, ...] = (*UP_TO_WINDOW, over, endings.conclude, *END)


def opened(stage: Stage, policy: str = JUDGED) -> tuple[Run, Guard]:
    """A release in its window, and its guard, which has its first baseline."""
    run = stage.run(policy=policy)
    for action in UP_TO_WINDOW[:2]:
        action(run)
    stage.prometheus.scrape("v2", 0)
    for action in UP_TO_WINDOW[2:]:
        action(run)
    guard = Guard(run)
    guard.tick()
    return run, guard


def ticks(stage: Stage, guard: Guard, count: int, **served: object) -> None:
    """So many scrapes, a look after each."""
    for _ in range(count):
        stage.traffic(**served)  # type: ignore[arg-type]
        guard.tick()


def word(run: Run) -> tuple[Decision, str] | None:
    """The guard's word on the window."""
    return steps.decision(run, NUMBER)


def ask(stage: Stage, what: str, why: str) -> None:
    """What a person writes on the Lease."""
    lease = stage.server.all("leases")[0]["metadata"]["name"]
    query = {"fieldManager": "kubectl-annotate"}
    body = {"metadata": {"annotations": {f"glidepath.dev/{what}": why}}}
    stage.server._carry_out("PATCH", f"{LEASES}/{lease}", query, "merge", body)


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
        with pytest.raises(ReleaseTakenBack, match="no word on the window"):
            endings.conclude(run)
        ticks(stage, guard, 1)
        told = word(run)
        assert told is not None
        assert told[0] is Decision.PROMOTE
        endings.conclude(run)
        assert not guard.tick()
        for action in END:
            action(run)
        assert stage.at_rest("v2")
        assert stage.lease("stable") == "v2"

    def test_every_task_twice_is_the_same_as_once(self, stage: Stage) -> None:
        run = stage.run(policy=JUDGED)
        for action in GOOD:
            action(run)
            before = stage.written()
            action(run)
            assert stage.written() == before, action
        assert stage.at_rest("v2")

    def test_promote_that_comes_late_gives_nothing_back_to_the_old_one(self, stage: Stage) -> None:
        run, _ = opened(stage)
        over(run)
        stage.helm.before = _die
        with pytest.raises(Died):
            endings.conclude(run)
        assert brake.committed(run)
        stage.helm.before = lambda: None
        before = stage.weights()
        endings.promote(run)
        assert before == stage.weights() == {"v2": 100}

    def test_a_doubt_holds_the_word_up_for_a_second_window_at_most(self, stage: Stage) -> None:
        run, guard = opened(stage)
        ticks(stage, guard, 3)
        guard._newest = dataclasses.replace(guard._newest, suspicious=True)  # type: ignore[type-var]
        guard._look = lambda _: None  # type: ignore[method-assign]
        ticks(stage, guard, 20)
        assert word(run) is None
        ticks(stage, guard, 2)
        assert word(run) is not None

    def test_the_report_is_of_the_look_that_proved_it(self, stage: Stage) -> None:
        run, guard = opened(stage)
        ticks(stage, guard, 13)
        assert word(run) is not None
        decided = report(run.ports.record, run.id).decided_at
        assert decided == run.ports.record.once(run.id, "decision:2").at  # type: ignore[union-attr]


class TestHarm:
    def test_it_goes_back_by_the_guard_itself_and_the_old_pods_are_there(self, stage: Stage) -> None:
        run, guard = opened(stage)
        ticks(stage, guard, 12, errors=100, stable_errors=0)
        assert stage.weights() == {"v1": 100, "v2": 0}
        assert word(run)[0] is Decision.ROLLBACK  # type: ignore[index]
        with pytest.raises(ReleaseTakenBack):
            endings.conclude(run)
        endings.settle(run)
        with pytest.raises(ReleaseTakenBack, match="FAIL"):
            endings.finish(run)
        assert stage.at_rest("v1")

    def test_between_the_word_and_the_point_of_no_return(self, stage: Stage) -> None:
        run, _ = opened(stage)
        over(run)
        stage.server.before("PATCH", "virtualservices", lambda: brake.take_back(run, "late harm"))
        with pytest.raises(ReleaseTakenBack):
            endings.conclude(run)
        assert stage.weights() == {"v1": 100, "v2": 0}

    def test_drift_goes_back(self, stage: Stage) -> None:
        run, guard = opened(stage)
        found = stage.server.find("virtualservices", SERVICE)
        body = {
            "apiVersion": found["apiVersion"],
            "kind": "VirtualService",
            "metadata": {"name": SERVICE, "annotations": found["metadata"]["annotations"]},
            "spec": {"http": http_routes({"v1": 40, "v2": 60})},
        }
        stage.server.put(f"{MESH}/virtualservices", body, manager="kubectl-edit", force=True)
        guard.tick()
        assert stage.weights() == {"v1": 100, "v2": 0}
        assert "kubectl-edit" in word(run)[1]  # type: ignore[index]

    def test_all_traffic_on_the_canary_is_drift_before_the_word_on_the_last_step(self, stage: Stage) -> None:
        run = stage.run()
        for action in UP_TO_WINDOW[:4]:
            action(run)
        run.ports.traffic.shift(run.claim, endings.Split("v1", "v2", 100))
        Guard(run).tick()
        assert stage.weights() == {"v1": 100, "v2": 0}

    @pytest.mark.parametrize("action", ["rollback", "hold"])
    def test_lost_telemetry_is_the_policys_to_answer(self, stage: Stage, action: str) -> None:
        run, guard = opened(stage)
        no_data = run.spec.on_no_data.model_copy(update={"action": action})
        guard.run = run = dataclasses.replace(run, spec=run.spec.model_copy(update={"on_no_data": no_data}))
        ticks(stage, guard, 2)
        stage.prometheus.down = EvidenceError("away")
        ticks(stage, guard, 20)
        assert brake.taken_back(run) == (action == "rollback")
        ticks(stage, guard, 3)
        assert word(run)[0] is (Decision.ROLLBACK if action == "rollback" else Decision.PROMOTE)  # type: ignore[index]


class TestAPersonsWord:
    def test_take_it_back(self, stage: Stage) -> None:
        run, guard = opened(stage)
        ask(stage, "take-back", "the mobile app breaks")
        guard.tick()
        assert stage.weights() == {"v1": 100, "v2": 0}
        reason = word(run)[1]  # type: ignore[index]
        assert reason.startswith("taken back by kubectl-annotate at ")
        assert reason.endswith("the mobile app breaks")

    def test_at_any_step(self, stage: Stage) -> None:
        run = stage.run()
        for action in UP_TO_WINDOW[:3]:
            action(run)
        ask(stage, "take-back", "")
        Guard(run).tick()
        assert stage.weights() == {"v1": 100, "v2": 0}

    def test_end_it_early(self, stage: Stage) -> None:
        run, guard = opened(stage)
        ask(stage, "commit", "a hotfix waits")
        guard.tick()
        assert "a hotfix waits" in word(run)[1]  # type: ignore[index]
        endings.conclude(run)
        endings.finish(run)
        assert stage.at_rest("v2")

    def test_what_was_asked_of_an_earlier_release_is_forgotten(self, stage: Stage) -> None:
        run, _ = opened(stage)
        ask(stage, "take-back", "no good")
        Guard(run).tick()
        for action in END:
            _do(run, action)
        other = stage.run("two", policy=JUDGED, version="v3")
        steps.claim(other)
        assert other.ports.claims.asked(other.claim) is None


class TestWithoutAHoldback:
    def test_nothing_is_judged_and_the_old_one_is_warm(self, stage: Stage) -> None:
        run, guard = opened(stage, UNJUDGED)
        seen = guard.seq
        assert stage.weights() == {"v1": 0, "v2": 100}
        ticks(stage, guard, 12)
        assert guard.seq == seen
        assert run.ports.record.last_event(run.id, "watching") is not None
        assert word(run)[0] is Decision.PROMOTE  # type: ignore[index]
        endings.conclude(run)
        endings.finish(run)
        assert stage.at_rest("v2")

    def test_a_person_can_take_it_back(self, stage: Stage) -> None:
        _, guard = opened(stage, UNJUDGED)
        ask(stage, "take-back", "slow")
        guard.tick()
        assert stage.weights() == {"v1": 100, "v2": 0}


class TestWhateverBreaks:
    def test_the_watchdog_goes_back_to_the_old_version(self, stage: Stage) -> None:
        run, _ = opened(stage)
        abandon(stage)
        assert stage.weights() == {"v1": 100, "v2": 0}
        with pytest.raises(ReleaseTakenBack):
            endings.conclude(run)
        endings.settle(run)
        assert run.release.outcome == "rolled_back"

    @pytest.mark.parametrize("mode", MODES)
    def test_whatever_happens_at_a_write_the_next_try_goes_on(self, windowed: Saved, mode: str) -> None:
        saved = windowed
        for number, action in enumerate(GOOD):
            if action in (endings.promote, endings.conclude):
                for at in itertools.count():
                    stage, run = saved.again()
                    fuse = Fuse(at, mode)
                    _do(process(stage, run, fuse), action)
                    if not fuse.blown:
                        break
                    for rest in GOOD[number:]:
                        assert any(_do(process(stage, run), rest) is None for _ in range(3)), (fuse.where, rest)
                    assert run.release.outcome == "promoted", fuse.where
                    assert stage.at_rest("v2"), (fuse.where, stage.written())
                assert at > 4
            saved = saved.after(action) if action is not endings.finish else saved

    @pytest.mark.parametrize("action", [endings.promote, endings.conclude])
    @pytest.mark.parametrize("who", ["guard", "watchdog", "ends"])
    def test_somebody_acts_between_any_two_calls(self, windowed: Saved, action: Action, who: str) -> None:
        saved = windowed
        for before in GOOD[: GOOD.index(action)]:
            saved = saved.after(before)
        for at in itertools.count():
            stage, run = saved.again()
            fuse = Fuse(at, between=lambda stage=stage, run=run: _act(who, stage, run))  # type: ignore[misc]
            _do(process(stage, run, fuse), action)
            if not fuse.blown:
                break
            back = brake.taken_back(run)
            assert not (back and brake.committed(run)), fuse.where
            if back:
                assert stage.weights().get("v2", 0) == 0, fuse.where
            for last in END:
                _do(process(stage, run), last)
            stable = "v2" if run.release.outcome == "promoted" else "v1"
            # A task that goes on although its release has ended can leave pods; never traffic.
            assert stage.weights().get(stable) == 100, (fuse.where, stage.written())
            assert who == "ends" or stage.at_rest(stable), (fuse.where, stage.written())
            assert (run.release.outcome == "promoted") == brake.committed(run), fuse.where

    def test_a_shift_that_was_stopped_before_its_write_writes_nothing_after_the_commit(self, stage: Stage) -> None:
        run = stage.run()
        steps.claim(run)
        steps.deploy(run)
        stage.server.before("PATCH", "virtualservices", lambda: _to_the_end(run))
        first(run)
        assert brake.committed(run)
        assert stage.weights() == {"v2": 100}
        assert any("gone on without this task" in line for line in stage.said)


def _to_the_end(run: Run) -> None:
    for action in (first, second, endings.promote):
        action(run)


def _act(who: str, stage: Stage, run: Run) -> None:
    other = process(stage, run)
    if who == "guard":
        brake.take_back(other, "harm")
    elif who == "watchdog" and stage.holder() == run.id:
        abandon(stage)
    elif who == "ends":
        for action in END:
            _do(other, action)


def _do(run: Run, action: Action) -> BaseException | None:
    try:
        action(run)
    except (GlidepathError, Died) as error:
        return error
    return None


def _die() -> None:
    raise Died


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
