"""How long callers still reach the canary after Airflow is lost at the worst moment: just after a renewal.

`python -m tests.faults loss --times 3`: with the policy's default lease. Every process of Airflow is killed at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from random import Random

import yaml

from glidepath.policy import Policy
from rig import witness
from tests.faults.arena import Arena
from tests.faults.scene import MOMENTS, Moment, Scene
from tests.support.policies import DAG_ID
from tests.support.world import lease

BAKING = Moment(MOMENTS["baking"].name, conf=(("weights", [50]), ("bake", "10m")))


def renewed() -> str:
    """The Lease's last renewal."""
    return str(lease()["spec"]["renewTime"])


def once(arena: Arena, say: Callable[[str], None]) -> float:
    """Kill Airflow just after a renewal; seconds until callers last sent the canary a request."""
    stable = arena.ready(say)
    scene = Scene(arena, BAKING, stable, "v2" if stable == "v1" else "v1", Random(0), DAG_ID)
    scene.start()
    arena.wait("a look", scene.reached, 150)
    before = renewed()
    arena.wait("a renewal", lambda: renewed() != before, 30)
    arena.airflow.kill()
    killed = time.time()
    duration = lease()["spec"]["leaseDurationSeconds"]
    arena.wait(
        "no more requests", lambda: time.time() - witness.counts(scene.began)[scene.canary].last > 3, 2 * duration + 30
    )
    seconds = witness.counts(scene.began)[scene.canary].last - killed
    say(f"lease {duration} s: the canary's last request {seconds:.1f} s after the loss of Airflow")
    arena.airflow.start()
    arena.wait("the run's end", lambda: arena.airflow.state(DAG_ID, scene.run_id) == "failed", 300)
    return float(seconds)


def measure(times: int, say: Callable[[str], None]) -> list[float]:
    """Do it so many times, with the policy's default lease."""
    arena = Arena.open(say)
    try:
        file = arena.home / "policies" / "model-service.yaml"
        policy = yaml.safe_load(file.read_text()) | {
            "lease": Policy.model_fields["lease"].default,
            "max_duration": "20m",
        }
        file.write_text(yaml.safe_dump(policy))
        return [once(arena, say) for _ in range(times)]
    finally:
        arena.close()
