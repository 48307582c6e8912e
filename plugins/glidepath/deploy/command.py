"""Helm's command line as a process of ours: the client's cluster and user, arguments as lists, stderr in the error."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from subprocess import CompletedProcess

from kubernetes import client

from glidepath.deploy.kubeconfig import kubeconfig
from glidepath.errors import HelmError
from glidepath.processes import ends_with_us


class Command:
    """Runs Helm on the cluster, and as the user, of a client, whatever Helm's own environment says.

    Args:
        api: The client.
        namespace: The namespace of every call.
        binary: The Helm 4 binary; None looks at GLIDEPATH_HELM and then PATH.
    """

    def __init__(self, api: client.ApiClient, namespace: str, binary: str | None = None) -> None:
        self._api, self.namespace = api, namespace
        self.binary = binary or os.environ.get("GLIDEPATH_HELM") or "helm"

    def missing(self) -> str:
        """What to do about a Helm that is not there; empty when it is."""
        there = shutil.which(self.binary) is not None
        return "" if there else f"helm is not at {self.binary!r}: install Helm 4 or set GLIDEPATH_HELM to its path"

    def run(self, args: Sequence[str], timeout_s: float, env: Mapping[str, str] | None = None) -> str:
        """What Helm prints.

        Args:
            args: Its arguments.
            timeout_s: How long it may take, seconds.
            env: What its environment has beside ours.

        Raises:
            HelmError: It failed, did not end in time, or is not there.
        """
        if missing := self.missing():
            raise HelmError(missing)
        shown = " ".join(["helm", *(arg for arg in args[:2] if not arg.startswith("-"))])
        # A file without a name: the token in it is gone with us, even if we are killed.
        with tempfile.TemporaryFile("w") as config:
            json.dump(kubeconfig(self._api, self.namespace), config)
            config.flush()
            command = [*ends_with_us(), self.binary, *args, "--namespace", self.namespace]
            command += ["--kubeconfig", f"/dev/fd/{config.fileno()}"]
            done = _ended(command, shown, timeout_s, config.fileno(), env or {})
        if done.returncode != 0:
            raise HelmError(f"{shown} failed with exit code {done.returncode}: {done.stderr.strip()[-2000:]}")
        return done.stdout


def _ended(
    command: Sequence[str], shown: str, timeout_s: float, config: int, env: Mapping[str, str]
) -> CompletedProcess[str]:
    """The command when it has ended; `config` is a file that it is to see."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False, env={**_environment(), **env},
            pass_fds=[config],
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise HelmError(f"{shown} did not end within {timeout_s:.0f} s; is the Kubernetes API reachable?") from error
    except OSError as error:
        raise HelmError(f"{shown} could not be started: {error}") from error


def _environment() -> dict[str, str]:
    """Our environment, without what would lead Helm to another cluster or have it act as another user."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("HELM_KUBE", "KUBECONFIG"))}
