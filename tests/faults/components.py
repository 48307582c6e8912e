"""Signals to the processes of the cluster and of Airflow: faults that are real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

from demo.airflow import Airflow
from sandbox import cluster
from sandbox.common import state


def signal_component(name: str, number: signal.Signals) -> None:
    """Send a signal to one component of the sandbox, such as `etcd` or `prometheus`."""
    init = cluster.init_pid()
    assert init is not None, "the fault tests need the embedded cluster"
    pids = json.loads((state() / "pids.json").read_text())
    kill = ["kill", f"-{number.name.removeprefix('SIG')}", str(pids[name])]
    subprocess.run([*cluster.inside(init), *kill], check=True, timeout=10)


def airflow_processes(airflow: Airflow, component: str) -> list[int]:
    """The processes of one component (`scheduler`, `triggerer`, `api-server`, `dag-processor`), oldest first."""
    parent, found = airflow.pid(), []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            session = int((process / "stat").read_text().rsplit(")", 1)[1].split()[3])
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if session == parent and component in words and "standalone" not in words:
            found.append(int(process.name))
    return sorted(found)


def kill_airflow(airflow: Airflow, component: str) -> None:
    """kill -9 of one component of Airflow, with all its processes."""
    found = airflow_processes(airflow, component)
    assert found, f"no process of {component}"
    for pid in found:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
