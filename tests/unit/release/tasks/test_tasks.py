"""The tasks of a release, each run once, twice, and after a crash at any of its calls to the outside."""

from __future__ import annotations

import pytest

from glidepath.errors import (
    BusyError,
    ClaimLostError,
    ClusterError,
    NotReadyError,
    PreflightError,
    RecordError,
    ReleaseFinishedError,
    ReleaseTakenBack,
)
from glidepath.record import Record
from glidepath.release import brake
from glidepath.release.abort import abort
from glidepath.release.phases import Decision
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from tests.support.stage import Stage, abandon
from tests.support.tasks import GOOD, Action, first, second, twice

UP_TO_WEIGHT: tuple[Action, ...] = (claim, deploy, first)


def do(run: Run, *actions: Action) -> None:
    """One after the other; the red end of a release that was taken back is no failure here."""
    for action in actions:
        try:
            action(run)
        except ReleaseTakenBack:
            assert action is finish


class TestGoodRelease:
    def test_it_ends_on_the_new_version_and_leaves_nothing_held(self, stage: Stage) -> None:
        run = stage.run()
        do(run, *UP_TO_WEIGHT)
        assert stage.weights() == {"v1": 80, "v2": 20}
        assert stage.states() == {"held"}
        do(run, *GOOD[3:])
        assert stage.at_rest("v2")
        assert run.release.outcome == "promoted"
        assert stage.server.find("deployments", "prices-v2")["spec"]["replicas"] == 2

    def test_every_task_twice_is_the_same_as_once(self, stage: Stage) -> None:
        run = stage.run()
        twice(stage, run, GOOD)
        assert stage.at_rest("v2")

    def test_tasks_of_a_finished_release_change_nothing(self, stage: Stage) -> None:
        run = stage.run()
        do(run, *GOOD)
        writes, revision = len(stage.server.writes()), stage.helm.revision
        do(run, *GOOD)
        rollback(run)
        assert (len(stage.server.writes()), stage.helm.revision) == (writes, revision)
        with pytest.raises(ReleaseFinishedError):
            run.ports.claims.acquire(run.claim)

    def test_a_larger_share_gets_the_replicas_it_takes(self, stage: Stage) -> None:
        run = stage.run(weights=[80])
        do(run, *UP_TO_WEIGHT)
        assert stage.server.find("deployments", "prices-v2")["spec"]["replicas"] == 2


class TestBadRelease:
    def test_it_goes_back_and_finish_turns_red(self, stage: Stage) -> None:
        run = stage.run()
        do(run, *UP_TO_WEIGHT)
        brake.take_back(run, "errors")
        assert stage.weights() == {"v1": 100, "v2": 0}
        second(run)
        assert stage.weights() == {"v1": 100, "v2": 0}
        assert run.journal.answer_on(1) == (Decision.ROLLBACK, "errors")
        rollback(run)
        for _ in range(2):
            with pytest.raises(ReleaseTakenBack, match="v2 was taken back, v1 has all traffic: errors"):
                finish(run)
        assert stage.at_rest("v1")

    def test_pods_that_helm_forgot_are_removed(self, stage: Stage) -> None:
        run = stage.run()
        do(run, *UP_TO_WEIGHT)
        stage.helm.forgot = ("v2",)
        do(run, rollback, settle, finish)
        assert stage.at_rest("v1"), stage.written()
        assert any("had left its pods to nobody; removed" in line for line in stage.said)

    def test_pods_that_never_come_get_no_weight(self, stage: Stage) -> None:
        stage.helm.ready = lambda version: version != "v2"
        run = stage.run()
        claim(run)
        with pytest.raises(NotReadyError, match="v2 has 0 of 1 replicas ready"):
            deploy(run)
        do(run, settle, finish)
        assert stage.at_rest("v1")

    def test_a_shift_that_meets_the_brake_takes_itself_back(self, stage: Stage) -> None:
        run = stage.run()
        do(run, claim, deploy)
        stage.server.before("PATCH", "virtualservices", lambda: brake.note_taken_back(run, "harm"))
        first(run)
        assert stage.weights() == {"v1": 100, "v2": 0}

    def test_an_abort_never_raises_and_brakes(self, stage: Stage) -> None:
        run = stage.run()
        do(run, *UP_TO_WEIGHT)
        stage.server.fail("GET", "virtualservices", 500, times=9)
        abort(run, "killed")
        assert any("the brake failed" in line for line in stage.said)
        stage.server.heal()
        abort(run, "killed")
        assert stage.weights() == {"v1": 100, "v2": 0}

    def test_what_an_earlier_release_left_is_removed(self, stage: Stage) -> None:
        run = stage.run("one")
        do(run, *UP_TO_WEIGHT)
        abandon(stage)
        other = stage.run("two", version="v3")
        do(other, claim, deploy)
        assert stage.versions() == {"v1", "v3"}

    def test_one_that_was_only_claimed_removes_it_too(self, stage: Stage) -> None:
        run = stage.run("one")
        do(run, *UP_TO_WEIGHT)
        abandon(stage)
        other = stage.run("two", version="v3")
        do(other, claim, settle, finish)
        assert stage.at_rest("v1")


class TestTheRecordFailsWhileItClaims:
    """The lease is taken, but nothing can be written down: the disk is full."""

    def test_it_claims_again_after_the_watchdog_and_goes_on(
        self, stage: Stage, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = stage.run()
        with monkeypatch.context() as full:
            full.setattr(Record, "set_token", refuse)
            for _ in range(2):
                with pytest.raises(RecordError):
                    claim(run)
        abandon(stage)
        do(run, *GOOD)
        assert stage.at_rest("v2")

    def test_if_it_stays_so_the_release_is_closed_later(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        run = stage.run()
        with monkeypatch.context() as full:
            full.setattr(Record, "set_token", refuse)
            with pytest.raises(RecordError):
                claim(run)
        abandon(stage)
        do(run, finish)
        assert run.release.outcome == "rolled_back"
        assert stage.at_rest("v1")

    def test_what_was_begun_is_not_claimed_again(self, stage: Stage) -> None:
        run = stage.run()
        do(run, claim, deploy)
        abandon(stage)
        with pytest.raises(ReleaseFinishedError):
            claim(run)

    def test_nothing_is_claimed_while_the_watchdog_is_at_work(self, stage: Stage) -> None:
        run, other = stage.run(), stage.run("other", version="v3")
        do(run, *UP_TO_WEIGHT)
        stage.server.before("PATCH", "virtualservices", lambda: expect_busy(other))
        abandon(stage)
        assert any("busy" in line for line in stage.said)


def refuse(*_: object) -> None:
    raise RecordError("the disk is full")


def expect_busy(run: Run) -> None:
    with pytest.raises(BusyError, match="the watchdog is making"):
        claim(run)
    run.say("busy")


class TestAnotherWasFirst:
    """Two releases were planned against v1; one has promoted before the other claims."""

    def test_the_late_one_is_refused_and_touches_nothing(self, stage: Stage) -> None:
        late, run = stage.run("late", version="v3"), stage.run("one")
        do(run, *GOOD)
        before = stage.written()
        with pytest.raises(PreflightError, match=r"planned against v1 .* Helm now says v2 .* Start a new run"):
            claim(late)
        do(late, settle, finish)
        assert stage.written() == before
        assert late.release.outcome == "refused"
        with pytest.raises(PreflightError, match=r"was refused: .* Start a new run"):
            claim(late)
        assert stage.written() == before
        assert stage.at_rest("v2")

    def test_even_between_its_look_and_its_claim(self, stage: Stage) -> None:
        late, run = stage.run("late", version="v3"), stage.run("one")
        stage.server.before("POST", "leases", lambda: do(run, *GOOD))
        with pytest.raises(PreflightError, match="planned against v1"):
            claim(late)
        assert stage.at_rest("v2")


class TestOneFate:
    def test_taken_back_first_is_never_promoted(self, stage: Stage) -> None:
        run = stage.run()
        do(run, *GOOD[:4])
        brake.take_back(run, "late harm")
        with pytest.raises(ReleaseTakenBack):
            promote(run)
        do(run, settle, finish)
        assert stage.at_rest("v1")

    def test_committed_first_goes_on_whoever_pulls_the_brake(self, stage: Stage) -> None:
        run = _committed(stage)
        assert not brake.note_taken_back(run, "too late")
        assert brake.brake(run, "too late") == 0.0
        stage.helm.before = lambda: None
        do(run, settle, finish)
        assert stage.at_rest("v2")


def _committed(stage: Stage) -> Run:
    """A release that was committed, and whose promotion failed right after."""
    run = stage.run()
    do(run, *GOOD[:4])
    stage.helm.before = lambda: _fail_when(brake.committed(run))
    with pytest.raises(ClusterError):
        promote(run)
    return run


def _fail_when(true: bool) -> None:
    if true:
        raise ClusterError("injected", 500)


class TestAbandoned:
    def test_its_tasks_are_refused_and_its_rollback_cleans_up(self, stage: Stage) -> None:
        run = stage.run()
        do(run, *UP_TO_WEIGHT)
        abandon(stage)
        assert stage.weights() == {"v1": 100, "v2": 0}
        with pytest.raises(ClaimLostError):
            second(run)
        with pytest.raises(ReleaseTakenBack):
            promote(run)
        do(run, settle, finish)
        assert stage.at_rest("v1")
        assert run.release.outcome == "rolled_back"

    def test_one_that_was_committed_goes_on(self, stage: Stage) -> None:
        run = _committed(stage)
        abandon(stage)
        assert stage.weights() == {"v2": 100}
        stage.helm.before = lambda: None
        do(run, settle, finish)
        assert stage.at_rest("v2")

    def test_when_another_release_has_the_service_it_only_closes(self, stage: Stage) -> None:
        run = stage.run("one")
        do(run, *UP_TO_WEIGHT)
        abandon(stage)
        other = stage.run("two", version="v3")
        do(other, *UP_TO_WEIGHT)
        do(run, settle, finish)
        assert run.release.outcome == "rolled_back"
        assert stage.weights() == {"v1": 80, "v3": 20}
        assert stage.holder() == "two"


def test_a_release_whose_run_was_lost_is_closed_by_the_next_one(stage: Stage) -> None:
    lost = stage.run("dag/lost")
    do(lost, *UP_TO_WEIGHT)
    abandon(stage)
    following = stage.run("dag/next")
    do(following, claim)
    assert (lost.release.outcome, "dag/next" in str(lost.release.reason)) == ("rolled_back", True)
    do(following, deploy, rollback)
    with pytest.raises(ReleaseTakenBack):
        finish(following)
    assert stage.at_rest("v1")
    before = stage.written()
    with pytest.raises(ReleaseTakenBack):
        finish(lost)
    assert stage.written() == before
