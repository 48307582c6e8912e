"""Faults of the cluster: its components killed, the mesh's, the canary's own."""

from __future__ import annotations

import signal
import time

from rig.environment import kubectl
from tests.faults.catalogue import Fault
from tests.faults.components import in_pods, signal_all, signal_component
from tests.faults.scene import ALL, Scene
from tests.support.world import SERVICE

GROUP = "Cluster"
SOME = ("claim", "deploy", "baking", "harm", "gate", "promoting", "rolling back", "finish")


def api_answers() -> bool:
    """Whether the API server is ready."""
    return kubectl("get", "--raw", "/readyz", check=False).strip() == "ok"


def _components(*names: str, and_then: str = "", callers_may_fail: bool = False) -> Fault:
    def strike(scene: Scene) -> None:
        for name in names:
            signal_component(name, signal.SIGKILL)
        scene.arena.wait("the API", api_answers, 60)

    return Fault(
        "control-plane-killed" if len(names) > 1 else f"{names[0]}-killed", GROUP,
        f"kill -9 of {' and '.join(names)}; started again after 0.5 s{and_then}", SOME, strike,
        callers_may_fail=callers_may_fail,
    )  # fmt: skip


def _prometheus(_: Scene) -> None:
    signal_component("prometheus", signal.SIGKILL)


def _in_pod(name: str, what: str, process: str, pod: str, callers_may_fail: bool = False) -> Fault:
    def strike(scene: Scene) -> None:
        found = in_pods(lambda line, host: process in line and host.startswith(pod))
        assert signal_all(found, signal.SIGKILL), f"no process {process!r} in a pod {pod}*"
        scene.arena.wait(f"another {name}", lambda: _others(process, pod, found), 90)

    return Fault(f"{name}-killed", GROUP, what, SOME, strike, callers_may_fail=callers_may_fail)


def _others(process: str, pod: str, before: list[int]) -> bool:
    return bool(set(in_pods(lambda line, host: process in line and host.startswith(pod))) - set(before))


def canary_crashes(scene: Scene) -> None:
    """kill -9 of the canary's process, again whenever it is back, until the release ends or for 45 s."""
    killed, until = 0, time.monotonic() + 45
    while time.monotonic() < until and not scene.ended():
        pods = in_pods(lambda line, host: "smsclassifier" in line and host.startswith(f"{SERVICE}-{scene.canary}-"))
        killed += signal_all(pods, signal.SIGKILL)
        scene.hold_until(0.5)
    assert killed, "the canary had no process to kill"
    scene.notes.append(f"killed {killed} times")


FAULTS = (
    _components("etcd", "kube-apiserver"),
    _components("kube-apiserver"),
    _components("etcd"),
    _components(
        "kubelet", and_then=", it calls pods that began a moment ago not ready for some seconds", callers_may_fail=True
    ),
    Fault("prometheus-killed", GROUP, "kill -9 of Prometheus; started again after 0.5 s",
          ("plan", "baking", "harm", "gate", "promoting", "rolling back"), _prometheus),
    _in_pod("istiod", "kill -9 of istiod", "pilot-discovery", "istiod-"),
    _in_pod("gateway", "kill -9 of the gateway's proxy", "envoy", "istio-ingressgateway-", callers_may_fail=True),
    _in_pod("watchdog", "kill -9 of the watchdog", "glidepath.watchdog", "glidepath-watchdog-"),
    Fault(
        "canary-crashes", GROUP, "kill -9 of the canary's process, again and again",
        ("deploy", "baking", "gate", "promoting"), canary_crashes, callers_may_fail=True,
    ),
)  # fmt: skip
assert set(SOME) <= set(ALL)
