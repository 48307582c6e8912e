"""A kube-apiserver with its etcd on loopback, in a folder of its own; it counts what the guards' account asks."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
import urllib3

from rig.environment import free_port
from sandbox.build import binaries

# Accounts by token: whoever fills the cluster, and the guards, whose requests are counted.
TOKENS = {"filler": "filler", "guards": "guards"}
AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["ResponseStarted", "ResponseComplete", "Panic"],
    "rules": [{"level": "Metadata", "users": ["guards"]}, {"level": "None"}],
}
READY_S = 120.0


@dataclass(frozen=True)
class Cluster:
    """An API server: its address, and the file that has a line for each request of the guards."""

    url: str
    audit: Path


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """An API server that knows Istio's two kinds, and no others than its own."""
    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # its certificate is its own
    folder.mkdir()
    client, peer, port = free_port(), free_port(), free_port()
    processes = [subprocess.Popen(_etcd(folder, client, peer), stderr=subprocess.DEVNULL)]
    url, audit = f"https://127.0.0.1:{port}", folder / "audit.log"
    try:
        processes.append(subprocess.Popen(_api(folder, client, port, audit), stderr=subprocess.DEVNULL))
        _wait(url)
        for plural, kind in (("virtualservices", "VirtualService"), ("destinationrules", "DestinationRule")):
            _define(url, plural, kind)
        yield Cluster(url, audit)
    finally:
        for process in reversed(processes):
            process.terminate()
            process.wait()


def ask(url: str, method: str, path: str, body: Any = None) -> requests.Response:
    """Ask as the filler."""
    headers = {"Authorization": f"Bearer {TOKENS['filler']}"}
    return requests.request(method, f"{url}{path}", json=body, headers=headers, verify=False, timeout=10)


def _etcd(folder: Path, client: int, peer: int) -> list[str]:
    addresses = [f"http://127.0.0.1:{port}" for port in (client, peer)]
    return [
        str(binaries() / "etcd"), f"--data-dir={folder}/etcd", f"--listen-client-urls={addresses[0]}",
        f"--advertise-client-urls={addresses[0]}", f"--listen-peer-urls={addresses[1]}", "--unsafe-no-fsync",
        f"--initial-advertise-peer-urls={addresses[1]}", f"--initial-cluster=default={addresses[1]}", "--log-level=error",
    ]  # fmt: skip


def _api(folder: Path, etcd: int, port: int, audit: Path) -> list[str]:
    key = folder / "accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, stderr=subprocess.DEVNULL)
    (folder / "tokens.csv").write_text(
        "".join(f'{token},{name},{name},"system:masters"\n' for name, token in TOKENS.items())
    )
    (folder / "audit.json").write_text(json.dumps(AUDIT))
    return [
        str(binaries() / "kube-apiserver"), f"--etcd-servers=http://127.0.0.1:{etcd}", f"--secure-port={port}",
        "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", f"--cert-dir={folder}/pki",
        f"--token-auth-file={folder}/tokens.csv", "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.96.0.0/12", "--service-account-issuer=https://bench",
        f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
        f"--audit-policy-file={folder}/audit.json", f"--audit-log-path={audit}", "--audit-log-mode=blocking",
    ]  # fmt: skip


def _wait(url: str) -> None:
    until = time.monotonic() + READY_S
    while time.monotonic() < until:
        try:
            if ask(url, "GET", "/readyz").ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.2)
    raise RuntimeError(f"the API server at {url} was not ready within {READY_S:.0f} s")


def _define(url: str, plural: str, kind: str) -> None:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    spec = {
        "group": "networking.istio.io",
        "scope": "Namespaced",
        "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
        "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}],
    }
    metadata = {"name": f"{plural}.networking.istio.io"}
    body = {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": metadata, "spec": spec,
    }  # fmt: skip
    answer = ask(url, "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
    if not answer.ok:
        raise RuntimeError(f"{kind} was not taken: {answer.status_code} {answer.text}")
    until = time.monotonic() + READY_S
    while not ask(url, "GET", f"/apis/networking.istio.io/v1/{plural}").ok:
        if time.monotonic() > until:
            raise RuntimeError(f"{kind} is not served after {READY_S:.0f} s")
        time.sleep(0.2)
