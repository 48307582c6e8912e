"""The proxies before the Kubernetes API and Prometheus, which can misbehave: an interposer in a process of its own."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from rig.environment import REPO, cluster, free_port, glidepath_kubeconfig, kubectl


class Proxies:
    """The proxies, and the kubeconfig that leads through them.

    Args:
        home: Where their files are.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._process: subprocess.Popen[bytes] | None = None
        self._ports = dict.fromkeys(("kubernetes", "prometheus", "control"), 0)

    def url(self, side: str) -> str:
        """Where a side listens without TLS."""
        return f"http://127.0.0.1:{self._ports[side]}"

    def start(self, wait: Callable[[str, Callable[[], bool], float], object]) -> None:
        """Start them, and wait until they answer."""
        for number, name in enumerate(self._ports):
            self._ports[name] = free_port(18300 + 210 * number)
        cert, key = self.home / "proxy.crt", self.home / "proxy.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=interposer",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)],
            check=True, capture_output=True,
        )  # fmt: skip
        admin = json.loads(kubectl("config", "view", "--raw", "--flatten", "-o", "json"))["clusters"][0]["cluster"]
        (self.home / "cluster.crt").write_bytes(base64.b64decode(admin["certificate-authority-data"]))
        settings = {
            "control": self._ports["control"],
            "sides": {
                "kubernetes": {
                    "listen": self._ports["kubernetes"], "upstream": admin["server"],
                    "cert": str(cert), "key": str(key), "ca": str(self.home / "cluster.crt"),
                },
                "prometheus": {"listen": self._ports["prometheus"], "upstream": cluster()["PROMETHEUS_URL"]},
            },
        }  # fmt: skip
        (self.home / "proxies.json").write_text(json.dumps(settings))
        with (self.home / "proxies.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.faults.interposer", str(self.home / "proxies.json")],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=REPO,
            )  # fmt: skip
        wait("the proxies", self._answer, 20)

    def stop(self) -> None:
        """End them."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _answer(self) -> bool:
        try:
            return self.hits("prometheus") >= 0
        except requests.RequestException:
            return False

    def connect(self) -> None:
        """Write the kubeconfig through the proxy; needed again when the namespace was made anew."""
        config = json.loads(glidepath_kubeconfig().read_text())
        config["clusters"][0]["cluster"] = {
            "server": f"https://127.0.0.1:{self._ports['kubernetes']}",
            "certificate-authority-data": base64.b64encode((self.home / "proxy.crt").read_bytes()).decode(),
        }
        (self.home / "kubeconfig.json").touch(mode=0o600)
        (self.home / "kubeconfig.json").write_text(json.dumps(config))

    def misbehave(self, side: str, **wrong: Any) -> None:
        """Let a proxy do something wrong from now on, or, without a mode, nothing."""
        requests.post(f"{self.url('control')}/{side}", json=wrong, timeout=5).raise_for_status()

    def hits(self, side: str) -> int:
        """How many requests were met by what is wrong now."""
        return int(requests.get(f"{self.url('control')}/{side}", timeout=5).json()["hits"])
