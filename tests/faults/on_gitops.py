"""Faults of controllers that bring the cluster to what git has, in the middle of a release."""

from __future__ import annotations

import json
import subprocess
import time

from rig import stage
from rig.environment import NAMESPACE, cluster, helm
from tests.faults.catalogue import Fault
from tests.faults.on_people import ADMIN
from tests.faults.scene import Scene
from tests.faults.synced import SYNCED_BY
from tests.support.world import split

GROUP = "GitOps"


def original(stable: str) -> str:
    """The chart's manifests as git has them: the values of before the release, rendered without Helm's knowing."""
    values = json.loads(helm("get", "values", stage.RELEASE, "-n", NAMESPACE, "-o", "json"))
    values.pop("release", None)
    values["roles"] = {"stable": stable, "canary": ""}
    values["istio"] = {**(values.get("istio") or {}), "trafficSplit": {"stable": 100, "canary": 0}}
    return _run(
        [cluster()["HELM"], "template", stage.RELEASE, str(stage.CHART), "-n", NAMESPACE, "--no-hooks", "--values", "-"],
        json.dumps(values),
    ).stdout  # fmt: skip


def sync(scene: Scene) -> None:
    """A sync by server-side apply with force: what of it is refused, and what the routes are after it."""
    before, now = split(), cluster()
    done = _run(
        [now["KUBECTL"], "--kubeconfig", now["KUBECONFIG"], "apply", "--server-side", "--force-conflicts",
         f"--field-manager={SYNCED_BY}", "-n", NAMESPACE, "-f", "-"],
        original(scene.stable),
    )  # fmt: skip
    scene.struck = time.time()
    refused = sum("denied" in line or "forbidden" in line for line in done.stderr.splitlines())
    applied = len(done.stdout.splitlines())
    assert applied + refused > 0, f"the sync did nothing: {done.stderr[-600:]}"
    scene.notes.append(f"applied {applied}, refused {refused}; the routes were {before}, are {split()}")


def _run(command: list[str], given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=120, check=False)


FAULTS = (
    Fault(
        "gitops-syncs", GROUP,
        "a controller applies the chart's original manifests by server-side apply, with force",
        ("baking", "harm", "promoting"), sync, people=ADMIN, says=SYNCED_BY,
    ),
)  # fmt: skip
