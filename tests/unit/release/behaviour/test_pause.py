"""The sync that the policy names is paused while a release holds the service, and goes on after it, whatever happens."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from glidepath.errors import ClusterError, PolicyError, PreflightError
from glidepath.handover import Sync
from glidepath.release import brake
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.settle import settle
from tests.support.crashes import MODES, Fuse, Saved, process
from tests.support.git import APPLICATION, HELM_RELEASE, paused, synced
from tests.support.stage import Stage, abandon
from tests.support.tasks import GOOD, do

KUSTOMIZATION = ("Kustomization", "flux-system", "prices")
PAUSE = "gitops: {handover: none, pause: {kind: Application, namespace: argocd, name: prices}}\n"


@pytest.mark.parametrize("of", [APPLICATION, HELM_RELEASE, KUSTOMIZATION], ids=lambda of: of[0])
def test_from_the_claim_to_the_end(stage: Stage, of: tuple[str, str, str]) -> None:
    synced(stage, of)
    run = stage.run()
    assert paused(stage, of) == (False, None)
    claim(run)
    assert paused(stage, of) == (True, "dag/run")
    for action in GOOD[1:-1]:
        action(run)
        assert paused(stage, of) == (True, "dag/run")
    finish(run)
    assert paused(stage, of) == (False, None)
    assert stage.at_rest("v2")


def test_argo_cd_is_asked_to_look_up_git_in_the_write_that_lets_it_go_on(stage: Stage) -> None:
    """With the revision that it looked up before the handover it would bring the old version back."""
    synced(stage, APPLICATION)
    run = stage.run()
    claim(run)
    assert "argocd.argoproj.io/refresh" not in stage.server.find("applications", "prices")["metadata"]["annotations"]
    before = len([one for one in stage.server.writes() if one == "PATCH applications"])
    do(run, *GOOD[1:])
    notes = stage.server.find("applications", "prices")["metadata"]["annotations"]
    assert notes == {"argocd.argoproj.io/refresh": "normal"}
    assert len([one for one in stage.server.writes() if one == "PATCH applications"]) == before + 1


@pytest.mark.parametrize("of", [APPLICATION, HELM_RELEASE], ids=lambda of: of[0])
def test_what_somebody_else_has_paused_stays_so(stage: Stage, of: tuple[str, str, str]) -> None:
    synced(stage, of, annotations={"argocd.argoproj.io/skip-reconcile": "true"})
    assert stage.ports().sync.check().endswith("paused by somebody: left so")  # type: ignore[union-attr]
    run = stage.run()
    for action in GOOD:
        action(run)
        assert paused(stage, of) == (True, None)


def test_a_person_who_lets_it_go_on_in_mid_release_is_obeyed_and_the_mark_goes(stage: Stage) -> None:
    synced(stage, APPLICATION)
    run = stage.run()
    claim(run)
    base = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/prices"
    body = {"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": None}}}
    stage.server._carry_out("PATCH", base, {"fieldManager": "kubectl"}, "merge", body)
    do(run, *GOOD[1:])
    assert paused(stage, APPLICATION) == (False, None)
    assert stage.at_rest("v2")


def test_what_a_lost_run_had_paused_goes_on_after_the_next_release(stage: Stage) -> None:
    synced(stage, APPLICATION)
    claim(stage.run("dag/lost"))
    abandon(stage)
    assert paused(stage, APPLICATION) == (True, "dag/lost")
    assert "paused by dag/lost still" in stage.ports().sync.check()  # type: ignore[union-attr]
    run = stage.run("dag/next")
    claim(run)
    assert paused(stage, APPLICATION) == (True, "dag/next")
    do(run, *GOOD[1:])
    assert paused(stage, APPLICATION) == (False, None)


def test_one_that_is_not_there_is_refused_at_plan_and_one_that_is_gone_keeps_no_release_from_ending(
    stage: Stage,
) -> None:
    stage.synced = APPLICATION
    with pytest.raises(
        PreflightError, match=r"gitops.pause: Application argocd/prices can't be read; nothing was touched"
    ):
        stage.run()
    synced(stage, APPLICATION)
    run = stage.run()
    claim(run)
    stage.server.objects = {at: one for at, one in stage.server.objects.items() if "applications" not in at[0]}
    do(run, *GOOD[1:])
    assert stage.at_rest("v2")


def test_one_that_cannot_be_paused_releases_nothing(stage: Stage) -> None:
    synced(stage, APPLICATION)
    run = stage.run()
    stage.server.fail("PATCH", "applications", 403, times=9)
    with pytest.raises(ClusterError, match="403"):
        claim(run)
    do(run, settle, finish)
    assert run.release.outcome == "rolled_back"
    assert stage.at_rest("v1")


def test_one_that_cannot_be_had_going_holds_no_service(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glidepath.kube.calls.REFUSED_S", 0.0)
    synced(stage, APPLICATION)
    run = stage.run()
    do(run, *GOOD[:-1])
    stage.server.fail("PATCH", "applications", 403, times=2)
    for _ in range(2):
        with pytest.raises(ClusterError, match="403"):
            finish(run)
        assert (stage.holder(), paused(stage, APPLICATION)) == ("", (True, "dag/run"))
        assert stage.at_rest("v2")
    finish(run)
    assert paused(stage, APPLICATION) == (False, None)


def test_a_late_end_leaves_the_pause_of_the_next_release_alone(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glidepath.kube.calls.REFUSED_S", 0.0)
    synced(stage, APPLICATION)
    run = stage.run()
    do(run, *GOOD[:-1])
    stage.server.fail("PATCH", "applications", 403)
    with pytest.raises(ClusterError, match="403"):
        finish(run)
    Sync(stage.server.api(), *APPLICATION).pause("dag/next")
    finish(run)
    assert paused(stage, APPLICATION) == (True, "dag/next")


def test_one_that_is_written_meanwhile_is_read_again(stage: Stage) -> None:
    synced(stage, APPLICATION)
    run = stage.run()
    stage.server.before("PATCH", "applications", lambda: synced(stage, APPLICATION, labels={"a": "b"}))
    claim(run)
    assert paused(stage, APPLICATION) == (True, "dag/run")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("harmed", [False, True], ids=["good", "harm"])
def test_whatever_happens_at_a_write_it_goes_on_in_the_end(
    mode: str, harmed: bool, stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    synced(stage, APPLICATION)
    saved = Saved(stage, stage.run(), tmp_path)
    for number in (0, len(GOOD) - 1):
        for at in itertools.count():
            now, run = saved.again()
            fuse = Fuse(at, mode)
            do(process(now, run, fuse), GOOD[number])
            if harmed and run.release.token is not None:
                brake.take_back(process(now, run), "harm")
            for _ in range(2):
                do(process(now, run), *GOOD[number:])
            assert paused(now, APPLICATION) == (False, None), fuse.where
            assert now.at_rest("v2" if run.release.outcome == "promoted" else "v1"), fuse.where
            if not fuse.blown:
                break
        for action in GOOD[:-1] if number == 0 else ():
            saved = saved.after(action)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{kind: Deployment, namespace: a, name: b}", "'Application', 'HelmRelease' or 'Kustomization'"),
        ("{kind: Application, name: b}", "gitops.pause.namespace"),
        ("{kind: Application, namespace: ../a, name: b}", "gitops.pause.namespace"),
    ],
)
def test_a_pause_of_nothing_is_refused(stage: Stage, text: str, message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        stage.spec(policy=f"gitops: {{handover: none, pause: {text}}}\n")
    assert stage.spec(policy=PAUSE).gitops.pause.name == "prices"  # type: ignore[union-attr]
