"""Whole releases on the real API server and through the real Helm, in which somebody else owns a field.

Without Airflow and Prometheus: the release's own actions, one after the other; evidence is made up. What is asked is what
they leave in the cluster, and that the next release goes through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from glidepath.errors import PreflightError
from glidepath.release.drift import objects_drift
from rig.environment import RigError, helm, kubectl
from tests.support.chart import CHART, installed
from tests.support.driven import Driven

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(600)]
NAMESPACE, SERVICE = "others-test", "shared"
GIVEN = (
    f"service.name={SERVICE},image.repository=localhost/model-service,roles.canary=,replicas.stable=1,"
    "glidepath.watchdog.enabled=false,istio.hosts={others.example.com}"
)
POLICY = f"""\
service: {SERVICE}
namespace: {NAMESPACE}
helm: {{release: app, chart: {CHART}}}
steps:
- {{weight: 50, bake: 10s, min_requests: 100}}
evidence: {{source: app, scrape: 5s, baseline: 10m}}
deploy_timeout: 180s
lease: 120s
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driven]:
    with installed(NAMESPACE, GIVEN), pytest.MonkeyPatch.context() as patch:
        patch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
        made = Driven(tmp_path_factory.mktemp("record"), POLICY)
        made.ports().workloads.wait_ready("v1", 180)
        yield made


def other(version: str) -> str:
    """The good version that is not this one."""
    return "v2" if version == "v1" else "v1"


def replicas(version: str) -> int:
    """What a version's Deployment asks for."""
    return int(kubectl("get", f"deployment/{SERVICE}-{version}", "-n", NAMESPACE, "-o", "jsonpath={.spec.replicas}"))


def container(version: str) -> dict[str, Any]:
    """A version's container."""
    found = json.loads(kubectl("get", f"deployment/{SERVICE}-{version}", "-n", NAMESPACE, "-o", "json"))
    return dict(found["spec"]["template"]["spec"]["containers"][0])


def test_a_stable_scaled_by_a_person_and_then_by_an_autoscaler(world: Driven) -> None:
    old, new = world.stable(), other(world.stable())
    run = world.begun(new)
    kubectl("scale", f"deployment/{SERVICE}-{old}", "-n", NAMESPACE, "--replicas=2")
    world.ports().workloads.wait_ready(old, 180, least=2)
    assert objects_drift(run) is None
    world.promoted(run)
    assert replicas(new) == 2
    kubectl("autoscale", f"deployment/{SERVICE}-{new}", "-n", NAMESPACE, "--min=3", "--max=3", "--cpu=80%")
    world.ports().workloads.wait_ready(new, 240, least=3)
    run = world.begun(old)
    assert any("is scaled by kube-controller-manager (scale)" in line for line in world.said)
    world.taken_back(run)
    assert replicas(new) == 3
    kubectl("delete", "hpa", f"{SERVICE}-{new}", "-n", NAMESPACE)
    kubectl("scale", f"deployment/{SERVICE}-{new}", "-n", NAMESPACE, "--replicas=1")
    world.promoted(world.begun(old))


def test_a_stables_pods_changed_by_hand_take_the_release_back_and_the_next_goes_through(world: Driven) -> None:
    old, new = world.stable(), other(world.stable())
    run = world.begun(new)
    where = (f"deployment/{SERVICE}-{old}", "-n", NAMESPACE)
    kubectl("rollout", "pause", *where)
    kubectl("set", "resources", *where, "--limits=memory=400Mi")
    kubectl("set", "env", *where, f"MODEL_VERSION={old}")
    kubectl("set", "image", *where, f"{SERVICE}=localhost/model-service:{new}")
    kubectl("rollout", "resume", *where)
    assert "were changed; by kubectl-set" in str(objects_drift(run))
    world.taken_back(run)
    assert container(old)["image"] == f"localhost/model-service:{new}"
    assert container(old)["resources"]["limits"]["memory"] == "400Mi"
    run = world.begun(new)
    assert any(".image is" in line and "set by kubectl-set" in line for line in world.said if line.startswith("plan:"))
    world.promoted(run)


def test_a_persons_refused_upgrade_ends_the_release_and_the_next_goes_through(world: Driven) -> None:
    old, new = world.stable(), other(world.stable())
    run = world.begun(new)
    token = str(run.claim.token)
    with pytest.raises(RigError, match=r"conflict|glidepath"):
        helm(
            "upgrade", "app", CHART, "-n", NAMESPACE, "--reuse-values", "--set-string", f"release.token={token}",
            "--set", "env.REFUSED=yes,istio.trafficSplit.stable=0,istio.trafficSplit.canary=100",
        )  # fmt: skip
    assert objects_drift(run) is not None
    world.taken_back(run)
    assert "REFUSED" not in {one["name"] for one in container(old)["env"]}
    world.promoted(world.begun(new))


def test_what_helm_would_change_of_the_stables_pods_is_refused_beforehand(world: Driven) -> None:
    version = world.stable()
    where = (f"deployment/{SERVICE}-{version}", "-n", NAMESPACE)
    kubectl("set", "env", *where, "METRICS_PORT-")
    world.ports().workloads.wait_ready(version, 180)
    with pytest.raises(PreflightError, match=r"env\[name=METRICS_PORT\]: null runs"):
        world.plan(other(version))
    kubectl("set", "env", *where, "METRICS_PORT=9090")
    world.ports().workloads.wait_ready(version, 180)
    world.promoted(world.begun(other(version)))
