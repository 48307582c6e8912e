"""A whole release's surroundings in memory: API server, Helm, Prometheus, clock; the record is a real SQLite file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from glidepath.claim import LeaseClaims
from glidepath.deploy import KubernetesWorkloads
from glidepath.errors import PolicyError
from glidepath.evidence import SampledEvidence
from glidepath.evidence.prometheus import NotAnsweredError
from glidepath.evidence.series import Histogram, Series
from glidepath.handover import Handover, Sync
from glidepath.policy import ReleaseSpec, for_run
from glidepath.policy.load import parse_policy
from glidepath.ports import Ports
from glidepath.record import Record
from glidepath.release.run import Run
from glidepath.release.tasks.plan import plan
from glidepath.watchdog.facts import Health
from glidepath.watchdog.loop import Watchdog
from glidepath.wiring.cluster import mesh
from tests.support.apiserver import MESH, NAMESPACE, SERVICE, SERVICES, ApiServer
from tests.support.helm import HelmInMemory
from tests.support.inprocess import InProcess

POLICY = f"""\
service: {SERVICE}
namespace: {NAMESPACE}
helm: {{release: shop}}
steps:
- {{weight: 20, bake: 10s, min_requests: 100}}
- {{weight: 50, bake: 10s, min_requests: 100}}
evidence: {{source: app, scrape: 5s, baseline: 10m}}
on_no_data: {{after: 30s, action: rollback}}
lease: 60s
max_duration: 20m
deploy_timeout: 1s
"""
EDGES = tuple(float(f"{0.005 * 1.10**step:.6g}") for step in range(60))


@dataclass
class PrometheusInMemory:
    """Counters of each version, as raw samples at the scrapes that were made."""

    clock: Callable[[], float]
    down: Exception | None = None
    samples: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = field(default_factory=dict)
    totals: dict[str, np.ndarray] = field(default_factory=dict)
    errors: dict[str, int] = field(default_factory=dict)
    spam: dict[str, int] = field(default_factory=dict)

    def scrape(
        self, version: str, requests: int, errors: int = 0, slower: float = 1.0, spam_share: float = 0.4, pod: str = "a"
    ) -> None:
        """Serve so many requests more by one pod, 5 % of them beyond the quantile, and scrape."""
        random = np.random.default_rng(round(self.clock()) + requests)
        latency = 0.05 * slower * np.exp(0.25 * random.standard_normal(requests - errors))
        counts = np.bincount(np.searchsorted(EDGES, latency), minlength=len(EDGES) + 1)
        name = f"{version}-{pod}"
        self.totals[name] = self.totals.get(name, np.zeros(len(EDGES) + 1, dtype=int)) + counts
        self.errors[name] = self.errors.get(name, 0) + errors
        good = int(self.totals[name].sum())
        self.spam[name] = self.spam.get(name, 0) + round(spam_share * (requests - errors))
        labels = {"version": version, "pod": f"{SERVICE}-{name}"}
        self._add(self.spam[name], "requests", status="success", result="spam", **labels)
        self._add(good - self.spam[name], "requests", status="success", result="ham", **labels)
        self._add(self.errors[name], "requests", status="error", result="none", **labels)
        for edge, below in zip((*EDGES, "+Inf"), np.cumsum(self.totals[name]), strict=True):
            self._add(int(below), "latency", status="success", le=str(edge), **labels)

    def _add(self, value: float, name: str, **labels: str) -> None:
        key = {"name": name, **labels}
        self.samples.setdefault(tuple(sorted(key.items())), []).append((self.clock(), value))

    def now(self) -> float:
        return self.clock()

    def vector(self, expression: str, at: float) -> list[Series]:
        """Sums of counters are Prometheus' to work out; what reads them goes by samples then."""
        raise NotAnsweredError(f"no PromQL here: {expression} at {at}")

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        return []

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        if self.down is not None:
            raise self.down
        assert step_s is None or step_s > 0
        wanted = "requests" if selector.startswith("app_predictions_total") else "latency"
        found = []
        for key, samples in self.samples.items():
            labels = dict(key)
            inside = tuple(one for one in samples if at - window_s < one[0] <= at)
            if labels.pop("name") == wanted and inside:
                found.append(Series(labels, inside))
        return found


BEGAN = 1_800_000_000.0
# What a release writes.
HELD = ("virtualservices", "destinationrules", "deployments", "statefulsets")


class Stage:
    """A service with v1 stable under traffic, and a clock that is set by hand: it begins at `began`, epoch seconds."""

    def __init__(
        self, server: ApiServer, folder: Path, helm: type[HelmInMemory] = HelmInMemory, began: float = BEGAN
    ) -> None:
        self.server, self.clock = server, began
        self.said: list[str] = []
        self.handover: Handover | None = None
        self.synced: tuple[str, str, str] | None = None
        self.record = Record(f"sqlite:///{folder}/record.db")
        self.helm = helm(server)
        self.prometheus = PrometheusInMemory(lambda: self.clock)
        self.helm.upgrade(
            {"roles": {"stable": "v1", "canary": ""}, "istio": {"trafficSplit": {"stable": 100, "canary": 0}}}
        )
        selector = {"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"app": SERVICE}}}
        server.put(SERVICES, {**selector, "metadata": {"name": SERVICE}})
        for _ in range(24):
            self.clock += 5
            self.prometheus.scrape("v1", 500, 2)

    def ports(self) -> Ports:
        """Ports of a process of its own."""
        api = InProcess(self.server)
        traffic, fence = mesh(api, NAMESPACE, SERVICE)
        return Ports(
            record=self.record,
            claims=LeaseClaims(api, NAMESPACE, SERVICE, lambda: self.clock),
            traffic=traffic,
            fence=fence,
            helm=self.helm.in_process(lambda port: port),
            workloads=KubernetesWorkloads(api, NAMESPACE, SERVICE),
            evidence=SampledEvidence(self.prometheus),
            handover=self.handover,
            sync=Sync(api, *self.synced) if self.synced else None,
        )

    def spec(self, policy: str = "", **params: Any) -> ReleaseSpec:
        """The spec of a run; `policy` is added to the policy's text."""
        parsed = parse_policy(POLICY + policy, "p.yaml", Path("/checkout"))
        return for_run(parsed, {"version": "v2", **params})

    def refuses(self, policy: str, message: str) -> None:
        """Assert that no release is planned by such a policy, and that this (a pattern) is said of it."""
        with pytest.raises(PolicyError, match=message):
            self.spec(policy)

    def run(self, identity: str = "dag/run", policy: str = "", **params: Any) -> Run:
        """A release, planned."""
        spec = self.spec(policy, **params)
        plan(identity, spec, self.ports(), self.said.append, lambda: self.clock)
        return Run(identity, spec, self.ports(), self.said.append, lambda: self.clock)

    def traffic(
        self, canary: str = "v2", errors: int = 0, slower: float = 1.0, stable_errors: int = 1, spam_share: float = 0.4
    ) -> None:
        """Five seconds of 100 requests a second, split as the routes say, and a scrape of each version."""
        self.clock += 5
        weight = self.weights().get(canary, 0)
        fresh = self.weights().get("v1-baseline")
        rest = 5 * (100 - weight - (fresh or 0)) if "v1" in self.weights() else 0
        self.prometheus.scrape("v1", rest, min(stable_errors, rest))
        if "v1-baseline" in self.versions():
            self.prometheus.scrape("v1-baseline", 5 * (fresh or 0), min(stable_errors, 5 * (fresh or 0)))
        if weight or f"{canary}-a" in self.prometheus.totals:
            self.prometheus.scrape(canary, 5 * weight, min(errors, 5 * weight), slower, spam_share)

    def weights(self) -> dict[str, int]:
        """What the VirtualService says in its last entry with weights."""
        http = self.server.find("virtualservices", SERVICE)["spec"]["http"]
        *_, route = (one["route"] for one in http if any("weight" in to for to in one.get("route", ())))
        return {one["destination"]["subset"]: one["weight"] for one in route}

    def edit_routes(self, spec: Mapping[str, Any], manager: str = "kubectl-edit") -> None:
        """A person's edit of the VirtualService: it keeps the annotations."""
        path = f"{MESH}/virtualservices/{SERVICE}?fieldManager={manager}"
        status, answer = self.server.handle("PATCH", path, "application/merge-patch+json", {"spec": dict(spec)})
        assert status == 200, answer

    def versions(self) -> set[str]:
        """The versions whose pods something runs."""
        found = [one for plural in ("deployments", "statefulsets") for one in self.server.all(plural)]
        return {one["metadata"]["labels"]["version"] for one in found}

    def states(self) -> set[str]:
        """The states of every object a release holds."""
        return self._marks("state")

    def _marks(self, mark: str) -> set[str]:
        found = [one for plural in HELD for one in self.server.all(plural)]
        return {(one["metadata"].get("annotations") or {}).get(f"glidepath.dev/{mark}", "") for one in found}

    def written(self) -> dict[str, Any]:
        """What a release writes, as it is now: specs and annotations, Helm's revision."""
        objects = {
            f"{plural}/{one['metadata']['name']}": (one["spec"], one["metadata"].get("annotations"))
            for plural in HELD
            for one in self.server.all(plural)
        }
        return {**objects, "helm": self.helm.revision, "holder": self.holder()}

    def holder(self) -> str:
        """Who holds the service."""
        leases = self.server.all("leases")
        return str((leases[0]["spec"].get("holderIdentity") or "") if leases else "")

    def lease(self, mark: str) -> str:
        """An annotation of the Lease."""
        return str(self.server.all("leases")[0]["metadata"]["annotations"][f"glidepath.dev/{mark}"])

    def at_rest(self, stable: str) -> bool:
        """One version with everything, nothing held, and a helm of anybody's meets no other token than it renders."""
        rendered = (self.helm.values.get("release") or {}).get("token", "")
        return (
            self.weights() == {stable: 100}
            and self.versions() == {stable}
            and self.helm.values["roles"] == {"stable": stable, "canary": ""}
            and "held" not in self.states()
            and self._marks("token") <= {"", rendered}
            and self.holder() == ""
        )


def abandon(stage: Stage) -> None:
    """Nobody renews, and the watchdog takes the service over."""
    steady = [0.0]
    watchdog = Watchdog(stage.server.api(), NAMESPACE, Health(), lambda: stage.clock, lambda: steady[0])
    for _ in range(5):
        stage.clock += 20
        steady[0] += 20
        watchdog.look()
    assert stage.holder() == ""
    for _ in range(13):
        stage.traffic()
