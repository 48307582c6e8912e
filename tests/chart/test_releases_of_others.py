"""Whole releases on the real API server and through the real Helm, in which somebody else owns a field.

Without Airflow and Prometheus: the release's own actions, one after the other; evidence is made up. What is asked is what
they leave in the cluster, and that the next release goes through.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import config

from glidepath.claim import LeaseClaims
from glidepath.deploy import Helm, KubernetesWorkloads
from glidepath.errors import PreflightError, ReleaseTakenBack
from glidepath.evidence import SampledEvidence
from glidepath.policy import for_run
from glidepath.policy.load import parse_policy
from glidepath.ports import Ports
from glidepath.record import Record
from glidepath.release.drift import objects_drift
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.plan import plan
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.settle import settle
from glidepath.release.tasks.shift import shift
from glidepath.wiring.cluster import mesh
from rig.environment import RigError, cluster, glidepath_kubeconfig, helm, kubectl
from tests.support.chart import CHART, installed
from tests.support.meshed import Meshed
from tests.support.stage import PrometheusInMemory

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(600)]
NAMESPACE, SERVICE = "others-test", "shared"
GIVEN = (
    f"service.name={SERVICE},image.repository=localhost/model-service,roles.canary=,replicas.stable=1,"
    "glidepath.watchdog.enabled=false,istio.hosts={others.example.com}"
)
POLICY = f"""\
service: {SERVICE}
namespace: {NAMESPACE}
helm: {{release: app}}
steps:
- {{weight: 50, bake: 10s, min_requests: 100}}
evidence: {{source: app, scrape: 5s, baseline: 10m}}
deploy_timeout: 180s
lease: 120s
"""


class World:
    """A service without requests, and releases of it."""

    def __init__(self, folder: Path) -> None:
        self.api = config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE)))
        self.record = Record(f"sqlite:///{folder}/record.db")
        self.said: list[str] = []
        self.time, self.number = 1_800_000_000.0, 0
        self.prometheus = PrometheusInMemory(lambda: self.time)

    def plan(self, version: str) -> Run:
        """A release, planned against a made-up past."""
        stable = self.stable()
        for _ in range(24):
            self.time += 5
            self.prometheus.scrape(stable, 500, 2)
        self.number += 1
        identity, ports = f"dag/{self.number}", self.ports()
        spec = for_run(parse_policy(POLICY, "p.yaml", Path("/checkout")), {"version": version})
        self.said.clear()
        assert plan(identity, spec, ports, self.said.append)
        return Run(identity, spec, ports, self.said.append)

    def ports(self) -> Ports:
        traffic, fence = mesh(self.api, NAMESPACE, SERVICE)
        return Ports(
            record=self.record,
            claims=LeaseClaims(self.api, NAMESPACE, SERVICE),
            traffic=traffic,
            fence=fence,
            helm=Helm(Path(CHART), "app", NAMESPACE, self.api, cluster()["HELM"]),
            workloads=KubernetesWorkloads(self.api, NAMESPACE, SERVICE),
            evidence=SampledEvidence(self.prometheus),
        )

    def stable(self) -> str:
        """What Helm says."""
        return str(self.ports().helm.effective_values()["roles"]["stable"])

    def begun(self, version: str) -> Run:
        """A release whose canary has half of the traffic."""
        run = self.plan(version)
        claim(run)
        deploy(run)
        shift(run, 1)
        return run

    def promoted(self, run: Run) -> None:
        """The rest of the way up."""
        promote(run)
        finish(run)
        self.at_rest(run.canary)

    def taken_back(self, run: Run) -> None:
        """The way back."""
        settle(run)
        with pytest.raises(ReleaseTakenBack):
            finish(run)
        self.at_rest(run.stable)

    def at_rest(self, stable: str) -> None:
        """One version with everything, nothing held, Helm deployed."""
        traffic, found = Meshed(self.api, NAMESPACE, SERVICE), self.ports().helm.status()
        assert traffic.all_on(stable)
        assert traffic.state().versions == {stable}
        assert traffic.state().held == set()
        assert found is not None
        assert (found.status, found.values["roles"]) == ("deployed", {"stable": stable, "canary": ""})
        self.ports().workloads.wait_ready(stable, 240)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with installed(NAMESPACE, GIVEN), pytest.MonkeyPatch.context() as patch:
        patch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
        made = World(tmp_path_factory.mktemp("record"))
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


def test_a_stable_scaled_by_a_person_and_then_by_an_autoscaler(world: World) -> None:
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


def test_a_stables_pods_changed_by_hand_take_the_release_back_and_the_next_goes_through(world: World) -> None:
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


def test_a_persons_refused_upgrade_ends_the_release_and_the_next_goes_through(world: World) -> None:
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


def test_what_helm_would_change_of_the_stables_pods_is_refused_beforehand(world: World) -> None:
    version = world.stable()
    where = (f"deployment/{SERVICE}-{version}", "-n", NAMESPACE)
    kubectl("set", "env", *where, "METRICS_PORT-")
    world.ports().workloads.wait_ready(version, 180)
    with pytest.raises(PreflightError, match=r"env\[name=METRICS_PORT\]: null runs"):
        world.plan(other(version))
    kubectl("set", "env", *where, "METRICS_PORT=9090")
    world.ports().workloads.wait_ready(version, 180)
    world.promoted(world.begun(other(version)))
