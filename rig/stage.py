"""Sets the stage: the stable version of the service under traffic, nothing else."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable

import requests

from rig import witness
from rig.environment import NAMESPACE, REPO, RigError, cluster, glidepath_kubeconfig, helm, kubectl

RELEASE = "sms-app"
CHART = REPO / "include" / "helm-chart"
Say = Callable[[str], None]


def roles() -> dict[str, str] | None:
    """The roles that Helm has, or None when the chart is not installed."""
    listed = json.loads(helm("list", "-n", NAMESPACE, "-o", "json") or "[]")
    if not any(one["name"] == RELEASE and one["status"] == "deployed" for one in listed):
        return None
    return dict(json.loads(helm("get", "values", RELEASE, "--all", "-n", NAMESPACE, "-o", "json"))["roles"])


def untouched() -> bool:
    """Whether no release holds anything: a person's helm works."""
    leases = json.loads(kubectl("get", "leases", "-n", NAMESPACE, "-l", "glidepath.dev/claim=true", "-o", "json"))
    held = kubectl("get", "deployments", "-n", NAMESPACE, "-o", "jsonpath={.items[*].metadata.annotations}")
    return not any(one["spec"].get("holderIdentity") for one in leases["items"]) and '"held"' not in held


def pristine(stable: str) -> bool:
    """Whether the chart is there with just this stable version, and no release is under way."""
    return roles() == {"stable": stable, "canary": ""} and untouched()


def set_stage(stable: str, rate: float, say: Say) -> None:
    """Bring the service to one stable version under traffic, with nothing else. What is there already is left as it is.

    Args:
        stable: The version.
        rate: Requests a second.
        say: Where progress goes.

    Raises:
        RigError: Something was not ready in time.
    """
    now = roles()
    if now is not None and untouched():
        if now != {"stable": stable, "canary": ""}:
            say(f"{stable} becomes the stable version again, by hand")
            _upgrade(now["stable"], stable if now["stable"] != stable else "")
            _ready(f"model-service-{stable}")
    else:
        if os.environ.get("GLIDEPATH_CLUSTER") == "own" and kubectl(
            "get", "namespace", NAMESPACE, "--ignore-not-found"
        ):
            raise RigError(
                f"namespace {NAMESPACE} is there and not as the demo needs it; on your own cluster it is not deleted for "
                f"you. If nobody needs it: kubectl delete namespace {NAMESPACE}"
            )
        say(f"namespace {NAMESPACE} is made anew, with {stable} as the stable version")
        remove()
        kubectl("create", "namespace", NAMESPACE)
        kubectl("label", "namespace", NAMESPACE, "istio-injection=enabled")
    _upgrade(stable, "")
    kubectl("apply", "-f", str(REPO / "examples" / "traffic" / "traffic.yaml"))
    for name in (f"model-service-{stable}", "glidepath-watchdog", "traffic-generator"):
        say(f"waiting for {name}")
        _ready(name)
    # A service account that was made anew has other tokens.
    glidepath_kubeconfig()
    witness.rate(rate)
    say(f"traffic: {rate:.0f} requests a second through the gateway and inside the mesh")


def remove() -> None:
    """Delete the service's namespace with all that is in it, and wait until it is gone."""
    kubectl("delete", "namespace", NAMESPACE, "--ignore-not-found", "--wait", timeout_s=180)


def _upgrade(stable: str, canary: str) -> None:
    given = f"roles.stable={stable},roles.canary={canary}"
    helm("upgrade", "--install", RELEASE, str(CHART), "-n", NAMESPACE, "--reset-values", "--set", given)


def _ready(deployment: str) -> None:
    kubectl("rollout", "status", f"deployment/{deployment}", "-n", NAMESPACE, "--timeout=180s", timeout_s=190)


def wait_answers(stable: str, count: int, since: float, timeout_s: float = 120) -> None:
    """Wait until the stable version has answered `count` requests that were sent after `since`, and Prometheus saw it.

    Raises:
        RigError: It has not within `timeout_s`.
    """
    url = cluster()["PROMETHEUS_URL"]
    query = f'sum(app_predictions_total{{namespace="{NAMESPACE}",version="{stable}"}})'
    started = time.monotonic()
    while True:
        seen = witness.counts(since).get(stable)
        answer = requests.get(f"{url}/api/v1/query", params={"query": query}, timeout=5).json()["data"]["result"]
        scraped = float(answer[0]["value"][1]) if answer else 0.0
        if seen is not None and seen.requests >= count and scraped >= count:
            return
        if time.monotonic() - started > timeout_s:
            raise RigError(
                f"{stable} answered {seen.requests if seen else 0} requests in {timeout_s:.0f} s, Prometheus saw "
                f"{scraped:.0f}; expected {count}. Look at: kubectl -n {NAMESPACE} logs deploy/traffic-generator"
            )
        time.sleep(1)
