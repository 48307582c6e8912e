"""A service whose fields others write as well, on the real API server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubernetes import config

from glidepath.claim import Claim
from glidepath.deploy import Helm, KubernetesWorkloads, Preview
from glidepath.deploy import values as chart
from glidepath.deploy.charts import LocalChart
from glidepath.traffic import Routes, Split
from rig.environment import cluster, glidepath_kubeconfig, helm, kubectl
from tests.support.chart import CHART
from tests.support.meshed import Meshed

NAMESPACE, SERVICE = "fields-test", "fielded"
STABLE, ROUTES, RULE = f"deployment/{SERVICE}-v1", f"virtualservice/{SERVICE}", f"destinationrule/{SERVICE}"
# Of an image that is not there: what is tested is who writes what, not pods.
GIVEN = (
    f"service.name={SERVICE},image.repository=localhost/none,roles.canary=,glidepath.watchdog.enabled=false,"
    "istio.hosts={fields.example.com},env.MAX_BYTES=15,env.LIMIT=30"
)
NUMBERS = "env.MAX_BYTES=1500000,env.LIMIT=3000000000,env.ID=12345678901234567,env.ON=true"


class InstalledChart:
    """The chart, installed by hand; the ports are the release's, as Glidepath's own account."""

    def __init__(self) -> None:
        api = config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE)))
        self.api, self.traffic = api, Meshed(api, NAMESPACE, SERVICE)
        self.workloads = KubernetesWorkloads(api, NAMESPACE, SERVICE)
        self.claim = Claim(NAMESPACE, SERVICE, "run/of-the-test", self.traffic.state().newest + 1, "v1", "v2", 60)
        self.traffic.take(self.claim)

    @property
    def helm(self) -> Helm:
        """A port of a process of its own."""
        return Helm(LocalChart(Path(CHART)), "app", NAMESPACE, self.api, cluster()["HELM"])

    def given(self) -> Mapping[str, Any]:
        """What Helm's release was given."""
        found = self.helm.status()
        assert found is not None
        return found.values

    def deploy(self, weight: int = 0, **more: Any) -> list[str]:
        """The canary beside the stable version, as a release deploys it; what was left to its owners."""
        values = chart.with_canary({**self.given(), **more}, "v1", "v2", weight, self.claim.token)
        if self.traffic.read().split.canary is None:
            self.traffic.write(self.claim, Routes(Split("v1", "v2", 0)))
        done = self.helm.upgrade(values, write=self.traffic.state().write + 1)
        for version in ("v1", "v2"):
            self.traffic.hold(self.claim, version)
        return [str(one) for one in done.laid]

    def leave_stable(self) -> None:
        """The end of a release that was taken back."""
        self.traffic.write(self.claim, Routes(Split("v1", None, 0)))
        self.traffic.let_go(self.claim, "v2")
        alone = chart.with_canary(self.given(), "v1", None, 0, self.claim.token)
        self.helm.upgrade(chart.without_replicas(alone, "v2"), write=self.traffic.state().write + 1)
        self.workloads.remove_forgotten("v2", "app")
        self.workloads.wait_gone("v2", 20)
        self.traffic.open(self.claim)


def live(what: str) -> dict[str, Any]:
    """An object as the API has it."""
    return dict(json.loads(kubectl("get", what, "-n", NAMESPACE, "-o", "json", "--show-managed-fields")))


def opened(*versions: str) -> None:
    """A person opens Deployments: nothing fences them then."""
    for version in versions:
        what = f"deployment/{SERVICE}-{version}"
        kubectl("annotate", "--overwrite", what, "-n", NAMESPACE, "glidepath.dev/state=open")


def template() -> dict[str, Any]:
    """The stable version's pods, as its Deployment has them."""
    return dict(live(STABLE)["spec"]["template"])


def env(of: str = STABLE) -> dict[str, str]:
    """A version's environment."""
    return {one["name"]: one["value"] for one in live(of)["spec"]["template"]["spec"]["containers"][0]["env"]}


def stable_in(seen: Preview) -> dict[str, Any]:
    """The stable version's Deployment as Helm renders it."""
    return next(
        one for one in seen.objects if (one["kind"], one["metadata"]["name"]) == ("Deployment", f"{SERVICE}-v1")
    )


def scale(count: int, manager: str = "") -> None:
    """Scale the stable version: as a person, or as a controller through the scale subresource."""
    if manager:
        patch = json.dumps({"spec": {"replicas": count}})
        kubectl(
            "patch",
            STABLE,
            "-n",
            NAMESPACE,
            "--subresource=scale",
            "--type=merge",
            "-p",
            patch,
            f"--field-manager={manager}",
        )
    else:
        kubectl("scale", STABLE, "-n", NAMESPACE, f"--replicas={count}")


def plain(*settings: str) -> str:
    """A person's helm upgrade with everything that he gave before."""
    return helm("upgrade", "app", CHART, "-n", NAMESPACE, "--reuse-values", "--set", ",".join(settings))
