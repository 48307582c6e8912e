"""A second triggerer beside the first: stopped until a fault lets it go on, and take over what the first has."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.faults.components import signal_airflow
from tests.faults.supervisor import SECOND
from tests.support.world import World

ALIVE = "/jobs?job_type=TriggererJob&is_alive=true"


def second_triggerer(world: World, home: Path, wanted: bool) -> None:
    """Have a second triggerer, which is stopped until it is needed, or have none."""
    file = home / "wanted" / SECOND
    if wanted:
        # One that ended counts as alive for a while.
        known = _alive(world)
        file.touch()
        world.wait("a second triggerer", lambda: bool(_alive(world) - known), 180)
        signal_airflow(home, SECOND, signal.SIGSTOP)
    elif file.exists():
        file.unlink()
        if _pid(home):  # it may have ended, and is not started again now
            for number in (signal.SIGCONT, signal.SIGTERM):
                signal_airflow(home, SECOND, number)
        world.wait("the second triggerer's end", lambda: not _pid(home), 60)


def _alive(world: World) -> set[int]:
    """The jobs of the triggerers that are alive, as Airflow's heartbeats tell."""
    return {job["id"] for job in world.airflow.call("GET", ALIVE)["jobs"]}


def _pid(home: Path) -> int:
    return int(json.loads((home / "pids.json").read_text())[SECOND])
