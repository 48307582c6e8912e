"""The components' command lines (commands.json) and configuration files. JSON is YAML, so no YAML library is needed."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import Any

from sandbox import certs
from sandbox.network import API_SERVICE, DNS_SERVICE, NODE_PODS, PODS, SERVICES, Slot

NODE = "sandbox"
API_PORT = 6443
PROMETHEUS_PORT = 9090
AUDIT_LOG = "audit.jsonl"
COMMANDS = Path(__file__).with_name("commands.json")


def write(state: Path, binaries: Path, slot: Slot, cgroup: str, scrape: str, monitored: dict[str, Any]) -> None:
    """Write certificates, configuration files and components.json into the state folder."""
    pki = state / "pki"
    certs.make(pki, NODE, [slot.inside, "127.0.0.1", API_SERVICE])
    server = f"https://{slot.inside}:{API_PORT}"
    for name in ("admin", "controller-manager", "scheduler", "proxy", "kubelet", "prometheus"):
        certs.kubeconfig(pki, name, server, state / f"{name}.kubeconfig")
    (state / "cni").mkdir()
    (state / "cni" / "10-sandbox.conflist").write_text(json.dumps(_cni()))
    (state / "containerd.toml").write_text(_containerd(state))
    (state / "kubelet.yaml").write_text(json.dumps(_kubelet(state, cgroup)))
    (state / "proxy.yaml").write_text(json.dumps(_proxy(state)))
    (state / "prometheus.yaml").write_text(json.dumps(prometheus(state, scrape, monitored)))
    (state / "audit.json").write_text(json.dumps(_audit()))
    (state / "components.json").write_text(json.dumps(_components(state, binaries, slot)))


def _components(state: Path, binaries: Path, slot: Slot) -> list[dict[str, Any]]:
    """Name and command of each component, in the order in which they are started: those of commands.json, filled in."""
    known = {
        "state": state, "binaries": binaries, "pki": state / "pki", "audit_log": AUDIT_LOG, "node": NODE,
        "inside": slot.inside, "services": SERVICES, "pods": PODS, "api_port": API_PORT, "prometheus_port": PROMETHEUS_PORT,
    }  # fmt: skip
    commands: dict[str, list[str]] = json.loads(COMMANDS.read_text())
    return [
        {"name": name, "argv": [Template(argument).substitute(known) for argument in argv]}
        for name, argv in commands.items()
    ]


def _audit() -> dict[str, Any]:
    """What the API server writes down: who wrote which of the objects that a release holds, and what came of it."""
    written = [
        {"group": "networking.istio.io", "resources": ["virtualservices", "destinationrules"]},
        {"group": "apps", "resources": ["deployments", "deployments/scale"]},
        {"group": "coordination.k8s.io", "resources": ["leases"]},
    ]
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "omitManagedFields": True,
        "rules": [
            {"level": "None", "namespaces": ["kube-system", "kube-node-lease", "istio-system"]},
            {"level": "RequestResponse", "verbs": ["create", "update", "patch", "delete"], "resources": written},
            {"level": "None"},
        ],
    }


def _cni() -> dict[str, Any]:
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": [[{"subnet": NODE_PODS}]], "routes": [{"dst": "0.0.0.0/0"}]},
    }
    return {
        "cniVersion": "0.4.0",
        "name": "sandbox",
        "plugins": [bridge, {"type": "portmap", "capabilities": {"portMappings": True}}],
    }


def _containerd(state: Path) -> str:
    # restrict_oom_score_adj: without CAP_SYS_RESOURCE every sandbox would die while setting its score.
    return f"""version = 2
root = "{state}/containerd/root"
state = "{state}/containerd/state"
[grpc]
  address = "{state}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{state}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


def _kubelet(state: Path, cgroup: str) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroup}",
        "failSwapOn": False,
        "failCgroupV1": False,
        "containerRuntimeEndpoint": f"unix://{state}/containerd.sock",
        "clusterDNS": [DNS_SERVICE],
        "clusterDomain": "cluster.local",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{state}/pki/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{state}/pki/kubelet.crt",
        "tlsPrivateKeyFile": f"{state}/pki/kubelet.key",
        "evictionHard": {"memory.available": "100Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "syncFrequency": "10s",
        "localStorageCapacityIsolation": False,
        "podLogsDir": f"{state}/podlogs",
        "maxPods": 60,
    }


def _proxy(state: Path) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "clientConnection": {"kubeconfig": f"{state}/proxy.kubeconfig"},
        "mode": "nftables",
        "clusterCIDR": PODS,
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def prometheus(state: Path, scrape: str, monitored: dict[str, Any]) -> dict[str, Any]:
    """Prometheus' configuration: that of prometheus.json, with the credential of this sandbox."""
    given = json.loads(json.dumps(monitored).replace("KUBECONFIG", f"{state}/prometheus.kubeconfig"))
    every = {"scrape_interval": scrape, "evaluation_interval": scrape}
    return {"global": every, "otlp": given["otlp"], "scrape_configs": given["jobs"]}
