"""`python -m demo`: the embedded cluster, Airflow, and four releases; ends with a table and leaves all running."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from typing import Any

from demo.driving import DAG_ID, ended, follow, prepared, say
from demo.table import shown
from glidepath.record import Record
from glidepath.release.journal import Journal
from glidepath.release.report import Report, report, row
from rig import witness
from rig.airflow import Airflow
from rig.environment import REPO, RigError, cluster

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


def main() -> int:
    """0 when the good version was promoted and every bad one rolled back."""
    airflow, record = prepared()
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
    sys.exit(ended(main))
