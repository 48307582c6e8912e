"""A real registry on this machine, go-containerregistry's, in memory; and charts that are pushed there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rig.environment import REPO, cluster
from sandbox.common import cache, digest
from sandbox.host import go

SOURCE = REPO / "tests" / "registry"
TIMEOUT_S = 60


@dataclass(frozen=True)
class Registry:
    """One.

    Attributes:
        address: Host and port.
        folder: Where its charts are packed.
        process: Itself.
        secure: Whether it speaks TLS.
    """

    address: str
    folder: Path
    process: subprocess.Popen[str]
    secure: bool = False

    def chart(self, name: str) -> str:
        """What a policy calls a chart of it."""
        return f"oci://{self.address}/charts/{name}"

    def push(self, chart: Path, version: str, app_version: str = "v1") -> str:
        """Push a chart under a version; the digest by which the registry has it."""
        called("package", str(chart), "--version", version, "--app-version", app_version, "-d", str(self.folder))
        packed = self.folder / f"{chart.name}-{version}.tgz"
        said = called("push", str(packed), f"oci://{self.address}/charts", *([] if self.secure else ["--plain-http"]))
        return said.partition("Digest: ")[2].split()[0]

    def end(self) -> None:
        """Have it be away."""
        self.process.kill()
        self.process.wait(10)


@contextmanager
def registry(folder: Path, *arguments: str) -> Iterator[Registry]:
    """One for the time of a test; `arguments` as `tests/registry` takes them."""
    with subprocess.Popen([_binary(), *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        made = Registry(process.stdout.readline().strip(), folder, process, "-cert" in arguments)
        try:
            yield made
        finally:
            made.end()


def called(*arguments: str) -> str:
    """What Helm says, without a cluster."""
    done = subprocess.run(
        [cluster()["HELM"], *arguments], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _binary() -> Path:
    target = cache() / "registry" / digest(SOURCE)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        half = target.with_suffix(f".{os.getpid()}")
        subprocess.run(
            [go(), "build", "-trimpath", "-o", str(half), "."], cwd=SOURCE, env={**os.environ, "CGO_ENABLED": "0"},
            check=True, timeout=300,
        )  # fmt: skip
        half.rename(target)
    return target
