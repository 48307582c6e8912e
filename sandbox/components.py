"""The components' command lines and configuration files. JSON is YAML, so no YAML library is needed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sandbox import certs
from sandbox.network import API_SERVICE, DNS_SERVICE, NODE_PODS, PODS, SERVICES, Slot

NODE = "sandbox"
API_PORT = 6443
PROMETHEUS_PORT = 9090
AUDIT_LOG = "audit.jsonl"


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
    pki = state / "pki"

    def one(name: str, *arguments: str) -> dict[str, Any]:
        return {"name": name, "argv": [str(binaries / name), *arguments]}

    return [
        one(
            "etcd",
            f"--data-dir={state}/etcd",
            "--listen-client-urls=http://127.0.0.1:2379",
            "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
            "--unsafe-no-fsync",
            "--auto-compaction-retention=10m",
        ),
        one(
            "kube-apiserver",
            "--etcd-servers=http://127.0.0.1:2379",
            f"--service-cluster-ip-range={SERVICES}",
            f"--advertise-address={slot.inside}",
            f"--bind-address={slot.inside}",
            f"--secure-port={API_PORT}",
            f"--tls-cert-file={pki}/apiserver.crt",
            f"--tls-private-key-file={pki}/apiserver.key",
            f"--client-ca-file={pki}/ca.crt",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={pki}/service-accounts.pub",
            f"--service-account-signing-key-file={pki}/service-accounts.key",
            f"--kubelet-client-certificate={pki}/kubelet-client.crt",
            f"--kubelet-client-key={pki}/kubelet-client.key",
            f"--kubelet-certificate-authority={pki}/ca.crt",
            "--kubelet-preferred-address-types=InternalIP",
            "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction",
            "--anonymous-auth=false",
            "--allow-privileged",
            f"--audit-policy-file={state}/audit.json",
            f"--audit-log-path={state}/{AUDIT_LOG}",
            "--audit-log-maxsize=200",
        ),
        one(
            "kube-controller-manager",
            f"--kubeconfig={state}/controller-manager.kubeconfig",
            f"--service-account-private-key-file={pki}/service-accounts.key",
            f"--root-ca-file={pki}/ca.crt",
            f"--cluster-signing-cert-file={pki}/ca.crt",
            f"--cluster-signing-key-file={pki}/ca.key",
            "--allocate-node-cidrs",
            f"--cluster-cidr={PODS}",
            "--node-cidr-mask-size=24",
            f"--service-cluster-ip-range={SERVICES}",
            "--leader-elect=false",
            "--use-service-account-credentials",
            "--bind-address=127.0.0.1",
        ),
        one(
            "kube-scheduler",
            f"--kubeconfig={state}/scheduler.kubeconfig",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
        ),
        {"name": "containerd", "argv": ["/usr/bin/containerd", "--config", f"{state}/containerd.toml"]},
        one(
            "kubelet",
            f"--config={state}/kubelet.yaml",
            f"--kubeconfig={state}/kubelet.kubeconfig",
            f"--root-dir={state}/kubelet",
            f"--hostname-override={NODE}",
            f"--node-ip={slot.inside}",
        ),
        one("kube-proxy", f"--config={state}/proxy.yaml", f"--hostname-override={NODE}"),
        one(
            "prometheus",
            f"--config.file={state}/prometheus.yaml",
            f"--storage.tsdb.path={state}/prometheus",
            "--storage.tsdb.retention.time=2d",
            f"--web.listen-address={slot.inside}:{PROMETHEUS_PORT}",
            "--web.enable-lifecycle",
            "--web.enable-otlp-receiver",
            "--log.level=warn",
        ),
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
