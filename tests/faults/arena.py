"""Where faults are made: a supervised Airflow, proxies that can misbehave before the API and Prometheus, a record on a
small file system of its own, and one policy that is quick."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from glidepath.record import Record
from rig import stage
from rig.airflow import Airflow
from rig.environment import NAMESPACE, REPO, STATE
from tests.faults.clock import stepclock
from tests.faults.components import component_pid
from tests.faults.ground import RATE, Ground
from tests.faults.proxies import Proxies
from tests.faults.second import second_triggerer
from tests.faults.synced import forget_sync

RECORD_BYTES = 24 * 2**20
TIMEOUT_DAG = "release_with_timeout"
DAGRUN_TIMEOUT_S = 45
# Wider margins than the demo's: what is asked here is what a fault does to a release, not what the judge can see.
POLICY: dict[str, Any] = {
    "steps": [
        {"weight": 20, "bake": "5s", "min_requests": 100},
        {"weight": 50, "bake": "5s", "min_requests": 200},
    ],
    "metrics": [
        {"kind": "errors", "tolerance": 0.1, "harm_margin": 0.002, "safety_margin": 0.03},
        {"kind": "latency", "quantile": 0.95, "tolerance": 1.6},
    ],
    "evidence": {"source": "app", "scrape": "5s", "baseline": "5m"},
    "on_no_data": {"after": "20s", "action": "rollback"},
    "max_duration": "4m",
    "deploy_timeout": "60s",
    "lease": "20s",
}
LEASE_S = 20.0
# The run that Airflow itself ends: the same tasks under a dagrun_timeout. Airflow takes a DAG for that of any file that
# builds it, so this one must build none of the other's: its folder of policies is empty.
TIMEOUT_FILE = """\
import os
from datetime import timedelta
from functools import partial
from pathlib import Path
from airflow import sdk
os.environ["GLIDEPATH_POLICIES"] = {empty!r}
import progressive_release as shape
shape.DAG = partial(sdk.DAG, dagrun_timeout=timedelta(seconds={seconds}))
policy, wrong = shape.read(Path({policy!r}))
dag = shape.build({dag!r}, policy, Path({policy!r}), wrong)
"""


class Arena(Ground):
    """A world with handles for faults."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.proxies = Proxies(home)
        command = (sys.executable, "-m", "tests.faults.supervisor", str(home))
        super().__init__(Airflow(home, home / "policies", command, self.environment), Record(self.record_url))

    @classmethod
    def open(cls, say: Callable[[str], None]) -> Arena:
        """Everything up: the stage, the proxies, Airflow. What an earlier arena left is ended first."""
        home = STATE / "faults"
        Airflow(home, command=(str(home),)).stop()
        _unmount(home / "record")
        keep = home / "failures"
        for one in home.glob("*") if home.exists() else ():
            if one != keep:
                shutil.rmtree(one) if one.is_dir() else one.unlink()
        for folder in ("record", "dags", "policies", "held", "wanted"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        size = f"size={RECORD_BYTES}"
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(home / "record")], check=True)
        arena = cls(home)
        arena._write_files()
        forget_sync()
        stage.set_stage("v1", RATE, say)
        arena.proxies.start(arena.wait)
        arena.proxies.connect()
        say("Airflow starts under a supervisor")
        arena.airflow.start()
        for dag in ("release_model_service", TIMEOUT_DAG):
            arena.airflow.wait_dag(dag, timeout_s=300)
        return arena

    def close(self) -> None:
        """End what this arena started; the cluster stays."""
        self.airflow.stop()
        self.proxies.stop()
        _unmount(self.home / "record")

    @property
    def record_url(self) -> str:
        """The record's database."""
        return f"sqlite:///{self.home}/record/glidepath.db"

    def environment(self) -> dict[str, str]:
        """What this Airflow has beside the demo's environment."""
        kubernetes = {"conn_type": "kubernetes", "extra": {"kube_config_path": str(self.home / "kubeconfig.json")}}
        return {
            "PYTHONPATH": f"{REPO}:{REPO / 'plugins'}",
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.home / "dags"),
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "40",
            # Tasks of a scheduler that died are looked for at its successor's start, when they don't count as lost yet.
            "AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL": "20",
            "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
            # A second triggerer takes over what the first has well before a lease is over.
            "AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC": "1",
            "AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD": "10",
            "AIRFLOW_CONN_KUBERNETES_DEFAULT": json.dumps(kubernetes),
            "AIRFLOW_CONN_PROMETHEUS_DEFAULT": self.proxies.url("prometheus"),
            "GLIDEPATH_RECORD_URL": self.record_url,
        }

    def _write_files(self) -> None:
        self.edit_policy({})
        self.restore_dag()
        empty, policy = self.home / "no-policies", self.home / "policies" / "model-service.yaml"
        empty.mkdir(exist_ok=True)
        (self.home / "dags" / "with_timeout.py").write_text(
            TIMEOUT_FILE.format(empty=str(empty), seconds=DAGRUN_TIMEOUT_S, policy=str(policy), dag=TIMEOUT_DAG)
        )

    def edit_policy(self, changes: dict[str, Any]) -> None:
        """Have the policy's file say what it should, but for these."""
        file = self.home / "policies" / "model-service.yaml"
        policy = yaml.safe_load((REPO / "include" / "policies" / "model-service.yaml").read_text())
        text = yaml.safe_dump(policy | POLICY | changes, sort_keys=False)
        if not file.exists() or file.read_text() != text:
            file.write_text(text)

    @property
    def dag_file(self) -> Path:
        """The DAG file that this Airflow reads."""
        return self.home / "dags" / "progressive_release.py"

    def restore_dag(self) -> None:
        """Put the DAG file (back) into its place."""
        shutil.copy(REPO / "dags" / "progressive_release.py", self.dag_file)

    def component(self, name: str) -> int:
        """A component's process."""
        return component_pid(self.home, name)

    def hold_down(self, name: str, down: bool) -> None:
        """Keep a component from being started again, or let it."""
        file = self.home / "held" / name
        file.touch() if down else file.unlink(missing_ok=True)

    def clock(self, offset_s: int | None) -> None:
        """Step the clock of Airflow's processes; None: their clock is the machine's. Needs `fake_clock(True)`."""
        new = self.home / "clock.new"
        new.write_text(f"{offset_s or 0:+d}")
        new.rename(self.home / "clock")

    def fake_clock(self, on: bool) -> None:
        """Start Airflow anew with, or without, a clock that can be stepped."""
        given = self.home / "environment.json"
        if on == given.exists():
            return
        self.clock(None)
        preload = {"LD_PRELOAD": str(stepclock(self.home)), "STEPCLOCK": str(self.home / "clock")}
        given.write_text(json.dumps(preload)) if on else given.unlink()
        self.airflow.stop()
        self.airflow.start()

    def fill_record(self, full: bool) -> None:
        """Leave no byte free where the record is, or give all back."""
        ballast = self.home / "record" / "ballast"
        if not full:
            ballast.unlink(missing_ok=True)
            return
        free = os.statvfs(ballast.parent)
        with ballast.open("wb", buffering=0) as file:
            try:
                for _ in range(free.f_bavail + 16):
                    file.write(b"\0" * free.f_frsize)
            except OSError:
                return
        raise AssertionError("the record's file system could not be filled")

    def ready(self, say: Callable[[str], None]) -> str:
        """Make the stage ready for the next case: one stable version with a past, all healthy. The stable version."""
        for side in ("kubernetes", "prometheus"):
            self.proxies.misbehave(side)
        self.fill_record(False)
        self.restore_dag()
        self.edit_policy({})
        for one in (self.home / "held").glob("*"):
            one.unlink()
        second_triggerer(self, self.home, False)
        # A case that could not be followed to its end leaves its release under way, and a run with old tokens.
        self.airflow.start()
        return self.settle(say, self.proxies.connect)


def _unmount(folder: Path) -> None:
    if f" {folder} " in Path("/proc/mounts").read_text():
        subprocess.run(["umount", "-l", str(folder)], check=True)


__all__ = ["Arena", "DAGRUN_TIMEOUT_S", "LEASE_S", "NAMESPACE", "TIMEOUT_DAG"]
