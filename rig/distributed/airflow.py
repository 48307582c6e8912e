"""An Airflow on several hosts, of which each can be killed, stopped and cut off."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from rig.airflow import Airflow
from rig.distributed import links
from rig.distributed.backing import BROKER_PORT, DATABASE_PORT, create_command, make_database, private, services
from rig.distributed.hosts import HOST, INTERFACE, Host, Network, free_network, hosts
from rig.environment import REPO, RigError, airflow_environment, cluster

UNSHARE = (
    "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
)  # fmt: skip
CENTRAL = ("api-server", "dag-processor")
# What hands a triggerer's guards over within a lease: docs/scale-out.md.
HAND_OVER = {
    "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
    "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
    "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "40",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
}
END_S = 25.0


class DistributedAirflow(Airflow):
    """Airflow with CeleryExecutor: API server and DAG processor on a central host, all others on hosts of their own.

    Needs to be root, and the embedded cluster.

    Args:
        home: Its folder. What an earlier one left there goes at each start.
        policies: The folder of policies it builds DAGs of.
        extra: Laid over its environment.
    """

    patience_s = 420.0

    def __init__(self, home: Path, policies: Path, extra: Callable[[], Mapping[str, str]] = dict) -> None:
        command = (*UNSHARE, sys.executable, "-m", "rig.distributed.init", str(home))
        super().__init__(home, policies, command, extra)
        self.hosts = {one.name: one for one in hosts()}
        self.network = Network(0)

    @property
    def url(self) -> str:
        """Where a person looks."""
        return f"http://{self.network.central}:{self.port}"

    @property
    def record_url(self) -> str:
        """The record's database."""
        return self._database("glidepath")

    @property
    def password(self) -> str:
        """That of the database and of the broker, as the last start made it; empty before the first."""
        file = self.home / "password"
        return file.read_text() if file.exists() else ""

    def _database(self, name: str) -> str:
        return f"postgresql+psycopg2://airflow:{self.password}@{self.network.central}:{DATABASE_PORT}/{name}"

    def environment(self, port: int) -> dict[str, str]:
        """What all components have."""
        central = self.network.central
        kept = {
            one: base64.urlsafe_b64encode(os.urandom(32)).decode()
            for one in ("AIRFLOW__CORE__FERNET_KEY", "AIRFLOW__API_AUTH__JWT_SECRET", "AIRFLOW__API__SECRET_KEY")
        }
        return {
            **airflow_environment(self.home, port, self.policies),
            **kept,
            "PYTHONPATH": f"{REPO}:{REPO / 'plugins'}",
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__HOSTNAME_CALLABLE": "rig.distributed.hosts.address",
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{central}:{port}/execution/",
            "AIRFLOW__CORE__PARALLELISM": "8",
            # All of it is on one machine: an answer may take long.
            "AIRFLOW__WORKERS__EXECUTION_API_TIMEOUT": "30",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self._database("airflow"),
            "AIRFLOW__CELERY__BROKER_URL": f"redis://:{self.password}@{central}:{BROKER_PORT}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{self._database('airflow')}",
            "PGPASSWORD": self.password,
            "AIRFLOW__API__HOST": central,
            "AIRFLOW__API__BASE_URL": f"http://{central}:{port}",
            "GLIDEPATH_RECORD_URL": self.record_url,
            **HAND_OVER,
            **self.extra(),
        }

    def start(self) -> None:
        """Start all hosts anew and wait until every component is there.

        Raises:
            RigError: Something is missing, or not healthy in time; says what to do.
        """
        if os.geteuid() != 0 or os.environ.get("GLIDEPATH_CLUSTER") == "own":
            raise RigError(
                "hosts of their own need root and the embedded cluster: make sandbox, without GLIDEPATH_CLUSTER"
            )
        self.stop()
        shutil.rmtree(self.home, ignore_errors=True)
        (self.home / "held").mkdir(parents=True)
        private(self.home / "password", secrets.token_hex(16), "root")
        make_database(self.home / "postgres", self.password)
        self.network = free_network(_addresses())
        super().start()

    def started(self, pid: int) -> None:
        """Give the hosts their link to the machine, and the machine the way between them and the cluster."""
        init = self._init(pid)
        there = self.network
        _run("ip", "link", "add", there.interface, "type", "veth", "peer", "name", links.UPLINK, "netns", str(init))
        _run("ip", "addr", "add", f"{there.machine}/{links.PREFIX}", "dev", there.interface)
        _run("ip", "link", "set", there.interface, "up")
        for interface in {there.interface, *_ways()}:
            _forward(interface, True)

    def prepare(self) -> None:
        """Write down what the first process is to run."""
        central = self.network.central
        components = [
            {"name": name, "host": "", "command": ["airflow", name], "environment": {HOST: central}} for name in CENTRAL
        ]
        plan = {
            "network": {"machine": self.network.machine, "central": central},
            "backing": [asdict(one) for one in services(self.home / "postgres", central, self.password)],
            "first": [
                *(create_command(central, name) for name in ("airflow", "glidepath")),
                ["airflow", "db", "migrate"],
            ],
            "components": [*components, *(self._planned(one) for one in self.hosts.values())],
        }
        (self.home / "plan.json").write_text(json.dumps(plan))

    def _planned(self, host: Host) -> dict[str, Any]:
        folder = self.home / "hosts" / host.name
        folder.mkdir(parents=True)
        address = self.network.address(host.number)
        environment = {HOST: address, "AIRFLOW_HOME": str(folder)}
        return {
            "name": host.name, "host": host.name, "address": address, "command": host.command, "environment": environment
        }  # fmt: skip

    def healthy(self) -> bool:
        """Whether every component is there: as many of a kind as there are hosts, and all workers at the broker."""
        return (
            super().healthy() and all(self.alive(kind) >= 2 for kind in ("Scheduler", "Triggerer")) and self._workers()
        )

    def alive(self, kind: str) -> int:
        """How many of a kind's jobs have sent a heartbeat lately, as Airflow says."""
        try:
            found = self.call("GET", f"/jobs?job_type={kind}Job&is_alive=true")
        except (RigError, requests.RequestException, KeyError):
            return 0
        return len(found["jobs"])

    def _workers(self) -> bool:
        logs = [self.home / f"{name}.log" for name in self.hosts if name.startswith("worker")]
        return all(one.exists() and " ready." in one.read_text(errors="replace") for one in logs)

    def stop(self) -> None:
        """End all hosts in order, then by force."""
        pid = self.pid()
        if pid is None:
            return
        init = self._init(pid)
        os.kill(init, signal.SIGTERM)
        deadline = time.monotonic() + END_S
        while self.pid() is not None and time.monotonic() < deadline:
            time.sleep(0.2)
        self.kill(pid)
        if not any(Path("/sys/class/net").glob(f"{INTERFACE}*")):  # no other set of hosts needs the way
            for interface in _ways():
                _forward(interface, False)

    def kill(self, pid: int | None = None) -> None:
        """kill -9 of the first process: all others end with it."""
        parent = pid or self.pid()
        if parent is not None and Path(f"/proc/{parent}").exists():
            os.kill(parent, signal.SIGKILL)

    def cut(self, host: str, down: bool) -> None:
        """Partition a host from everything, or join it again."""
        parent = self.pid()
        assert parent is not None, "the hosts are down"
        links.cut(self._init(parent), host, down)

    def component(self, name: str) -> int:
        """A component's process, as the machine numbers it; 0 while it is down."""
        parent = self.pid()
        inner = int(json.loads((self.home / "pids.json").read_text())[name])
        return _outside(inner, self._init(parent)) if parent and inner else 0

    def _init(self, parent: int) -> int:
        for _ in range(100):
            children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
            if children:
                return int(children[0])
            time.sleep(0.05)
        raise RigError(f"the hosts' first process did not start; see {self.home / 'standalone.log'}")


def _outside(inner: int, init: int) -> int:
    """A process' number outside of the PID namespace of `init`; 0 when it is gone."""
    ours = Path(f"/proc/{init}/ns/pid").readlink()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if (process / "ns" / "pid").readlink() == ours and _numbers(process)[-1] == inner:
                    return int(process.name)
            except OSError:
                continue
    return 0


def _numbers(process: Path) -> list[int]:
    for line in (process / "status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return [int(one) for one in line.split()[1:]]
    return [0]


def _forward(interface: str, on: bool) -> None:
    """Let the machine pass on what comes in there; no other interface is touched."""
    file = Path(f"/proc/sys/net/ipv4/conf/{interface}/forwarding")
    if file.exists():
        file.write_text(str(int(on)))


def _addresses() -> set[str]:
    shown = json.loads(_run("ip", "-j", "-4", "addr"))
    return {str(one["local"]) for link in shown for one in link.get("addr_info", []) if "local" in one}


def _ways() -> set[str]:
    """The machine's interfaces that lead to the cluster's API server and Prometheus."""
    env = cluster()
    shown = _run(env["KUBECTL"], "--kubeconfig", env["KUBECONFIG"], "config", "view", "-o", "json")
    urls = [env["PROMETHEUS_URL"], *(one["cluster"]["server"] for one in json.loads(shown)["clusters"])]
    routes = [json.loads(_run("ip", "-j", "route", "get", str(urlsplit(url).hostname))) for url in urls]
    return {str(one["dev"]) for route in routes for one in route}


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    if done.returncode != 0:
        raise RigError(f"{' '.join(command[:4])}: {done.stderr.strip()}")
    return done.stdout
