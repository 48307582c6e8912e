"""What the programs of this folder share: the rig made ready, a release followed, how a program ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable

from glidepath.record import Record
from rig import stage
from rig.airflow import Airflow
from rig.environment import REPO, STATE, RigError

STABLE = "v1"
RATE = 100.0
BASELINE_REQUESTS = 6000
RUN_TIMEOUT_S = 1500
DAG_ID = "release_model_service"

_started = time.monotonic()


def say(text: str) -> None:
    """A line of progress."""
    print(f"[demo {time.monotonic() - _started:5.0f} s] {text}", flush=True)


def prepared() -> tuple[Airflow, Record]:
    """The cluster, Airflow, and the stable version under traffic for so long that it has a past."""
    if os.environ.get("GLIDEPATH_CLUSTER") != "own":
        subprocess.run([sys.executable, "-m", "sandbox", "up"], cwd=REPO, check=True)
    airflow = Airflow(STATE / "airflow")
    airflow.stop()
    say("Airflow starts (scheduler, triggerer, API server, DAG processor)")
    airflow.start()
    airflow.wait_dag(DAG_ID)
    say(f"Airflow is healthy: {airflow.url}")
    # Only now: while Airflow starts it takes all processors, and pods of one version are not alike then. A baseline that
    # has seen that leaves a canary that is 30 % slower undecided.
    stage.set_stage(STABLE, RATE, say)
    since = time.time()
    stage.wait_answers(STABLE, BASELINE_REQUESTS, since)
    return airflow, Record(f"sqlite:///{airflow.home}/glidepath.db")


def follow(airflow: Airflow, record: Record, run_id: str, release_id: str) -> None:
    """Print phases and looks as they come, until the run has ended."""
    told, started = "", time.monotonic()
    while airflow.state(DAG_ID, run_id) not in ("success", "failed"):
        release = record.find(release_id)
        look = record.last_look(release_id) if release else None
        now = release.phase if release else "planning"
        if look is not None and now == "baking":
            now += f", step {look['step']} at {look['weight']} %: {look['verdict']} ({look['reason']})"
        if now != told:
            say(f"  {now}")
            told = now
        if time.monotonic() - started > RUN_TIMEOUT_S:
            raise RigError(f"run {run_id} has not ended after {RUN_TIMEOUT_S} s: {airflow.tasks(DAG_ID, run_id)}")
        time.sleep(2)


def ended(program: Callable[[], int]) -> int:
    """The exit code of a program that drives the rig; what went wrong goes to stderr."""
    try:
        return program()
    except RigError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        return error.returncode
    except KeyboardInterrupt:
        print("\ndemo: interrupted; run it again, or `make down` to end what runs", file=sys.stderr)
        return 130
