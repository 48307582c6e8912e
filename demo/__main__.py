"""`python -m demo`: the embedded cluster, Airflow, and four releases; ends with a table and leaves all running."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from demo.table import shown
from glidepath.record import Record
from glidepath.release.journal import Journal
from glidepath.release.report import Report, report, row
from rig import stage, witness
from rig.airflow import Airflow
from rig.environment import REPO, STATE, RigError, cluster

STABLE = "v1"
RATE = 100.0
BASELINE_REQUESTS = 6000
RUN_TIMEOUT_S = 1500
DAG_ID = "release_model_service"
RESULT = REPO / "demo-result.json"


@dataclass(frozen=True)
class Act:
    """One release of the demonstration: what is released, and how it has to end."""

    version: str
    what: str
    expected: str


ACTS = (
    Act("v2", "a better model, as quick and as reliable", "promoted"),
    Act("v3", "errors x10", "rolled_back"),
    Act("v4", "p95 latency +30 %", "rolled_back"),
    Act("v6", "calls every message ham: quick and without errors", "rolled_back"),
)

_started = time.monotonic()


def say(text: str) -> None:
    """A line of progress."""
    print(f"[demo {time.monotonic() - _started:5.0f} s] {text}", flush=True)


def play(airflow: Airflow, record: Record, act: Act) -> dict[str, Any]:
    """Release one version through the DAG; its row of the table."""
    say(f"release {act.version} ({act.what}); expected: {act.expected}")
    began = time.time()
    run_id = airflow.trigger(DAG_ID, {"version": act.version})
    release_id = f"{DAG_ID}/{run_id}"
    follow(airflow, record, run_id, release_id)
    state = airflow.wait_run(DAG_ID, run_id, 120)
    if record.find(release_id) is None:
        raise RigError(f"release {act.version} was not planned:\n{airflow.log(DAG_ID, run_id, 'plan')[-2000:]}")
    told = report(record, release_id)
    seen = witness.counts(began)
    say(f"release {act.version}: {told.outcome}, the run is {state}: {told.reason}")
    return {
        **row(told),
        "canary_requests": seen[act.version].requests if act.version in seen else 0,
        "failed_requests": seen[act.version].errors if act.version in seen else 0,
        "brake_seconds": brake_seconds(record, told, seen.get(act.version)),
        "routing_failures": witness.routing_failures(seen),
        "expected": act.expected,
        "run": run_id,
    }


def brake_seconds(record: Record, told: Report, seen: witness.Seen | None) -> float | None:
    """From the verdict to the last request that callers sent to the canary; None without a FAIL."""
    verdict = Journal(record, told.id).harm()
    if verdict is None or seen is None:
        return None
    return round(max(0.0, seen.last - verdict.noted), 3)


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


def main() -> int:
    """0 when the good version was promoted and every bad one rolled back."""
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
    record = Record(f"sqlite:///{airflow.home}/glidepath.db")
    rows = [play(airflow, record, act) for act in ACTS]
    RESULT.write_text(json.dumps(rows, indent=1) + "\n")
    print("\n" + shown(rows))
    good = all(one["outcome"] == one["expected"] for one in rows)
    print(f"\nThe same as JSON: {RESULT.name}")
    print(f"Look at it: {airflow.url}/dags/{DAG_ID} (admin / admin); metrics: {cluster()['PROMETHEUS_URL']}")
    print("It all goes on running; `make down` ends it.")
    if not good:
        print("NOT as expected: " + ", ".join(f"{one['version']} {one['outcome']}" for one in rows), file=sys.stderr)
    return 0 if good else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except RigError as error:
        print(f"demo: {error}", file=sys.stderr)
        sys.exit(2)
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    except KeyboardInterrupt:
        print("\ndemo: interrupted; run it again, or `make down` to end what runs", file=sys.stderr)
        sys.exit(130)
