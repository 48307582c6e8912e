"""Fields that a person or a controller owns: a release leaves them to him, ends, and so does the next one."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from glidepath.deploy import KubernetesWorkloads
from glidepath.errors import ClusterError, HelmError, NotReadyError, ReleaseTakenBack
from glidepath.release.abort import abort
from glidepath.release.brake import taken_back
from glidepath.release.drift import objects_drift
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.settle import settle
from glidepath.release.tasks.shift import shift
from tests.support.apiserver import DEPLOYMENTS, MESH, SERVICE
from tests.support.stage import Stage

RULES, ROUTES = f"{MESH}/destinationrules", f"{MESH}/virtualservices"
MERGE = "application/merge-patch+json"


def edit(stage: Stage, path: str, manager: str = "kubectl", **spec: Any) -> None:
    """Write fields of an object's spec as another client, and have the kubelet follow."""
    status, answer = stage.server.handle("PATCH", f"{path}?fieldManager={manager}", MERGE, {"spec": spec})
    assert status == 200, answer
    if "replicas" in spec:
        ready = {"observedGeneration": 1, "updatedReplicas": spec["replicas"], "availableReplicas": spec["replicas"]}
        stage.server.objects[DEPLOYMENTS, path.rsplit("/", 1)[1]]["status"] = ready


def scale(stage: Stage, version: str, count: int, manager: str = "kubectl") -> None:
    """Scale a version."""
    edit(stage, f"{DEPLOYMENTS}/{SERVICE}-{version}", manager, replicas=count)


def replicas(stage: Stage, version: str) -> int:
    """What a version's Deployment asks for."""
    return int(stage.server.find("deployments", f"{SERVICE}-{version}")["spec"]["replicas"])


def follow(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kubelet follows what the release scales by itself."""
    written = KubernetesWorkloads.at_least

    def at_least(port: KubernetesWorkloads, version: str, count: int) -> bool:
        done = written(port, version, count)
        ready = {"observedGeneration": 1, "updatedReplicas": count, "availableReplicas": count}
        stage.server.objects[DEPLOYMENTS, f"{SERVICE}-{version}"]["status"] = ready
        return done

    monkeypatch.setattr(KubernetesWorkloads, "at_least", at_least)


def deployed(stage: Stage, **params: Any) -> Run:
    """A release whose canary is there."""
    run = stage.run(**params)
    claim(run)
    deploy(run)
    return run


def promoted(stage: Stage, run: Run) -> None:
    """The rest of the way up, and a past for the next one."""
    stage.prometheus.scrape(run.canary, 0)
    shift(run, 1)
    promote(run)
    finish(run)
    for _ in range(24):
        stage.clock += 5
        stage.prometheus.scrape(run.canary, 500, 2)


def gone_back(run: Run) -> None:
    """The way back, to its end."""
    settle(run)
    with pytest.raises(ReleaseTakenBack, match="v2 was taken back"):
        finish(run)


@pytest.mark.parametrize(("count", "then"), [(5, 5), (1, 2)], ids=["up", "down"])
def test_a_stable_that_was_scaled_by_hand_is_released_and_the_next_release_too(
    stage: Stage, count: int, then: int
) -> None:
    scale(stage, "v1", count)
    promoted(stage, deployed(stage))
    assert stage.at_rest("v2")
    assert replicas(stage, "v2") == then
    assert any(f"spec.replicas is {count}, set by kubectl" in line for line in stage.said)
    second = deployed(stage, identity="dag/next", version="v3")
    assert replicas(stage, "v2") == then
    promoted(stage, second)
    assert stage.at_rest("v3")
    assert replicas(stage, "v3") == then
    assert set(stage.helm.values.get("versions") or {}) == ({"v3"} if then > 2 else set())


def test_scaled_in_the_middle_of_a_release_it_stays_so_when_the_canary_is_taken_back(stage: Stage) -> None:
    run = deployed(stage)
    shift(run, 1)
    scale(stage, "v1", 6)
    assert objects_drift(run) is None
    gone_back(run)
    assert stage.at_rest("v1")
    assert replicas(stage, "v1") == 6


def test_what_it_was_scaled_to_is_what_the_canary_needs(stage: Stage) -> None:
    run = deployed(stage, weights=[50])
    scale(stage, "v1", 8)
    shift(run, 1)
    assert replicas(stage, "v2") == 4


def test_scaled_down_in_the_middle_is_drift_and_before_it_is_not(stage: Stage) -> None:
    scale(stage, "v1", 1)
    run = deployed(stage)
    shift(run, 1)
    assert objects_drift(run) is None
    scale(stage, "v1", 0)
    assert "v1 was scaled to 0 replicas, expected at least 1" in str(objects_drift(run))


def test_an_autoscaler_of_the_teams_own_may_scale_up_and_down(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    follow(stage, monkeypatch)
    scale(stage, "v1", 4, "kube-controller-manager")
    run = deployed(stage, weights=[50])
    assert any("prices-v1 is scaled by kube-controller-manager at" in line for line in stage.said)
    for count in (3, 1):
        scale(stage, "v2", count, "kube-controller-manager")
    shift(run, 1)
    assert replicas(stage, "v2") == 2  # begun with its share, and the autoscaler goes on from there
    for stable, canary in ((6, 3), (1, 1)):
        scale(stage, "v1", stable, "kube-controller-manager")
        scale(stage, "v2", canary, "kube-controller-manager")
        assert objects_drift(run) is None
    scale(stage, "v1", 5, "kube-controller-manager")
    promote(run)
    finish(run)
    assert stage.at_rest("v2")
    assert replicas(stage, "v2") == 5


def test_a_canary_that_a_person_scaled_down_gets_no_weight(stage: Stage) -> None:
    run = deployed(stage, weights=[80])
    scale(stage, "v2", 3)
    scale(stage, "v2", 1)
    with pytest.raises(NotReadyError, match=r"v2 was scaled to 1 replicas by kubectl at .*; it needs 2"):
        shift(run, 1)
    assert stage.weights()["v2"] == 0
    gone_back(run)
    assert stage.at_rest("v1")


def test_replicas_that_the_chart_leaves_to_others_are_begun_with_the_share(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow(stage, monkeypatch)
    effective = stage.helm.effective_values
    monkeypatch.setattr(stage.helm, "effective_values", lambda: {**effective(), "autoscaling": {"external": True}})
    scale(stage, "v1", 4, "keda")
    run = deployed(stage, weights=[50])
    revision = stage.helm.revision
    shift(run, 1)
    assert (replicas(stage, "v2"), stage.helm.revision) == (2, revision)
    scale(stage, "v2", 1, "keda")
    assert objects_drift(run) is None


def test_the_stables_image_set_by_hand_stays_and_the_next_release_is_told(stage: Stage) -> None:
    stage.helm.upgrade({**stage.helm.values, "image": "shop:1"})
    run = deployed(stage)
    shift(run, 1)
    path = f"{DEPLOYMENTS}/{SERVICE}-v1"
    edit(stage, path, "kubectl-set", template={"spec": {"image": "shop:by-hand"}})
    assert "the pods of v1 were changed; by kubectl-set" in str(objects_drift(run))
    gone_back(run)
    assert stage.at_rest("v1")
    assert stage.server.find("deployments", f"{SERVICE}-v1")["spec"]["template"]["spec"]["image"] == "shop:by-hand"
    stage.said.clear()
    promoted(stage, deployed(stage, identity="dag/next"))
    assert stage.at_rest("v2")
    (told,) = (line for line in stage.said if line.startswith("plan: Deployment"))
    assert 'spec.template.spec.image is "shop:by-hand", set by kubectl-set at' in told
    assert 'Helm has "shop:1": it is left so; v2 is made of Helm\'s values, without it' in told


def test_routes_edited_by_hand_do_not_keep_a_rollback_from_ending(stage: Stage) -> None:
    run = deployed(stage)
    shift(run, 1)
    http = stage.server.find("virtualservices", SERVICE)["spec"]["http"]
    edit(stage, f"{ROUTES}/{SERVICE}", "kubectl-edit", http=[{**http[0], "timeout": "9s"}])
    gone_back(run)
    assert stage.at_rest("v1")
    assert stage.server.find("virtualservices", SERVICE)["spec"]["http"][0]["timeout"] == "9s"


def test_a_brake_that_comes_between_our_look_and_helms_write_is_never_undone(stage: Stage) -> None:
    run = deployed(stage, weights=[20, 80])
    shift(run, 1)
    scale(stage, "v1", 5)
    ours = [False]

    def brakes() -> None:
        if not ours[0]:
            ours[0] = True
            abort(run, "harm, just now")

    stage.helm.before = brakes
    with suppress(HelmError, ClusterError):
        shift(run, 2)
    assert stage.weights() == {"v1": 100, "v2": 0}
    assert taken_back(run)
    gone_back(run)
    assert stage.at_rest("v1")
    assert replicas(stage, "v1") == 5


def test_an_autoscaler_that_scales_between_our_look_and_helms_write_is_looked_at_anew(stage: Stage) -> None:
    scale(stage, "v1", 4)
    run = stage.run()
    claim(run)
    counts = iter((5, 6))
    stage.helm.before = lambda: scale(stage, "v1", next(counts, 6))
    deploy(run)
    assert replicas(stage, "v1") == 6
    stage.helm.before = lambda: None
    promoted(stage, run)
    assert stage.at_rest("v2")


def test_subsets_with_a_policy_of_a_persons_are_released_and_keep_it(stage: Stage) -> None:
    policy = {"trafficPolicy": {"connectionPool": {"tcp": {"maxConnections": 7}}}}
    subsets = [{"name": "v1", "labels": {"version": "v1"}, **policy}]
    edit(stage, f"{RULES}/{SERVICE}", "kubectl-edit", subsets=subsets)
    run = deployed(stage)
    now = stage.server.find("destinationrules", SERVICE)["spec"]["subsets"]
    assert [(one["name"], "trafficPolicy" in one) for one in now] == [("v1", True), ("v2", False)]
    gone_back(run)
    assert stage.at_rest("v1")
    assert stage.server.find("destinationrules", SERVICE)["spec"]["subsets"] == subsets


def test_a_persons_refused_upgrade_ends_the_release_and_none_of_it_stays(stage: Stage) -> None:
    stage.helm.upgrade({**stage.helm.values, "image": "shop:1"})
    run = deployed(stage)
    shift(run, 1)
    before = stage.helm.values
    values = json.loads(json.dumps({**before, "image": "shop:unjudged"}))
    values["istio"]["trafficSplit"] = {"stable": 0, "canary": 100}
    assert "conflict" in stage.helm.by_person(values)
    assert stage.server.find("deployments", f"{SERVICE}-v1")["spec"]["template"]["spec"]["image"] == "shop:1"
    opened = {"metadata": {"annotations": {"glidepath.dev/state": "open"}}}  # now nothing fences it
    path = f"{DEPLOYMENTS}/{SERVICE}-v1"
    assert stage.server.handle("PATCH", path, "application/merge-patch+json", opened)[0] == 200
    assert "conflict" in stage.helm.by_person(values)
    assert stage.server.find("deployments", f"{SERVICE}-v1")["spec"]["template"]["spec"]["image"] == "shop:unjudged"
    assert "(failed)" in str(objects_drift(run)) or "the pods of v1 were changed" in str(objects_drift(run))
    gone_back(run)
    assert stage.at_rest("v1")
    assert stage.helm.values["image"] == "shop:1"
    assert stage.server.find("deployments", f"{SERVICE}-v1")["spec"]["template"]["spec"]["image"] == "shop:1"
    promoted(stage, deployed(stage, identity="dag/next"))
    assert stage.at_rest("v2")
