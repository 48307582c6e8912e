"""Where faults of whole hosts are made: an Airflow on several of them, with its database and the record in Postgres."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glidepath.record import Record
from rig import stage
from rig.distributed.airflow import DistributedAirflow
from rig.environment import STATE
from tests.faults.arena import POLICY
from tests.faults.ground import RATE, Ground
from tests.faults.synced import forget_sync
from tests.support import policies


class Fleet(Ground):
    """A world whose Airflow has hosts."""

    airflow: DistributedAirflow

    def __init__(self, airflow: DistributedAirflow) -> None:
        self.home = airflow.home
        super().__init__(airflow, Record(airflow.record_url))

    @classmethod
    def open(cls, say: Callable[[str], None]) -> Fleet:
        """Everything up: the stage, then the hosts. What an earlier one left is ended first."""
        home = STATE / "distributed"
        folder = policies.write(home / "policies", **POLICY)
        airflow = DistributedAirflow(home / "airflow", folder)
        airflow.stop()
        forget_sync()
        stage.set_stage("v1", RATE, say)
        say(f"Airflow starts on {len(airflow.hosts)} hosts and a central one; a minute or two (logs: {airflow.home})")
        airflow.start()
        airflow.wait_dag(policies.DAG_ID, timeout_s=300)
        say(f"Airflow is at {airflow.url}")
        return cls(airflow)

    def close(self) -> None:
        """End the hosts; the cluster stays."""
        self.airflow.stop()

    def fake_clock(self, on: bool) -> None:
        """Clocks are the machine's here."""
        assert not on, "these hosts have no clock that steps; the fault belongs to tests/faults"

    def ready(self, say: Callable[[str], None]) -> str:
        """Make the stage ready for the next case; the stable version."""
        for name in self.airflow.hosts:
            self.airflow.cut(name, False)
            self.hold_down(name, False)
        self.wait("every host", self.airflow.healthy, 240)
        return self.settle(say, lambda: None)

    def hold_down(self, name: str, down: bool) -> None:
        """Keep a host's component from being started again, or let it."""
        file = self.home / "held" / name
        file.touch() if down else file.unlink(missing_ok=True)

    def host_at(self, address: str) -> str:
        """The host of an address, as Airflow notes it.

        Raises:
            KeyError: It is none of them.
        """
        return {self.airflow.network.address(one.number): name for name, one in self.airflow.hosts.items()}[address]

    def guards_host(self, run: str) -> str:
        """The triggerer that has the guard of a run; empty while none has.

        Args:
            run: The run in Airflow's API.
        """
        row: dict[str, Any] = self.airflow.call("GET", f"{run}/taskInstances/guard")
        job = row.get("triggerer_job")
        return self.host_at(job["hostname"]) if job else ""

    def working(self, run: str) -> str:
        """A worker in a task of a run; empty when there is none."""
        rows = self.airflow.call("GET", f"{run}/taskInstances?state=running")["task_instances"]
        return next((self.host_at(one["hostname"]) for one in rows if one["hostname"]), "")
