"""The handover: git is told before the promotion is final, and never says v2 at the end of a release that kept v1."""

from __future__ import annotations

from typing import Any

import pytest

from glidepath.errors import ClaimLostError, HandoverError, PolicyError, ReleaseTakenBack
from glidepath.release import brake, gitops
from glidepath.release.abort import failed
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.observe import observe
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from tests.support.apiserver import SERVICE
from tests.support.crashes import MODES, Died, Saved, die, process
from tests.support.git import GITOPS, Git
from tests.support.observing import JUDGED, opened, over
from tests.support.stage import Stage, abandon
from tests.support.tasks import GOOD, do, every_fault, first, second

UP_TO_PROMOTE = GOOD[:4]
END = GOOD[-2:]


@pytest.fixture
def git(stage: Stage) -> Git:
    """The owner of the values, who is told."""
    stage.handover = made = Git()
    return made


@pytest.fixture
def proven(stage: Stage, git: Git) -> Run:
    """A release that is about to be promoted."""
    assert git.heard == []
    run = stage.run(policy=GITOPS)
    assert not do(run, *UP_TO_PROMOTE)
    return run


def told(run: Run) -> list[tuple[str, str]]:
    """What the record says of the handover."""
    return [(one.phase, one.state) for one in run.journal.handovers()]


class TestAGoodVersion:
    def test_the_values_are_set_before_the_point_of_no_return(self, stage: Stage, git: Git, proven: Run) -> None:
        seen: list[object] = []
        git.before = lambda: seen.append((brake.committed(proven), stage.weights(), stage.lease("stable")))
        promote(proven)
        assert seen == [(False, {"v1": 0, "v2": 100}, "v1")]
        do(proven, *END)
        assert stage.at_rest("v2")
        assert git.says == "v2"
        assert told(proven) == [("promote", "asked"), ("promote", "done")]

    def test_every_task_twice_tells_it_once(self, stage: Stage, git: Git, proven: Run) -> None:
        for action in GOOD[4:]:
            action(proven)
            action(proven)
        assert git.heard == ["dag/run:promote"]
        assert stage.at_rest("v2")

    def test_with_a_window_it_is_told_at_its_end(self, stage: Stage, git: Git) -> None:
        run, _ = opened(stage, JUDGED + GITOPS)
        assert git.heard == []
        over(run)
        observe(run)
        assert git.heard == ["dag/run:promote"]

    def test_the_word_is_what_the_chart_takes(self, proven: Run) -> None:
        word = gitops.word(proven.release, "promote").to_dict()
        assert word == {
            "key": "dag/run:promote", "phase": "promote", "release": "dag/run", "service": SERVICE, "namespace": "shop",
            "helm_release": "shop", "stable": "v1", "canary": "v2", "version": "v2",
            "values": {"roles": {"stable": "v2", "canary": ""}, "istio": {"trafficSplit": {"stable": 100, "canary": 0}}},
        }  # fmt: skip


class TestARefusal:
    def test_the_release_goes_back_and_says_why(self, stage: Stage, git: Git, proven: Run) -> None:
        git.fails = HandoverError("commit-values ended with exit code 1: protected branch", untold=True)
        with pytest.raises(HandoverError, match="protected branch") as caught:
            promote(proven)
        failed(proven, "promote", caught.value)
        assert not brake.committed(proven)
        assert stage.weights() == {"v1": 0, "v2": 100}
        settle(proven)
        with pytest.raises(ReleaseTakenBack, match="promote failed: commit-values ended with exit code 1: protected"):
            finish(proven)
        assert stage.at_rest("v1")
        assert git.heard == []  # nobody heard of it, so nobody is told that it is none

    def test_a_time_out_may_have_been_heard_and_is_taken_back(self, stage: Stage, git: Git, proven: Run) -> None:
        git.fails, git.late = HandoverError("did not answer within 60 s"), True
        do(proven, promote)
        assert git.says == "v2"
        git.fails = None
        do(proven, *END)
        assert (git.says, git.heard) == ("v1", ["dag/run:promote", "dag/run:rollback"])
        assert stage.at_rest("v1")

    def test_asked_again_with_the_same_key_it_goes_on(self, stage: Stage, git: Git, proven: Run) -> None:
        git.fails, git.late = HandoverError("did not answer within 60 s"), True
        do(proven, promote)
        git.fails = None
        do(proven, promote, *END)
        assert git.heard == ["dag/run:promote"] * 2
        assert stage.at_rest("v2")


class TestTheBrakeMeanwhile:
    @pytest.mark.parametrize("late", [False, True], ids=["answered", "lost"])
    def test_what_was_told_is_taken_back(self, stage: Stage, git: Git, proven: Run, late: bool) -> None:
        git.before = lambda: brake.take_back(proven, "late harm")
        git.late = late
        git.fails = HandoverError("no answer") if late else None
        with pytest.raises((ReleaseTakenBack, HandoverError)):
            promote(proven)
        assert stage.weights() == {"v1": 100, "v2": 0}
        git.before, git.fails = (lambda: None), None
        do(proven, rollback, *END)
        assert git.says == "v1"
        assert stage.at_rest("v1")
        assert proven.release.reason == "late harm"

    def test_before_it_is_told_nothing_is(self, git: Git, proven: Run, monkeypatch: pytest.MonkeyPatch) -> None:
        # Between the look at the fate and the handover.
        monkeypatch.setattr(
            "glidepath.release.tasks.promote.see_silent", lambda *_: brake.take_back(proven, "late harm")
        )
        with pytest.raises(ReleaseTakenBack):
            promote(proven)
        assert git.heard == []

    def test_a_promotion_that_slept_through_its_rollback_takes_back_what_it_tells(
        self, stage: Stage, git: Git, proven: Run
    ) -> None:
        def rolled_back() -> None:
            git.before = lambda: None
            do(process(stage, proven), rollback, *END)

        git.before = rolled_back
        with pytest.raises(ReleaseTakenBack):
            promote(proven)
        assert git.says == "v1"
        assert stage.at_rest("v1")


class TestATakingBackThatIsNotHeard:
    @pytest.fixture
    def untold(self, git: Git, proven: Run) -> Run:
        """Told of v2, then taken back, and nobody can be told so."""
        git.before = lambda: brake.take_back(proven, "late harm")
        git.fails, git.late = HandoverError("away"), True
        do(proven, promote)
        git.before, git.late = (lambda: None), False
        do(proven, rollback, settle)
        return proven

    def test_the_release_is_closed_and_says_so_and_its_objects_stay_held(
        self, stage: Stage, git: Git, untold: Run
    ) -> None:
        assert git.says == "v2"
        assert untold.release.outcome == "rolled_back"
        assert "NOT handed back yet: the values may say that v2 is stable" in str(untold.release.reason)
        with pytest.raises(HandoverError, match=r"could not be told that it is v1: away. The objects stay held"):
            finish(untold)
        assert stage.weights() == {"v1": 100}
        assert stage.states() == {"held"}

    def test_its_end_goes_on_when_it_is_heard(self, stage: Stage, git: Git, untold: Run) -> None:
        git.fails = None
        do(untold, finish)
        assert git.says == "v1"
        assert stage.at_rest("v1")

    def test_so_does_it_after_the_watchdog_has_freed_the_claim(self, stage: Stage, git: Git, untold: Run) -> None:
        do(untold, finish)
        abandon(stage)
        assert stage.states() == {"held"}
        git.fails = None
        do(untold, finish)
        assert git.says == "v1"
        assert stage.at_rest("v1")

    def test_a_policy_that_names_nobody_any_more_keeps_no_release_from_starting(
        self, stage: Stage, git: Git, untold: Run
    ) -> None:
        abandon(stage)
        stage.handover = None
        claim(stage.run("dag/next", version="v3"))
        assert any("WARNING: the values may say v2, and the policy names nobody" in line for line in stage.said)
        assert gitops.owed(stage.record, untold.id)
        assert git.says == "v2"

    def test_if_its_run_is_lost_the_next_release_tells_it_first(self, stage: Stage, git: Git, untold: Run) -> None:
        assert gitops.owed(stage.record, untold.id)
        abandon(stage)
        other = stage.run("dag/next", policy=GITOPS, version="v3")
        with pytest.raises(HandoverError):
            claim(other)
        git.fails = None
        claim(other)
        assert git.says == "v1"
        assert not gitops.owed(stage.record, untold.id)
        for action in GOOD[1:]:
            action(other)
        assert git.says == "v3"
        assert stage.at_rest("v3")


@pytest.mark.parametrize("harmed", [False, True], ids=["good", "harm"])
@pytest.mark.parametrize("mode", MODES)
def test_whatever_happens_at_a_write_of_a_promotion_git_says_what_the_cluster_has(
    mode: str, harmed: bool, stage: Stage, git: Git, proven: Run, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    assert git.says == "v1"
    saved = Saved(stage, proven, tmp_path)
    for now, run, fuse in every_fault(saved, promote, mode):
        if harmed:
            brake.take_back(process(now, run), "late harm")
        for _ in range(2):
            do(process(now, run), promote)
        do(process(now, run), *END)
        outcome = run.release.outcome
        assert outcome in ("promoted", "rolled_back"), fuse.where
        kept = "v2" if outcome == "promoted" else "v1"
        assert now.at_rest(kept), fuse.where
        assert isinstance(now.handover, Git)
        assert now.handover.says == kept, (fuse.where, now.handover.heard)


def test_a_promotion_that_dies_between_its_handover_and_the_commit(stage: Stage, git: Git, proven: Run) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("glidepath.release.tasks.promote._commit", die)
        with pytest.raises(Died):
            promote(proven)
    assert git.says == "v2"
    abandon(stage)
    assert stage.weights() == {"v1": 100, "v2": 0}
    do(proven, *END)
    assert git.says == "v1"
    assert stage.at_rest("v1")


def test_a_claim_that_is_lost_while_it_is_handed_over_is_not_committed(stage: Stage, git: Git, proven: Run) -> None:
    git.before = lambda: abandon(stage)
    with pytest.raises(ClaimLostError):
        promote(proven)
    assert not brake.committed(proven)
    git.before = lambda: None
    do(proven, *END)
    assert (git.says, git.heard) == ("v1", ["dag/run:promote", "dag/run:rollback"])
    assert stage.at_rest("v1")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "handover"),
        ("{handover: git}", "'none', 'command' or 'webhook'"),
        ("{handover: command}", "expected `command`, a list such as"),
        ("{handover: none, command: [a]}", "with handover: command and only then; handover is none"),
        ("{handover: command, command: commit}", "command"),
        ("{handover: webhook}", "expected `connection`"),
        ("{handover: webhook, connection: bot, path: hooks}", "path"),
        ("{handover: command, command: [a], timeout: 5m, tries: 3}", "3 tries of 300 s, expected at most 600 s in all"),
    ],
)
def test_a_handover_that_makes_no_sense_is_refused(stage: Stage, text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        stage.spec(policy=f"gitops: {text}\n")


def test_a_program_is_found_from_the_checkout_or_the_path(stage: Stage) -> None:
    near = stage.spec(policy="gitops: {handover: command, command: [include/commit.sh, -v]}\n").gitops
    far = stage.spec(policy=GITOPS).gitops
    assert near is not None
    assert far is not None
    assert (near.command, far.command) == (("/checkout/include/commit.sh", "-v"), ("commit-values",))


def test_steps_that_are_not_reached_tell_nothing(stage: Stage, git: Git) -> None:
    run = stage.run(policy=GITOPS)
    do(run, claim, deploy, first, second)
    brake.take_back(run, "harm")
    do(run, rollback, *END)
    assert git.heard == []
    assert stage.at_rest("v1")
