"""The stages of a release: known by their numbers, whatever their weights are."""

from __future__ import annotations

import itertools

import pytest

from glidepath.errors import ReleaseTakenBack
from glidepath.judge import Look
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.release.run import Run
from glidepath.release.stages import stages
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from glidepath.release.tasks.shift import shift
from glidepath.replay import export, replay
from glidepath.status.reads import status
from glidepath.traffic import Match, Mirror, Routes, Split
from tests.support.guards import started, ticks
from tests.support.stage import POLICY, Stage

EQUAL = {"weights": [20, 20, 50]}


def looks(run: Run) -> list[Look]:
    return [Look.from_dict(look) for _, _, look in run.ports.record.looks(run.id)]


def decided(stage: Stage, guard: Guard, step: int, **served: object) -> Decision:
    """The guard's word on a step, once it has one."""
    for _ in range(200):
        ticks(stage, guard, 1, **served)
        if (answer := guard.run.journal.answer_on(step)) is not None:
            return answer[0]
    raise AssertionError(f"no word on step {step}: {stage.said[-3:]}")


def test_a_stage_has_the_number_of_its_place(stage: Stage) -> None:
    run = stage.run(policy="after_promotion: {warm: 10m, holdback: 5}\n", **EQUAL)
    assert [(one.number, one.weight) for one in stages(run)] == [(0, 0), (1, 20), (2, 20), (3, 50), (4, 95), (5, 100)]


def test_without_an_observation_the_canary_alone_follows_the_steps(stage: Stage) -> None:
    assert [one.weight for one in stages(stage.run())] == [0, 20, 50, 100]


def test_a_fresh_baseline_gets_as_much_as_the_canary(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = POLICY.replace("{source: app,", "{source: app, control: fresh,")
    monkeypatch.setattr("tests.support.stage.POLICY", fresh)
    told = [one.routes.weights.baseline for one in stages(stage.run())]
    assert told == [None, "v1-baseline", "v1-baseline", None]


def test_what_routes_say_is_told() -> None:
    routes = Routes(Split("v1", "v2", 0), Mirror("v2", 50), (Match("v2", (("x-early", "yes"), ("x-who", "ops"))),))
    assert str(routes) == "v1 100 %, v2 0 %, copies of 50 % to v2, x-early: yes and x-who: ops to v2"


class TestTwoStepsOfOneWeight:
    def test_each_is_baked_and_the_release_is_promoted(self, stage: Stage) -> None:
        run, guard = started(stage, **EQUAL)
        assert decided(stage, guard, 1) is Decision.ADVANCE
        shift(run, 2)
        assert (run.step().number, stage.weights()) == (2, {"v1": 80, "v2": 20})
        begun = run.step().since
        assert decided(stage, guard, 2) is Decision.ADVANCE
        assert run.now() - begun >= run.spec.steps[1].bake
        shift(run, 3)
        assert decided(stage, guard, 3) is Decision.PROMOTE
        promote(run)
        settle(run)
        finish(run)
        assert stage.at_rest("v2")
        assert run.release.outcome == "promoted"
        assert [(given.step, given.weight) for given in run.journal.weights()] == [(1, 20), (2, 20), (3, 50)]

    def test_requests_and_safety_are_counted_anew_in_the_second(self, stage: Stage) -> None:
        run, guard = started(stage, **EQUAL)
        decided(stage, guard, 1)
        shift(run, 2)
        ticks(stage, guard, 2)
        by_step = {number: list(own) for number, own in itertools.groupby(looks(run), lambda look: look.step)}
        assert set(by_step) == {1, 2}
        assert by_step[2][0].step_canary_requests < by_step[1][-1].step_canary_requests
        assert by_step[2][0].canary_requests > by_step[1][-1].canary_requests

    def test_a_guard_that_starts_anew_and_a_replay_know_them_apart(self, stage: Stage) -> None:
        run, guard = started(stage, **EQUAL)
        decided(stage, guard, 1)
        shift(run, 2)
        ticks(stage, guard, 2)
        guard = Guard(run)
        ticks(stage, guard, 3)
        recorded = looks(run)
        assert recorded[-1].step == 2
        assert list(replay(export(run.ports.record, run.id))) == recorded
        shown = status(run.ports.record, run.id, run.now())
        assert (shown.identity.step, [given.step for given in shown.weights]) == (2, [1, 2])

    def test_harm_in_the_second_is_taken_back(self, stage: Stage) -> None:
        run, guard = started(stage, **EQUAL)
        decided(stage, guard, 1)
        shift(run, 2)
        assert decided(stage, guard, 2, errors=50) is Decision.ROLLBACK
        rollback(run)
        settle(run)
        with pytest.raises(ReleaseTakenBack):
            finish(run)
        assert stage.at_rest("v1")

    def test_an_edit_in_the_second_is_drift_and_put_back(self, stage: Stage) -> None:
        run, guard = started(stage, policy="on_drift: restore\n", **EQUAL)
        decided(stage, guard, 1)
        shift(run, 2)
        ticks(stage, guard, 1)
        entry = stage.server.find("virtualservices", "prices")["spec"]["http"][0]
        for destination, weight in zip(entry["route"], (60, 40), strict=True):
            destination["weight"] = weight
        stage.edit_routes({"http": [entry]})
        guard.tick()
        assert stage.weights() == {"v1": 80, "v2": 20}
        assert any("the weights of step 2 are put back" in line for line in stage.said)
