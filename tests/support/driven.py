"""Releases on the real API server and through the real Helm, without Airflow and Prometheus: evidence is made up."""

from __future__ import annotations

from pathlib import Path

import pytest
from kubernetes import config

from glidepath.claim import LeaseClaims
from glidepath.deploy import KubernetesWorkloads
from glidepath.errors import ReleaseTakenBack
from glidepath.evidence import SampledEvidence
from glidepath.policy import Policy, ReleaseSpec, for_run
from glidepath.policy.load import parse_policy
from glidepath.ports import Ports
from glidepath.record import Record
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.plan import plan
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.settle import settle
from glidepath.release.tasks.shift import shift
from glidepath.wiring.cluster import mesh
from glidepath.wiring.deploy import deploys
from rig.environment import cluster, glidepath_kubeconfig
from tests.support.meshed import Meshed
from tests.support.stage import PrometheusInMemory


class Driven:
    """A service without requests, and releases of it by a policy, given as text."""

    def __init__(self, folder: Path, policy: str) -> None:
        self.policy = parse_policy(policy, "p.yaml", Path("/checkout"))
        self.namespace, self.service = self.policy.namespace, self.policy.service
        self.api = config.new_client_from_config(str(glidepath_kubeconfig(self.namespace)))
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
        identity, spec = f"dag/{self.number}", for_run(self.policy, {"version": version})
        self.said.clear()
        assert plan(identity, spec, self.ports(spec), self.said.append)
        frozen = ReleaseSpec.from_dict(self.record.get(identity).spec)
        return Run(identity, frozen, self.ports(frozen), self.said.append)

    def ports(self, policy: Policy | None = None) -> Ports:
        """Those of the policy, or of the spec of a release."""
        traffic, fence = mesh(self.api, self.namespace, self.service)
        return Ports(
            record=self.record,
            claims=LeaseClaims(self.api, self.namespace, self.service),
            traffic=traffic,
            fence=fence,
            helm=deploys(policy or self.policy, self.api, cluster()["HELM"]),
            workloads=KubernetesWorkloads(self.api, self.namespace, self.service),
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
        traffic, found = Meshed(self.api, self.namespace, self.service), self.ports().helm.status()
        assert traffic.all_on(stable)
        assert traffic.state().versions == {stable}
        assert traffic.state().held == set()
        assert found is not None
        assert (found.status, found.values["roles"]) == ("deployed", {"stable": stable, "canary": ""})
        self.ports().workloads.wait_ready(stable, 240)
