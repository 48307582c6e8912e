"""The images of the sandbox: system ones, and the applications declared in images.toml."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

from sandbox import build, oci
from sandbox.common import REPO, SandboxError, cache, digest, run, say

DECLARED = REPO / "sandbox" / "images.toml"
SUITE = "bookworm"
PACKING = "2"  # counts up when the same inputs are packed in another way
BASES = {
    "glibc": ["libc6", "libgcc-s1", "ca-certificates"],
    "proxy": ["libc6", "libgcc-s1", "ca-certificates", "iptables", "iproute2"],
    "python": ["python3", "python3-minimal", "libpython3-stdlib", "libgcc-s1", "libstdc++6", "ca-certificates"],
}
# update-alternatives did not run in an extracted root: these are its links.
TABLES = {
    f"/usr/sbin/{family}{verb}": "xtables-nft-multi"
    for family in ("iptables", "ip6tables")
    for verb in ("", "-save", "-restore")
}


@dataclass(frozen=True)
class App:
    """An application image: see images.toml for what each part means."""

    name: str
    base: str
    requirements: Path | None
    copy: dict[str, str]
    binaries: dict[str, str]
    build: list[str]
    entrypoint: list[str]
    env: dict[str, str]
    user: str
    workdir: str
    tags: dict[str, dict[str, str]]


def _store() -> Path:
    folder = cache() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def base(name: str) -> Path:
    """A root file system of Debian packages, as a layer."""
    target = _store() / f"base-{name}-{digest(SUITE, repr(BASES[name]))}.tar"
    if not target.exists():
        say(f"image base {name}: Debian {SUITE} with {', '.join(BASES[name])}")
        half = target.with_name(f".half-{target.name}")
        run(
            [
                "mmdebstrap", "--variant=extract", "--mode=root",
                "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
                f"--include={','.join(BASES[name])}", SUITE, str(half),
            ],
            600,
        )  # fmt: skip
        half.rename(target)
    return target


def system() -> list[Path]:
    """The archives of pause, CoreDNS and Istio's two images."""
    binaries, istio = build.binaries(), build.istio()
    template = (istio / "envoy_bootstrap_tmpl.json", "/var/lib/istio/envoy/envoy_bootstrap_tmpl.json", 0o644)
    key = digest(str(binaries), repr(BASES), repr(TABLES))
    with tempfile.TemporaryDirectory(prefix="glidepath-image-") as name:
        work = Path(name)
        made = []
        for image, reference, make in (
            (
                "pause",
                "localhost/pause:1",
                lambda: ([_one(work, binaries / "pause", "/pause")], oci.Config(["/pause"])),
            ),
            (
                "coredns",
                "localhost/coredns:local",
                lambda: ([base("glibc"), _one(work, binaries / "coredns", "/coredns")], oci.Config(["/coredns"])),
            ),
            ("pilot", "localhost/istio/pilot:local", lambda: _istio(work, "glibc", ["pilot-discovery"], template)),
            (
                "proxyv2",
                "localhost/istio/proxyv2:local",
                lambda: _istio(work, "proxy", ["pilot-agent", "envoy"], template),
            ),
        ):
            target = _store() / f"{image}-{key}.tar"
            if not target.exists():
                say(f"packing image {reference}")
                layers, config = make()
                oci.archive(target, [oci.Image(reference, layers, config)])
            made.append(target)
    return made


def _one(work: Path, binary: Path, inside: str) -> Path:
    return oci.layer(work / f"{binary.name}.tar", [(binary.resolve(), inside, 0o755)])


def _istio(work: Path, kind: str, names: list[str], template: tuple[Path, str, int]) -> tuple[list[Path], oci.Config]:
    binaries = build.folder()
    files: list[tuple[Path, str, int | None]] = [
        ((binaries / name).resolve(), f"/usr/local/bin/{name}", 0o755) for name in names
    ]
    layers = [base(kind), oci.layer(work / f"{names[0]}.tar", [*files, template])]
    if kind == "proxy":
        layers.append(oci.links(work / "links.tar", TABLES))
    return layers, oci.Config([f"/usr/local/bin/{names[0]}"], {"ISTIO_META_ISTIO_PROXY_SHA": "local"}, "1337:1337")


def declared() -> list[App]:
    """The application images of images.toml whose files are there.

    Raises:
        SandboxError: The file is not as it should be; says where.
    """
    apps = []
    for name, entry in tomllib.loads(DECLARED.read_text()).items():
        unknown = set(entry) - {
            "base", "requirements", "copy", "binaries", "build", "entrypoint", "env", "user", "workdir", "tags",
        }  # fmt: skip
        if unknown or "entrypoint" not in entry or "tags" not in entry:
            raise SandboxError(f"{DECLARED.name}: [{name}] has unknown {sorted(unknown)} or lacks entrypoint or tags")
        requirements = entry.get("requirements")
        app = App(
            name,
            entry.get("base", "python"),
            REPO / requirements if requirements else None,
            entry.get("copy", {}),
            entry.get("binaries", {}),
            entry.get("build", []),
            entry["entrypoint"],
            entry.get("env", {}),
            entry.get("user", "10001:10001"),
            entry.get("workdir", "/app"),
            entry["tags"],
        )
        for source in app.copy:
            if not (REPO / source).exists():
                raise SandboxError(f"{DECLARED.name}: [{name}] copies {source!r}, which is not in the checkout")
        apps.append(app)
    return apps


def without_binaries() -> None:
    """Make what needs none of the sandbox's binaries: it waits for the network, while those are built."""
    for kind in BASES:
        base(kind)
    _archives([app for app in declared() if not app.binaries])


def applications() -> list[tuple[str, Path]]:
    """Every application as (name, archive with the images of all its tags), built where it is not yet."""
    return _archives(declared())


def _archives(apps: list[App]) -> list[tuple[str, Path]]:
    made = []
    for app in apps:
        key = digest(json.dumps([app.tags, app.env, app.entrypoint, app.user, app.workdir]), *_inputs(app))
        target = _store() / f"{app.name}-{key}.tar"
        if not target.exists():
            layers = _app_layers(app)
            say(f"packing image {app.name}: {', '.join(app.tags)}")
            oci.archive(target, [_tagged(app, tag, env, layers) for tag, env in app.tags.items()])
        made.append((app.name, target))
    return made


def _tagged(app: App, tag: str, env: dict[str, str], layers: list[Path]) -> oci.Image:
    config = oci.Config(app.entrypoint, {**app.env, **env}, app.user, app.workdir)
    return oci.Image(f"localhost/{app.name}:{tag}", layers, config)


def _inputs(app: App) -> list[str | Path]:
    files: list[str | Path] = [REPO / source for source in sorted(app.copy)]
    packages = [app.requirements] if app.requirements else []
    binaries = [repr(app.binaries), str(build.folder())] if app.binaries else []
    return [PACKING, repr(BASES[app.base]), *packages, *files, *binaries, repr(app.build), repr(app.env)]


def _app_layers(app: App) -> list[Path]:
    layers = [base(app.base)]
    if app.requirements:
        layers.append(_packages(app))
    key = digest(*_inputs(app))
    files = _store() / f"layer-{app.name}-{key}.tar"
    if not files.exists():
        if app.build:
            _built(app, layers, files)
        else:
            ours = [(build.binaries() / name, inside, 0o755) for name, inside in sorted(app.binaries.items())]
            oci.layer(files, [*((REPO / source, inside, None) for source, inside in sorted(app.copy.items())), *ours])
    return [*layers, files]


def _packages(app: App) -> Path:
    assert app.requirements is not None
    target = _store() / f"layer-packages-{digest(PACKING, app.requirements)}.tar"
    if not target.exists():
        say(f"image {app.name}: installing {app.requirements.name}")
        with tempfile.TemporaryDirectory(prefix="glidepath-pip-") as work:
            run(
                [
                    "python3", "-m", "pip", "install", "-q", "--no-compile", "--target", work, "--python-version", "3.11",
                    "--only-binary=:all:", "-r", str(app.requirements),
                ],
                900, what=f"pip install for image {app.name}",
            )  # fmt: skip
            Path(work).chmod(0o755)  # made for its owner only, and the image's user is another
            oci.layer(target, [(Path(work), "/usr/local/lib/python3.11/dist-packages", None)])
    return target


def _built(app: App, layers: list[Path], target: Path) -> None:
    """Run the build command in the image's own root file system; what it leaves in the work folder is the layer."""
    with tempfile.TemporaryDirectory(prefix="glidepath-root-") as work:
        root = Path(work)
        for one in layers:
            run(["tar", "-xf", str(one), "-C", work], 120)
        for source, inside in app.copy.items():
            destination = root / inside.lstrip("/")
            destination.parent.mkdir(parents=True, exist_ok=True)
            if (REPO / source).is_dir():
                shutil.copytree(
                    REPO / source, destination, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy(REPO / source, destination)
        say(f"image {app.name}: running {' '.join(app.build)}")
        done = subprocess.run(
            app.build, env=dict([oci.PATH.split("=", 1)]) | app.env, preexec_fn=lambda: _enter(work, app.workdir),
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        for line in done.stdout.splitlines():
            say(f"  {line}")
        if done.returncode != 0:
            raise SandboxError(f"image {app.name}: {' '.join(app.build)} failed: {done.stderr.strip()[-1500:]}")
        oci.layer(target, [(root / app.workdir.lstrip("/"), app.workdir, None)])


def _enter(root: str, workdir: str) -> None:
    """Between fork and exec: the image's root becomes the process'; the base has no tool to do it with."""
    os.chroot(root)
    os.chdir(workdir)
