"""Airflow's API server on its own, on loopback, with a record of releases that were played in memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import requests

from rig.environment import free_port
from tests.support.releases import DAG, ENDS

REPO = Path(__file__).resolve().parents[2]
# `stranger` has no role: Airflow knows the name, and lets it do nothing.
USERS = {"admin": "admin", "ops": "op", "eyes": "viewer", "stranger": ""}
# A first start makes the database and compiles nothing.
START_S = 150
POLICY = """\
name: prices
service: prices
namespace: shop
helm: {release: shop}
version: v2
assets: {start: prices-image, promoted: prices-stable}
steps:
- {weight: 20, bake: 10s, min_requests: 100}
- {weight: 50, bake: 10s, min_requests: 100}
evidence: {source: app, scrape: 5s, baseline: 10m}
lease: 60s
"""


@dataclass
class Served:
    """A server that answers.

    Attributes:
        url: Where it is.
        record: The URL of its record.
    """

    url: str
    record: str

    def token(self, user: str) -> str:
        """What Airflow gives a user that logs in."""
        answer = requests.post(f"{self.url}/auth/token", json={"username": user, "password": user}, timeout=30)
        return str(answer.json()["access_token"])

    def get(self, path: str, user: str | None = None, **headers: str) -> requests.Response:
        """A GET as a user, or as nobody."""
        return self.ask("GET", path, user, None, **headers)

    def ask(self, method: str, path: str, user: str | None, body: object, **headers: str) -> requests.Response:
        """A call as a user, or as nobody."""
        given = {"Authorization": f"Bearer {self.token(user)}"} if user else {}
        return requests.request(method, f"{self.url}{path}", json=body, headers={**given, **headers}, timeout=60)

    def started(self, name: str) -> None:
        """Have Airflow know the run of a release, as if a person had started it."""
        body = {"dag_run_id": f"manual__{name}+00:00", "logical_date": None, "conf": {"version": "v2"}}
        answer = self.ask("POST", f"/api/v2/dags/{DAG}/dagRuns", "ops", body)
        assert answer.status_code in (200, 409), answer.text


class Server:
    """The process. Ends with `close`.

    Args:
        home: Airflow's home; made when it is not there.
        record: The record's URL.
        policy: The text of the policy of its DAG.
        connections: Connections of Airflow: their addresses by name.
    """

    def __init__(
        self, home: Path, record: str, policy: str = POLICY, connections: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        port = free_port(18080)
        self._env = environment(home, port, record, policy)
        self._env |= {f"AIRFLOW_CONN_{name.upper()}": url for name, url in connections.items()}
        self._log = (home / "server.log").open("ab")
        self.served = Served(f"http://127.0.0.1:{port}", record)
        for command in (["db", "migrate"], ["dags", "reserialize"]):
            self._run(command).wait(START_S)
        self._process = self._run(["api-server", "--workers", "1"])
        self._wait()

    @contextmanager
    def scheduled(self) -> Iterator[Served]:
        """What it serves while the same Airflow's scheduler runs; both are ended after it."""
        scheduler = self._run(["scheduler"])
        try:
            yield self.served
        finally:
            scheduler.terminate()
            scheduler.wait(60)
            self.close()

    @property
    def pid(self) -> int:
        """Of the server's process."""
        return self._process.pid

    def _run(self, command: list[str]) -> subprocess.Popen[bytes]:
        airflow = [sys.executable, "-m", "airflow", *command]
        return subprocess.Popen(
            airflow, env=self._env, stdout=self._log, stderr=subprocess.STDOUT, cwd=self._env["AIRFLOW_HOME"]
        )

    def _wait(self) -> None:
        started = time.monotonic()
        while True:
            try:
                if requests.get(f"{self.served.url}/api/v2/version", timeout=5).ok:
                    return
            except requests.RequestException:
                pass
            if self._process.poll() is not None or time.monotonic() - started > START_S:
                raise RuntimeError(f"Airflow's API server does not answer; see {self._log.name}")
            time.sleep(0.3)

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._log.close()


def environment(home: Path, port: int, record: str, policy: str = POLICY) -> dict[str, str]:
    """Airflow's configuration."""
    policies = home / "policies"
    policies.mkdir(exist_ok=True)
    (policies / "prices.yaml").write_text(policy)
    passwords = home / "passwords.json"
    passwords.write_text(json.dumps({name: name for name in USERS}))
    core: Mapping[str, str] = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{name}:{role}" for name, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "GLIDEPATH_POLICIES": str(policies),
        "GLIDEPATH_RECORD_URL": record,
        "PYTHONPATH": f"{REPO / 'plugins'}:{REPO}",
    }
    return {**{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}, **core}


def names() -> tuple[str, ...]:
    """The releases that `releases.fill` plays."""
    return tuple(ENDS)
