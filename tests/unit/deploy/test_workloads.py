"""Whether a version's pods can take traffic, on a real client against an API server in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from glidepath.deploy import KubernetesWorkloads
from glidepath.errors import ClusterError, NotGoneError, NotReadyError
from glidepath.kube import UNKNOWN
from tests.support.apiserver import DEPLOYMENTS, NAMESPACE, SERVICE, STATEFULSETS, ApiServer
from tests.support.installed import install

NAME = f"{SERVICE}-v2"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"


@dataclass
class PodsInMemory:
    server: ApiServer

    @property
    def workloads(self) -> KubernetesWorkloads:
        return KubernetesWorkloads(self.server.api(), NAMESPACE, SERVICE)

    def as_statefulset(self) -> None:
        """Have a StatefulSet run the version, not a Deployment."""
        was = self.server.objects.pop((DEPLOYMENTS, NAME))
        self.server.objects[STATEFULSETS, NAME] = {**was, "kind": "StatefulSet"}

    def report(self, updated: int, available: int, generation: int = 1, observed: int = 1) -> None:
        """What the Deployment's controller reports."""
        stored = self.server.objects[DEPLOYMENTS, NAME]
        stored["metadata"]["generation"] = generation
        stored["status"] = {
            "observedGeneration": observed, "updatedReplicas": updated, "availableReplicas": available,
        }  # fmt: skip

    def pod(self, name: str, phase: str, *containers: dict[str, Any]) -> None:
        """A pod of the version."""
        labels = {"app": SERVICE, "version": "v2"}
        body = {
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": labels},
            "status": {"phase": phase, "containerStatuses": list(containers)},
        }  # fmt: skip
        self.server.put(PODS, body)

    def delete(self) -> None:
        del self.server.objects[DEPLOYMENTS, NAME]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[PodsInMemory]:
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    with ApiServer() as server:
        install(server, {"v1": 80, "v2": 20})
        made = PodsInMemory(server)
        made.report(2, 2)
        yield made


@pytest.mark.parametrize(
    ("updated", "available", "generation", "observed", "ready"),
    [(2, 2, 1, 1, 2), (2, 1, 1, 1, 1), (1, 2, 1, 1, 1), (2, 2, 7, 6, 0), (2, 2, 7, 8, 2)],
    ids=["all", "one not available", "one of the old template", "not looked at yet", "looked at"],
)
def test_ready_is_what_is_of_the_wanted_template_and_available(
    world: PodsInMemory, updated: int, available: int, generation: int, observed: int, ready: int
) -> None:
    world.report(updated, available, generation, observed)
    found = world.workloads.readiness("v2")
    assert (found.wanted, found.ready, found.complete) == (2, ready, ready == 2)


def test_a_deployment_whose_controller_has_said_nothing_has_none_ready(world: PodsInMemory) -> None:
    del world.server.objects[DEPLOYMENTS, NAME]["status"]
    assert world.workloads.readiness("v2").ready == 0


def test_a_statefulset_is_read_scaled_and_removed_as_a_deployment_is(world: PodsInMemory) -> None:
    before = world.workloads.shape("v2")
    world.as_statefulset()
    assert world.workloads.shape("v2") == before
    assert world.workloads.readiness("v2").complete
    assert world.workloads.at_least("v2", 3)
    assert world.server.find("statefulsets", NAME)["spec"]["replicas"] == 3
    notes = world.server.objects[STATEFULSETS, NAME]["metadata"].setdefault("annotations", {})
    notes |= {"meta.helm.sh/release-name": "shop"}
    assert world.workloads.remove_forgotten("v2", "shop")
    assert world.workloads.shape("v2") is None


def test_an_account_that_may_not_read_statefulsets_has_no_version_that_is_one(world: PodsInMemory) -> None:
    world.as_statefulset()
    world.server.fail("GET", "/statefulsets", 403, times=1)
    assert world.workloads.readiness("v2").why == f"no Deployment or StatefulSet {NAME}"
    world.server.fail("GET", "/statefulsets", 500, times=9)
    with pytest.raises(ClusterError):
        world.workloads.readiness("v2")


def test_one_that_is_not_there_has_none_and_no_shape(world: PodsInMemory) -> None:
    world.delete()
    found = world.workloads.readiness("v2")
    assert (found.wanted, found.ready, found.complete, found.why) == (
        0,
        0,
        False,
        f"no Deployment or StatefulSet {NAME}",
    )
    assert world.workloads.shape("v2") is None


def test_what_the_pods_wait_for_is_told(world: PodsInMemory) -> None:
    world.report(0, 0)
    assert world.workloads.readiness("v2").why == "no pod yet"
    world.pod("b", "Pending", {"name": "app", "ready": False, "state": {"waiting": {"reason": "ImagePullBackOff"}}})
    world.pod(
        "a", "Running", {"name": "app", "ready": False, "state": {"running": {}}}, {"name": "proxy", "ready": True}
    )
    world.pod("c", "Pending")
    assert world.workloads.readiness("v2").why == "a (app not ready); b (app: ImagePullBackOff); c (Pending)"
    world.server.fail("GET", "pods", 400)
    assert (
        "pods could not be listed: listing v1/pods: the Kubernetes API answered 400"
        in world.workloads.readiness("v2").why
    )


def test_an_outage_is_waited_out(world: PodsInMemory) -> None:
    world.server.fail("GET", NAME, 503, times=3 * 5)  # five looks, each with its own tries
    assert world.workloads.wait_ready("v2", 20, poll_s=0.01) >= 0.04
    world.server.fail("GET", NAME, 503, times=3 * 5)
    world.delete()
    assert world.workloads.wait_gone("v2", 20, poll_s=0.01) >= 0.04


@pytest.mark.parametrize("wait", ["wait_ready", "wait_gone"])
def test_one_that_does_not_end_is_told_when_the_time_is_over(world: PodsInMemory, wait: str) -> None:
    world.report(0, 0)
    world.server.fail("GET", NAME, 503, times=10_000)
    with pytest.raises(ClusterError, match="answered 503"):
        getattr(world.workloads, wait)("v2", 0.1, poll_s=0.01)


@pytest.mark.parametrize("wait", ["wait_ready", "wait_gone"])
def test_a_refusal_is_not_waited_out(world: PodsInMemory, wait: str) -> None:
    world.server.fail("GET", NAME, 403, times=2)
    with pytest.raises(ClusterError, match="answered 403"):
        getattr(world.workloads, wait)("v2", 600, poll_s=0.01)
    assert len([status for *_, status in world.server.log if status == 403]) == 1


@pytest.mark.parametrize("wait", ["wait_ready", "wait_gone"])
def test_the_refusals_of_an_api_server_that_has_just_started_are(
    world: PodsInMemory, wait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glidepath.kube.calls.REFUSED_PAUSE_S", 0.01)
    world.workloads.readiness("v2")
    world.server.fail("GET", NAME, 503, times=4)
    world.server.fail("GET", NAME, 403, times=20)
    if wait == "wait_gone":
        world.delete()
    assert getattr(world.workloads, wait)("v2", 20, poll_s=0.01) > 0


def test_pods_that_do_not_come_are_named_and_each_change_is_told_once(world: PodsInMemory) -> None:
    world.report(1, 1)
    world.pod("a", "Running", {"name": "app", "ready": False, "state": {"running": {}}})
    said: list[str] = []
    with pytest.raises(
        NotReadyError, match=r"prices v2 has 1 of 3 replicas ready .*a \(app not ready\).*kubectl -n shop"
    ):
        world.workloads.wait_ready("v2", 0.05, lambda now: said.append(now.why), poll_s=0.01, least=3)
    assert said == ["a (app not ready)"]


def test_a_deployment_that_stays_is_told(world: PodsInMemory) -> None:
    with pytest.raises(NotGoneError, match="still there"):
        world.workloads.wait_gone("v2", 0.03, poll_s=0.01)


def test_the_shape_names_who_wrote_it_where_the_api_keeps_that(world: PodsInMemory) -> None:
    found = world.workloads.shape("v2")
    assert found is not None
    assert (found.wanted, found.replicas_by.split(" at ")[0], found.pods_by) == (2, "helm", UNKNOWN)


class TestAForgottenDeployment:
    def made_by(self, world: PodsInMemory, release: str, **marks: str) -> None:
        notes = {
            "meta.helm.sh/release-name": release,
            **{f"glidepath.dev/{key}": value for key, value in marks.items()},
        }
        world.server.objects[DEPLOYMENTS, NAME]["metadata"]["annotations"] = notes

    def test_of_this_release_is_removed_and_once_more_does_nothing(self, world: PodsInMemory) -> None:
        self.made_by(world, "shop", token="7", state="open")
        assert world.workloads.remove_forgotten("v2", "shop")
        assert world.workloads.shape("v2") is None
        assert not world.workloads.remove_forgotten("v2", "shop")

    def test_that_is_held_or_not_helms_or_going_already_is_left_alone(self, world: PodsInMemory) -> None:
        assert not world.workloads.remove_forgotten("v2", "shop")
        self.made_by(world, "another")
        assert not world.workloads.remove_forgotten("v2", "shop")
        self.made_by(world, "shop", token="7", state="held")
        assert not world.workloads.remove_forgotten("v2", "shop")
        self.made_by(world, "shop")
        world.server.objects[DEPLOYMENTS, NAME]["metadata"]["deletionTimestamp"] = "2026-11-26T00:00:00Z"
        assert not world.workloads.remove_forgotten("v2", "shop")
        assert world.workloads.shape("v2") is not None

    def test_that_somebody_writes_meanwhile_is_left_alone(self, world: PodsInMemory) -> None:
        self.made_by(world, "shop")
        written = {"metadata": {"annotations": {"by": "somebody"}}}
        world.server.before(
            "DELETE", NAME, lambda: world.server._carry_out("PATCH", f"{DEPLOYMENTS}/{NAME}", {}, "merge", written)
        )
        assert not world.workloads.remove_forgotten("v2", "shop")
        assert world.workloads.shape("v2") is not None

    def test_a_refusal_is_told(self, world: PodsInMemory) -> None:
        self.made_by(world, "shop")
        world.server.fail("DELETE", NAME, 403)
        with pytest.raises(ClusterError, match="answered 403"):
            world.workloads.remove_forgotten("v2", "shop")
