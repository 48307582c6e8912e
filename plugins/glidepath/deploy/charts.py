"""Where a chart is: a folder or a packed file, or a registry that has it as OCI artifact."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from glidepath.errors import HelmError, SetupError

# How long one try of a pull may take, how often it is tried, and how long after a failed one, seconds.
PULL_TIMEOUT_S = 30
PULL_TRIES, PULL_PAUSE_S = 3, 2.0
# What a registry answers that it answers again.
FINAL = re.compile(
    r"not found|unauthorized|denied|forbidden|invalid reference|could not load config|certificate|to HTTPS", re.I
)
PULLED = re.compile(r"^Digest: (sha256:[0-9a-f]{64})$", re.M)


class Chart(Protocol):
    """What Helm installs. As text it is what `helm install` takes."""

    def packed(self) -> Path:
        """Its folder or packed file on this machine, after making sure that it is the one that was pinned.

        Raises:
            SetupError: It is not there, or another one.
            HelmError: The registry that has it did not answer.
        """

    def digest(self) -> str | None:
        """`sha256:...` by which a registry has it for good; None for one that is not in a registry. Raises as `packed`."""


@dataclass(frozen=True)
class LocalChart:
    """A folder or a packed file.

    Attributes:
        path: Where it is.
        pinned: `sha256:...` of the packed file; None takes the chart as it is.
    """

    path: Path
    pinned: str | None = None

    def __str__(self) -> str:
        return str(self.path)

    def packed(self) -> Path:
        """See `Chart.packed`."""
        if not (self.path / "Chart.yaml").exists() and not self.path.is_file():
            raise SetupError(f"no Helm chart at {str(self.path)!r}: set helm.chart in the policy to the chart")
        if self.pinned is None:
            return self.path
        if not self.path.is_file():
            raise SetupError(f"helm.digest pins a packed chart, and {str(self.path)!r} is none: helm package it")
        packed = f"sha256:{hashlib.sha256(self.path.read_bytes()).hexdigest()}"
        if packed != self.pinned:
            raise SetupError(
                f"the chart {str(self.path)!r} is {packed}, the policy's helm.digest is {self.pinned}: put the chart back that was "
                "reviewed, or review this one and pin it"
            )
        return self.path

    def digest(self) -> str | None:
        """See `Chart.digest`."""
        return None


class RegistryChart:
    """A chart in a registry. It is pulled once, and kept beside Helm's own cache by its digest.

    Args:
        reference: `oci://host/path/name`.
        version: Its version; None where the digest alone says which.
        pinned: The digest of its manifest, `sha256:...`, as `helm push` prints it; None takes what has the version now.
        plain_http: Whether the registry speaks HTTP without TLS.
        run: Runs Helm with arguments and a time-out in seconds, and gives what it prints.
    """

    def __init__(
        self, reference: str, version: str | None, pinned: str | None, plain_http: bool,
        run: Callable[[Sequence[str], float], str],
    ) -> None:  # fmt: skip
        self._reference, self._version, self._pinned = reference, version, pinned
        self._plain_http, self._run = plain_http, run

    def __str__(self) -> str:
        return f"{self._reference}@{self._pinned}" if self._pinned else f"{self._reference} --version {self._version}"

    def packed(self) -> Path:
        """See `Chart.packed`."""
        if self._pinned is None or not (kept := kept_at(self._pinned)).is_file():
            kept = self._pulled()
        return kept

    def digest(self) -> str | None:
        """See `Chart.digest`."""
        self.packed()
        return self._pinned

    def _pulled(self) -> Path:
        args = ["pull", f"{self._reference}@{self._pinned}" if self._pinned else self._reference]
        args += [] if self._pinned else ["--version", str(self._version)]
        args += ["--plain-http"] if self._plain_http else []
        cache().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".pull-", dir=cache()) as folder:
            said = PULLED.search(self._tried([*args, "--destination", folder]))
            files = list(Path(folder).glob("*.tgz"))
            if said is None or len(files) != 1 or self._pinned not in (None, said[1]):
                raise SetupError(
                    f"helm pull of {self} gave {len(files)} charts with digest {said and said[1]}, expected that one"
                )
            # From here on it is that one, wherever its version may lead by then.
            self._pinned = said[1]
            shutil.move(files[0], kept_at(self._pinned))
        return kept_at(self._pinned)

    def _tried(self, args: Sequence[str]) -> str:
        for left in reversed(range(PULL_TRIES)):
            try:
                return self._run(args, PULL_TIMEOUT_S)
            except HelmError as error:
                if FINAL.search(str(error)):
                    raise SetupError(
                        f"the registry does not give the chart {self}: {error}. Expected a chart that was pushed there (helm push) and "
                        "that this user may read (helm registry login)"
                    ) from error
                if not left:
                    raise HelmError(f"the chart {self} could not be had in {PULL_TRIES} tries: {error}") from error
                time.sleep(PULL_PAUSE_S)
        raise AssertionError("unreachable")


def cache() -> Path:
    """The folder of the charts that were pulled: beside Helm's own."""
    home = os.environ.get("HELM_CACHE_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "helm")
    return Path(home) / "glidepath"


def kept_at(digest: str) -> Path:
    """Where a chart of this digest is kept."""
    return cache() / f"{digest.partition(':')[2]}.tgz"
