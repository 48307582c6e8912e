"""Signals to the processes of the cluster and of Airflow: faults that are real."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rig.airflow import Airflow
from sandbox import cluster
from sandbox.common import state


def signal_component(name: str, number: signal.Signals) -> None:
    """Send a signal to one component of the sandbox, such as `etcd` or `prometheus`."""
    init = cluster.init_pid()
    assert init is not None, "the fault tests need the embedded cluster"
    pids = json.loads((state() / "pids.json").read_text())
    kill = ["kill", f"-{number.name.removeprefix('SIG')}", str(pids[name])]
    subprocess.run([*cluster.inside(init), *kill], check=True, timeout=10)


def in_pods(match: Callable[[str, str], bool]) -> list[int]:
    """Processes in pods of this sandbox's cluster, and of no other, by (command line, the pod's name)."""
    init = cluster.init_pid()
    assert init is not None, "the fault tests need the embedded cluster"
    parents, words = _processes()
    return [pid for pid, (line, pod) in words.items() if match(line, pod) and _descends(pid, init, parents)]


def _processes() -> tuple[dict[int, int], dict[int, tuple[str, str]]]:
    parents: dict[int, int] = {}
    words: dict[int, tuple[str, str]] = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with suppress(OSError, IndexError):
            pid = int(process.name)
            parents[pid] = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            given = (process / "environ").read_bytes().decode(errors="replace").split("\0")
            host = next((one.removeprefix("HOSTNAME=") for one in given if one.startswith("HOSTNAME=")), "")
            words[pid] = (line, host)
    return parents, words


def _descends(pid: int, ancestor: int, parents: dict[int, int]) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        pid = parents.get(pid, 0)
    return False


def airflow_processes(airflow: Airflow, match: Callable[[str], bool]) -> list[int]:
    """Processes of this Airflow by their command line, oldest first."""
    parent, found = airflow.pid(), []
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        with suppress(OSError, IndexError):
            session = int((process / "stat").read_text().rsplit(")", 1)[1].split()[3])
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if session == parent and match(words):
                found.append(int(process.name))
    return sorted(found)


def component_pid(home: Path, component: str) -> int:
    """The process of a component of a supervised Airflow."""
    pid = int(json.loads((home / "pids.json").read_text())[component])
    assert pid, f"{component} is not running"
    return pid


def signal_airflow(home: Path, component: str, number: signal.Signals) -> None:
    """Signal a component of a supervised Airflow with all its processes; tasks are in process groups of their own."""
    signal_all(family(component_pid(home, component)), number)


def family(pid: int) -> list[int]:
    """A process, what it has started, and what those have."""
    parents, _ = _processes()
    return sorted(one for one in parents if _descends(one, pid, parents))


def parent(pid: int) -> int:
    """Who started a process; 0 when it is gone."""
    return _processes()[0].get(pid, 0)


def signal_all(pids: list[int], number: signal.Signals) -> int:
    """Send a signal to each; how many were there still."""
    there = 0
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            there += 1
    return there
