"""One cluster and one Airflow for all tests that need them; each such test starts with v1 stable under traffic."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from tests.support.world import World

# How long an example takes is the machine's affair; pytest's own time limit finds one that hangs.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")

RATE = 100.0
# A minute and a half: of less, chance can look like moods of pods, under which a slower version takes hours to prove.
BASELINE_REQUESTS = 9000
# The demo's, but for the first bake.
STEPS = [{"weight": 20, "bake": "10s", "min_requests": 300}, {"weight": 50, "bake": "60s", "min_requests": 2000}]


def say(text: str) -> None:
    """Progress, for `pytest -s`."""
    print(f"[cluster] {text}", flush=True)


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    """Everything up, Airflow and its record fresh; both stay to be looked at when a test has failed."""
    # Only here: unit tests need none of it.
    from glidepath.record import Record
    from rig import stage
    from rig.airflow import Airflow
    from rig.environment import STATE
    from tests.support import policies, secrets, services
    from tests.support.values import Values
    from tests.support.world import World

    home = STATE / "e2e"
    Airflow(home).stop()
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    values = Values.made(home)
    folder = policies.write(home / "policies", deploy_timeout="25s", steps=STEPS, gitops=values.gitops)
    airflow = Airflow(home, folder, extra=lambda: {**secrets.connections(), **services.connections()})
    airflow.start()
    airflow.wait_dag(policies.DAG_ID)
    # Only now, and anew: a baseline that has seen Airflow take all processors knows pods of one version as not alike.
    stage.remove()
    stage.set_stage("v1", RATE, say)
    yield World(airflow, Record(f"sqlite:///{home}/glidepath.db"), values)
    airflow.stop()


@pytest.fixture
def on_v1(world: World) -> World:
    """v1 stable, and enough of its traffic seen to plan from."""
    from rig import stage

    since = 0.0
    world.airflow.start()
    if not stage.pristine("v1"):
        since = time.time()
        stage.set_stage("v1", RATE, say)
    stage.wait_answers("v1", BASELINE_REQUESTS, since, timeout_s=180)
    return world
