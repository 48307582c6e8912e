"""What runs in the cluster: CoreDNS, Istio from its own charts, the images."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path

from sandbox.common import REPO, SandboxError, run, say, state, wait

MANIFESTS = REPO / "sandbox" / "manifests"


class Kubectl:
    """kubectl with the sandbox's admin credential."""

    def __init__(self, details: dict[str, str]) -> None:
        self._command = [details["KUBECTL"], "--kubeconfig", details["KUBECONFIG"]]

    def __call__(self, *arguments: str, timeout_s: float = 60, given: str | None = None) -> str:
        """Run it and give its output."""
        return run([*self._command, *arguments], timeout_s, given=given, what=f"kubectl {' '.join(arguments[:3])}")

    def answers(self) -> bool:
        """Whether the API server is ready."""
        try:
            return self("get", "--raw", "/readyz", "--request-timeout=3s").strip() == "ok"
        except SandboxError:
            return False

    def node_ready(self, name: str) -> bool:
        """Whether the node is ready."""
        path = '{.status.conditions[?(@.type=="Ready")].status}'
        try:
            return self("get", "node", name, "-o", f"jsonpath={path}", "--request-timeout=3s") == "True"
        except SandboxError:
            return False

    def gateway_port(self) -> str:
        """The node port of the ingress gateway's HTTP port."""
        path = "{.spec.ports[?(@.port==80)].nodePort}"
        return self("get", "service", "-n", "istio-system", "istio-ingressgateway", "-o", f"jsonpath={path}")


def base(kubectl: Kubectl, details: dict[str, str]) -> None:
    """RBAC, CoreDNS, and a Service of the Prometheus that runs on the node."""
    manifest = (MANIFESTS / "base.yaml").read_text().replace("NODE_ADDRESS", details["NODE_ADDRESS"])
    # The API server answers a moment before its own first namespaces are there.
    deadline = time.monotonic() + 30
    while True:
        try:
            kubectl("apply", "-f", "-", given=manifest)
            return
        except SandboxError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def istio(details: dict[str, str], charts: Path) -> None:
    """Istio's base, istiod and ingress gateway, from its own charts."""
    helm = [details["HELM"], "--kubeconfig", details["KUBECONFIG"]]
    kubectl = Kubectl(details)
    for name, chart, values in (
        ("istio-base", "base", None),
        ("istiod", "istio-discovery", "istiod.json"),
        ("istio-ingressgateway", "gateway", "gateway.json"),
    ):
        command = [*helm, "upgrade", "--install", name, str(charts / "charts" / chart), "-n", "istio-system"]
        command += ["--create-namespace", "--timeout", "120s"]
        run([*command, *(["-f", str(MANIFESTS / values)] if values else [])], 150, what=f"helm install {name}")
        if name == "istiod":
            # The gateway's pod is made by istiod's injection webhook: it must answer first.
            wait("istiod", lambda: _available(kubectl, "istio-system", "istiod"), 180)
            say("istiod ready")


def _available(kubectl: Kubectl, namespace: str, name: str) -> bool:
    try:
        return kubectl("get", "deployment", "-n", namespace, name, "-o", "jsonpath={.status.availableReplicas}") == "1"
    except SandboxError:
        return False


def import_image(archive: Path) -> None:
    """Put one image archive into containerd."""
    socket = f"{state()}/containerd.sock"
    wait("containerd", lambda: Path(socket).exists(), 30)
    deadline = time.monotonic() + 30
    while True:
        try:
            run(["ctr", "-a", socket, "-n", "k8s.io", "images", "import", str(archive)], 120)
            return
        except SandboxError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def load(applications: list[tuple[str, Path]]) -> None:
    """Put the applications' images into containerd, those that are not there yet."""
    done = state() / "loaded.json"
    loaded = dict(json.loads(done.read_text())) if done.exists() else {}
    for name, archive in applications:
        if loaded.get(name) != archive.name:
            import_image(archive)
            loaded[name] = archive.name
            done.write_text(json.dumps(loaded))
            say(f"images of {name} loaded")


def wait_ready(kubectl: Kubectl, details: dict[str, str]) -> None:
    """Wait for CoreDNS, the gateway and Prometheus."""
    wait("CoreDNS", lambda: _available(kubectl, "kube-system", "coredns"), 120)
    wait("the ingress gateway", lambda: _available(kubectl, "istio-system", "istio-ingressgateway"), 180)
    wait("Prometheus", lambda: prometheus_answers(details), 60)


def prometheus_answers(details: dict[str, str]) -> bool:
    """Whether Prometheus is ready."""
    try:
        with urllib.request.urlopen(f"{details['PROMETHEUS_URL']}/-/ready", timeout=3) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
