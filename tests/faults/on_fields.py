"""Faults of fields and values: somebody else scales, changes pods, or runs a helm upgrade that is refused."""

from __future__ import annotations

import json
from contextlib import suppress

from rig import stage
from rig.environment import NAMESPACE, RigError, helm, kubectl
from tests.faults.by_hand import persons_helm
from tests.faults.catalogue import Fault
from tests.faults.scene import Scene
from tests.support.world import SERVICE, split

GROUP = "Fields and values"
ADMIN = ("admin",)
SCALED = 3


def _deployment(version: str) -> str:
    return f"deployment/{SERVICE}-{version}"


def _replicas(version: str) -> int:
    asked = kubectl("get", _deployment(version), "-n", NAMESPACE, "-o", "jsonpath={.spec.replicas}", check=False)
    return int(asked or 0)


def stable_scaled(scene: Scene) -> None:
    """A person scales the stable version up, and leaves it so."""
    kubectl("scale", _deployment(scene.stable), "-n", NAMESPACE, f"--replicas={SCALED}")


def stable_scaled_down(scene: Scene) -> None:
    """A person scales the stable version down, and 10 s later back: from then on the field is his."""
    for count in (1, 2):
        kubectl("scale", _deployment(scene.stable), "-n", NAMESPACE, f"--replicas={count}")
        if count == 1:
            scene.hold_until(10)


def hpa_scaled(scene: Scene) -> None:
    """A team's own HorizontalPodAutoscaler scales the stable version up, and is deleted again: the field stays its."""
    name = f"{SERVICE}-{scene.stable}"
    kubectl("autoscale", _deployment(scene.stable), "-n", NAMESPACE, f"--min={SCALED}", f"--max={SCALED}", "--cpu=80%")
    try:
        scene.arena.wait("the autoscaler", lambda: _replicas(scene.stable) == SCALED, 60)
    finally:
        kubectl("delete", "hpa", name, "-n", NAMESPACE)


def set_by_hand(scene: Scene) -> None:
    """A person's kubectl changes the stable version's image, environment and resources: new pods, the same version."""
    other = "v2" if scene.stable == "v1" else "v1"
    target, where = _deployment(scene.stable), ("-n", NAMESPACE)
    kubectl("rollout", "pause", target, *where)
    try:
        kubectl("set", "env", target, *where, f"MODEL_VERSION={scene.stable}", "METRICS_PORT=9090")
        kubectl("set", "resources", target, *where, f"-c={SERVICE}", "--limits=memory=400Mi")
        kubectl("set", "image", target, *where, f"{SERVICE}=localhost/model-service:{other}")
    finally:
        kubectl("rollout", "resume", target, *where)


def helm_refused(scene: Scene) -> None:
    """A person's helm upgrade with other weights and another environment: it is refused, whatever it has changed till then."""
    before = split()
    told = persons_helm(
        scene, "--reuse-values", "--set", "env.REFUSED=yes,istio.trafficSplit.stable=30,istio.trafficSplit.canary=70",
        "--set", f"roles.stable={scene.stable},roles.canary={scene.canary}",
    )  # fmt: skip
    assert told, f"a person's helm upgrade was not refused: {split()}"
    assert split().get(scene.canary, 0) <= before.get(scene.canary, 0) or scene.ended(), f"{before}, now {split()}"
    rows = json.loads(helm("history", stage.RELEASE, "-n", NAMESPACE, "-o", "json"))
    scene.notes.append(f"helm: {rows[-1]['status']}, {'conflict' if 'conflict' in told else told.strip()[-120:]}")
    with suppress(RigError):
        scene.notes.append("pods of stable: " + ("changed" if _has(scene.stable, "REFUSED") else "as they were"))


def _has(version: str, variable: str) -> bool:
    return variable in kubectl("get", _deployment(version), "-n", NAMESPACE, "-o", "jsonpath={..env[*].name}")


SOME = ("deploy", "before weight", "baking", "harm", "promoting", "rolling back")
FAULTS = (
    Fault("stable-scaled", GROUP, f"a person's kubectl scales the stable version to {SCALED}", SOME, stable_scaled,
          people=ADMIN, again=True),
    Fault("stable-scaled-down", GROUP, "a person's kubectl scales the stable version to 1, and after 10 s to 2 again",
          ("deploy", "baking", "promoting"), stable_scaled_down, people=ADMIN, again=True),
    Fault("hpa-scaled", GROUP, f"a HorizontalPodAutoscaler of the team's own scales the stable version to {SCALED}",
          SOME, hpa_scaled, people=ADMIN, again=True),
    Fault("image-set-by-hand", GROUP, "a person's kubectl sets image, environment and resources of the stable version",
          ("deploy", "baking", "harm", "promoting", "rolling back"), set_by_hand, people=ADMIN, again=True,
          callers_may_fail=True, says="the pods of"),
    Fault("helm-refused", GROUP, "a person's helm upgrade with other weights and values, which is refused",
          ("deploy", "baking", "harm", "promoting", "rolling back"), helm_refused, people=ADMIN, again=True),
)  # fmt: skip
