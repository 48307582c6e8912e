"""Helm 4 through its command line: arguments as lists, values as a file, JSON out, stderr in the error."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

from kubernetes import client

from glidepath.errors import HelmError, PreflightError
from glidepath.kube import kubeconfig

QUERY_TIMEOUT_S = 30
UPGRADE_TIMEOUT_S = 180
PENDING = frozenset({"pending-install", "pending-upgrade", "pending-rollback"})


@dataclass(frozen=True)
class HelmRelease:
    """What Helm knows of a release: its status, revision and the values it was given by its users."""

    name: str
    namespace: str
    revision: int
    status: str
    values: Mapping[str, Any]


class Helm:
    """Runs Helm for one release of one chart.

    Args:
        chart: The chart's folder or packed file.
        release: Helm's name of the release.
        namespace: Where it is installed.
        api: The client of the cluster: Helm works on the very same one, as the same user, whatever its own environment says.
        binary: The Helm 4 binary; None looks at GLIDEPATH_HELM and then PATH.
        digest: `sha256:...` of the packed chart; None takes the chart as it is.
    """

    def __init__(
        self,
        chart: Path,
        release: str,
        namespace: str,
        api: client.ApiClient,
        binary: str | None = None,
        digest: str | None = None,
    ) -> None:
        self._digest = digest
        self.chart, self.release, self.namespace, self._api = chart, release, namespace, api
        self.binary = binary or os.environ.get("GLIDEPATH_HELM") or "helm"

    def check(self) -> str:
        """The version of Helm, after making sure that it is a Helm 4 and the chart is there.

        Raises:
            PreflightError: No Helm, an older one, or no chart.
        """
        if missing := self._missing():
            raise PreflightError(missing)
        if not (self.chart / "Chart.yaml").exists() and not self.chart.is_file():
            raise PreflightError(f"no Helm chart at {str(self.chart)!r}: set helm.chart in the policy to the chart")
        self._pinned()
        version = self._run(["version", "--template", "{{.Version}}"], QUERY_TIMEOUT_S).strip()
        if not version.startswith("v4."):
            raise PreflightError(
                f"helm is {version}, expected v4: Helm 3 merges on the client and would undo a rollback of the traffic"
            )
        return version

    def status(self) -> HelmRelease | None:
        """The release with its user-given values, or None when it is not installed."""
        listed = json.loads(
            self._run(
                ["list", "--namespace", self.namespace, "--filter", f"^{self.release}$", "-o", "json"], QUERY_TIMEOUT_S
            )
            or "[]"
        )
        if not listed:
            return None
        row = listed[0]
        values = json.loads(
            self._run(["get", "values", self.release, "--namespace", self.namespace, "-o", "json"], QUERY_TIMEOUT_S)
            or "null"
        )
        return HelmRelease(self.release, self.namespace, int(row["revision"]), str(row["status"]), values or {})

    def effective_values(self) -> Mapping[str, Any]:
        """The values in force: the chart's defaults with what its users gave laid over them."""
        out = self._run(
            ["get", "values", self.release, "--all", "--namespace", self.namespace, "-o", "json"], QUERY_TIMEOUT_S
        )
        values: Mapping[str, Any] = json.loads(out or "{}") or {}
        return values

    def upgrade(self, values: Mapping[str, Any], timeout_s: float = UPGRADE_TIMEOUT_S) -> HelmRelease:
        """Bring the release to these values; nothing is done when it has them already.

        Never forces conflicts: a field another owner holds makes Helm fail and change nothing.

        Raises:
            HelmError: Helm refused or did not end within the time-out; its stderr is in the message.
        """
        current = self.status()
        if current is not None and current.status in PENDING:
            self._unlock()
            current = self.status()
        if current is not None and current.status == "deployed" and current.values == values:
            return current
        self._pinned()
        self._run_with_values(
            [
                "upgrade", self.release, str(self.chart), "--install", "--namespace", self.namespace,
                "--reset-values", "--history-max", "20", "--timeout", f"{int(timeout_s)}s", "-o", "json",
            ],
            values,
            timeout_s + 10,
        )  # fmt: skip
        done = self.status()
        if done is None or done.status != "deployed":
            raise HelmError(f"helm upgrade of {self.release!r} ended, but its status is {done and done.status!r}")
        return done

    def render(self, values: Mapping[str, Any]) -> str:
        """The manifests these values would give, touching nothing."""
        return self._run_with_values(
            ["template", self.release, str(self.chart), "--namespace", self.namespace], values, QUERY_TIMEOUT_S
        )

    def _missing(self) -> str:
        """What to do about a Helm that is not there; empty when it is."""
        there = shutil.which(self.binary) is not None
        return "" if there else f"helm is not at {self.binary!r}: install Helm 4 or set GLIDEPATH_HELM to its path"

    def _pinned(self) -> None:
        """Make sure that the packed chart is the one that was pinned.

        Raises:
            PreflightError: It is another one, or a folder.
        """
        if self._digest is None:
            return
        if not self.chart.is_file():
            raise PreflightError(f"helm.digest pins a packed chart, and {str(self.chart)!r} is none: helm package it")
        found = f"sha256:{hashlib.sha256(self.chart.read_bytes()).hexdigest()}"
        if found != self._digest:
            raise PreflightError(
                f"the chart {str(self.chart)!r} is {found}, the policy's helm.digest is {self._digest}: put the chart back "
                "that was reviewed, or review this one and pin it"
            )

    def _unlock(self) -> None:
        # An upgrade that was killed leaves its revision pending, and Helm then refuses every other one.
        # Its secret is what says so; the revision before it is what the cluster is measured against.
        self._run(["rollback", self.release, "--namespace", self.namespace, "--timeout", "60s"], 70)

    def _run_with_values(self, args: Sequence[str], values: Mapping[str, Any], timeout_s: float) -> str:
        with tempfile.NamedTemporaryFile("w", suffix=".json", prefix="glidepath-values-") as file:
            json.dump(values, file)
            file.flush()
            return self._run([*args, "--values", file.name], timeout_s)

    def _run(self, args: Sequence[str], timeout_s: float) -> str:
        if missing := self._missing():
            raise HelmError(missing)
        shown = " ".join(["helm", *(one for one in args[:2] if not one.startswith("-"))])
        # A file without a name: the token in it is gone with us, even if we are killed.
        with tempfile.TemporaryFile("w") as config:
            json.dump(kubeconfig(self._api, self.namespace), config)
            config.flush()
            command = [*_ends_with_us(), self.binary, *args, "--kubeconfig", f"/dev/fd/{config.fileno()}"]
            done = self._ended(command, shown, timeout_s, config.fileno())
        if done.returncode != 0:
            raise HelmError(f"{shown} failed with exit code {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def _ended(self, command: Sequence[str], shown: str, timeout_s: float, config: int) -> CompletedProcess[str]:
        """The command when it has ended; `config` is a file that it is to see."""
        try:
            return subprocess.run(
                command, capture_output=True, text=True, timeout=timeout_s, check=False, env=_environment(),
                pass_fds=[config],
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise HelmError(
                f"{shown} did not end within {timeout_s:.0f} s; is the Kubernetes API reachable?"
            ) from error
        except OSError as error:
            raise HelmError(f"{shown} could not be started: {error}") from error


def _environment() -> dict[str, str]:
    """Ours, without what would lead Helm to another cluster, or have it act as somebody else."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("HELM_KUBE", "KUBECONFIG"))}


@cache
def _ends_with_us() -> tuple[str, ...]:
    """What to put before a command that is not to go on without the process that started it, a killed one included.

    A task that Airflow kills would else leave its helm at work beside the one that takes the canary back. Where there is
    no `setpriv` (it is Linux' own), helm goes on.
    """
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
