"""Certificates: one authority, one credential a component, by openssl. Nothing runs as cluster-admin but `admin`."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from sandbox.common import run

DAYS = "365"
# name of the credential -> (user, group)
CLIENTS = {
    "admin": ("admin", "system:masters"),
    "controller-manager": ("system:kube-controller-manager", ""),
    "scheduler": ("system:kube-scheduler", ""),
    "proxy": ("system:kube-proxy", ""),
    "prometheus": ("glidepath:prometheus", ""),
    "kubelet-client": ("kube-apiserver-kubelet-client", ""),
}


def make(folder: Path, node: str, addresses: list[str]) -> None:
    """Write the authority, the servers' and the clients' certificates, and the service accounts' key."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _key(folder / "ca.key")
    run(
        ["openssl", "req", "-x509", "-new", "-key", str(folder / "ca.key"), "-subj", "/CN=glidepath-sandbox",
         "-days", DAYS, "-out", str(folder / "ca.crt")]
    )  # fmt: skip
    _key(folder / "service-accounts.key")
    run(
        [
            "openssl",
            "pkey",
            "-in",
            str(folder / "service-accounts.key"),
            "-pubout",
            "-out",
            str(folder / "service-accounts.pub"),
        ]
    )
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "localhost"]
    alternative = ",".join([f"DNS:{name}" for name in names] + [f"IP:{address}" for address in addresses])
    _sign(folder, "apiserver", "kube-apiserver", "", f"subjectAltName={alternative}\nextendedKeyUsage=serverAuth\n")
    _sign(
        folder, "kubelet", f"system:node:{node}", "system:nodes",
        f"subjectAltName=DNS:{node},{','.join(f'IP:{a}' for a in addresses)}\nextendedKeyUsage=serverAuth,clientAuth\n",
    )  # fmt: skip
    for name, (user, group) in CLIENTS.items():
        _sign(folder, name, user, group, "extendedKeyUsage=clientAuth\n")


def kubeconfig(folder: Path, name: str, server: str, target: Path) -> None:
    """A kubeconfig (JSON, which is YAML) with the credential inside it, readable by its owner only."""

    def inline(file: str) -> str:
        return base64.b64encode((folder / file).read_bytes()).decode()

    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "sandbox", "cluster": {"server": server, "certificate-authority-data": inline("ca.crt")}}
        ],
        "users": [
            {
                "name": name,
                "user": {
                    "client-certificate-data": inline(f"{name}.crt"),
                    "client-key-data": inline(f"{name}.key"),
                },
            }
        ],
        "contexts": [{"name": "sandbox", "context": {"cluster": "sandbox", "user": name}}],
        "current-context": "sandbox",
    }
    target.touch(mode=0o600)
    target.write_text(json.dumps(config, indent=1))


def _key(path: Path) -> None:
    run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(path)])


def _sign(folder: Path, name: str, user: str, group: str, extensions: str) -> None:
    _key(folder / f"{name}.key")
    subject = (f"/O={group}" if group else "") + f"/CN={user}"
    request = run(["openssl", "req", "-new", "-key", str(folder / f"{name}.key"), "-subj", subject])
    (folder / "extensions").write_text(extensions)
    run(
        ["openssl", "x509", "-req", "-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key"), "-CAcreateserial",
         "-days", DAYS, "-extfile", str(folder / "extensions"), "-out", str(folder / f"{name}.crt")],
        given=request,
    )  # fmt: skip
