"""Whole releases of a chart that knows nothing of Glidepath, each version a Helm release, on the real API server."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glidepath.errors import PreflightError
from glidepath.release.drift import objects_drift
from rig.environment import RigError, cluster, helm, kubectl
from tests.support.chart import any_chart, any_policy, plain_chart
from tests.support.driven import Driven

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(600)]
NAMESPACE, SERVICE = "any-chart-test", "plain"
GIVEN = (
    "image: {repository: localhost/model-service}, service: {port: 8081}, "
    "livenessProbe: {httpGet: {path: /healthz, port: http}}, readinessProbe: {httpGet: {path: /readyz, port: http}}"
)
OF = ("-n", NAMESPACE)


@pytest.fixture(scope="module")
def chart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `helm create` makes it."""
    return plain_chart(tmp_path_factory.mktemp("charts"), "someones")


@pytest.fixture(scope="module")
def world(chart: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with any_chart(NAMESPACE, SERVICE, chart, GIVEN), pytest.MonkeyPatch.context() as patch:
        patch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
        made = Driven(tmp_path_factory.mktemp("record"), any_policy(NAMESPACE, SERVICE, chart, GIVEN))
        made.ports().workloads.wait_ready("v1", 180)
        yield made


@pytest.fixture
def old(world: Driven) -> str:
    """The stable version."""
    return world.stable()


@pytest.fixture
def new(old: str) -> str:
    """The other good one."""
    return "v2" if old == "v1" else "v1"


def installed() -> set[str]:
    """What `helm list` shows of the service."""
    listed = json.loads(helm("list", *OF, "-o", "json"))
    return {one["name"] for one in listed if one["name"] != "glidepath" and one["status"] == "deployed"}


def found(what: str) -> dict[str, Any]:
    """An object."""
    return dict(json.loads(kubectl("get", what, *OF, "-o", "json")))


def by_hand(chart: Path, version: str, *settings: str) -> str:
    """A person's `helm upgrade` of a version's release, who has never heard of post-renderers."""
    given = [word for setting in settings for word in ("--set", setting)]
    return helm("upgrade", f"{SERVICE}-{version}", str(chart), *OF, "--reuse-values", *given)


def test_a_version_takes_the_place_of_another_and_brings_what_its_chart_has(world: Driven, old: str, new: str) -> None:
    address = found(f"service/{SERVICE}")["spec"]["clusterIP"]
    run = world.begun(new)
    assert installed() == {SERVICE, f"{SERVICE}-{old}", f"{SERVICE}-{new}"}
    assert found(f"service/{SERVICE}-{new}")["spec"]["ports"][0]["port"] == 8081
    assert objects_drift(run) is None
    world.promoted(run)
    assert installed() == {SERVICE, f"{SERVICE}-{new}"}
    assert kubectl("get", f"service/{SERVICE}-{old}", *OF, "--ignore-not-found") == ""
    assert found(f"service/{SERVICE}")["spec"]["clusterIP"] == address


def test_a_version_that_is_taken_back_leaves_nothing(world: Driven, old: str, new: str) -> None:
    before = found(f"deployment/{SERVICE}-{old}")
    world.taken_back(world.begun(new))
    assert installed() == {SERVICE, f"{SERVICE}-{old}"}
    left = kubectl(
        "get",
        "deployment,service,serviceaccount,configmap",
        *OF,
        "-l",
        f"app.kubernetes.io/instance={SERVICE}-{new}",
        "-o",
        "name",
    )
    assert left == ""
    after = found(f"deployment/{SERVICE}-{old}")
    assert after["spec"] == before["spec"]


def test_a_stable_that_was_scaled_by_hand_is_followed(world: Driven, chart: Path, old: str, new: str) -> None:
    kubectl("scale", f"deployment/{SERVICE}-{old}", *OF, "--replicas=2")
    world.ports().workloads.wait_ready(old, 180, least=2)
    world.promoted(world.begun(new))
    assert found(f"deployment/{SERVICE}-{new}")["spec"]["replicas"] == 2
    by_hand(chart, new, "replicaCount=1")
    world.ports().workloads.wait_ready(new, 180)
    assert world.ports().helm.effective_values()["replicas"]["stable"] == 1


def test_a_persons_upgrade_leaves_pods_to_their_version_and_the_next_release_goes_through(
    world: Driven, chart: Path, old: str, new: str
) -> None:
    by_hand(chart, old, "podAnnotations.note=by-hand")
    world.ports().workloads.wait_ready(old, 180)
    template = found(f"deployment/{SERVICE}-{old}")["spec"]["template"]["metadata"]
    assert template["annotations"]["note"] == "by-hand"
    assert {"app": SERVICE, "version": old}.items() <= template["labels"].items()
    world.promoted(world.begun(new))


def test_in_mid_release_a_persons_upgrade_is_refused_and_ends_nothing(
    world: Driven, chart: Path, old: str, new: str
) -> None:
    run = world.begun(new)
    for version in (old, new):
        with pytest.raises(RigError, match="a release holds this object"):
            by_hand(chart, version, "podAnnotations.note=in-mid-release")
    assert objects_drift(run) is None
    world.taken_back(run)
    world.promoted(world.begun(new))


def test_an_install_that_was_killed_is_gone_on_from(world: Driven, chart: Path, new: str) -> None:
    env, name = cluster(), f"{SERVICE}-{new}"
    labels = f"glidepath.dev/service={SERVICE},glidepath.dev/version={new}"
    command = [env["HELM"], "--kubeconfig", env["KUBECONFIG"], "install", name, str(chart), *OF, "--labels", labels]
    killed = subprocess.Popen([*command, "--set", "image.tag=none", "--wait"], stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not kubectl("get", "secrets", *OF, "-l", f"name={name},status=pending-install", "-o", "name"):
        assert time.monotonic() < until
    killed.kill()
    killed.wait(10)
    world.promoted(world.begun(new))
    assert installed() == {SERVICE, f"{SERVICE}-{new}"}


def test_a_chart_that_names_its_objects_otherwise_is_refused_beforehand(
    world: Driven, old: str, new: str, tmp_path: Path
) -> None:
    fixed = plain_chart(tmp_path, "fixed")
    deployment = fixed / "templates" / "deployment.yaml"
    deployment.write_text(deployment.read_text().replace('name: {{ include "fixed.fullname" . }}', "name: fixed", 1))
    before = world.policy
    world.policy = before.model_copy(update={"helm": before.helm.model_copy(update={"chart": str(fixed)})})
    try:
        with pytest.raises(PreflightError, match=rf"makes Deployment fixed, expected Deployment {SERVICE}-{new}"):
            world.plan(new)
    finally:
        world.policy = before
    assert installed() == {SERVICE, f"{SERVICE}-{old}"}
