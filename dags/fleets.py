"""One DAG for each fleet in include/fleets: releases of several services, in waves.

wave_1 -> wave_2 -> ...    a wave is a task a service, so many at once; it begins when the one before is promoted as a whole
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from airflow.sdk import DAG, Param, TaskGroup
from airflow.sdk.exceptions import AirflowException

from glidepath.errors import PolicyError
from glidepath.operators.fleet import RefusedOperator, ReleaseInFleetOperator
from glidepath.operators.times import times_of
from glidepath.policy import VERSION, dag_id_of, policy_files
from glidepath.policy.fleet import Fleet, fleet_id_of, load_fleet

CHECKOUT = Path(__file__).resolve().parents[1]
POLICIES = Path(os.environ.get("GLIDEPATH_POLICIES", CHECKOUT / "include" / "policies"))
FLEETS = Path(os.environ.get("GLIDEPATH_FLEETS", CHECKOUT / "include" / "fleets"))
PREFIX = "release_"


def form() -> dict[str, Param]:
    """The trigger form."""
    return {
        "version": Param(
            None, type=["null", "string"], pattern=VERSION, title="Version to release",
            description="Of all services. Empty: `versions`, or each policy's own.",
        ),
        "versions": Param(
            {}, type="object", title="Versions by service", additionalProperties={"type": "string", "pattern": VERSION},
            description='Such as {"cart": "v2", "search": "1.4.2"}; these come first.',
        ),
        "override_freeze": Param(
            None, type=["null", "string"], minLength=8, title="Override a freeze",
            description="Why the releases can't wait for the end of a freeze window. Recorded.",
        ),
        "dry_run": Param(False, type="boolean", title="Dry run", description="Plan and render each; touch nothing."),
    }  # fmt: skip


def build(fleet: Fleet, waves: list[list[str]], ids: dict[str, str]) -> DAG:
    """The DAG of a fleet.

    Args:
        fleet: It.
        waves: The names of each wave's policies.
        ids: The release DAG of each name.
    """
    retried: dict[str, Any] = {"retries": 3, "retry_delay": timedelta(seconds=5), "retry_exponential_backoff": 2.0}
    everything = [ids[name] for wave in waves for name in wave]
    with DAG(
        fleet.dag_id,
        description=f"Releases {len(everything)} services in {len(waves)} waves, {fleet.concurrent} at once",
        schedule=times_of(fleet.schedule, fleet.timezone),
        catchup=False,
        max_active_runs=1,
        params=form(),
        tags=["glidepath", "fleet"],
        doc_md=__doc__,
    ) as dag:
        before: list[ReleaseInFleetOperator] = []
        for number, wave in enumerate(waves, 1):
            with TaskGroup(f"wave_{number}"):
                lanes: list[list[ReleaseInFleetOperator]] = [[] for _ in range(fleet.concurrent)]
                for place, name in enumerate(wave):
                    task = ReleaseInFleetOperator(
                        task_id=name, release=name, trigger_dag_id=ids[name], fleet=everything, **retried
                    )
                    lane = lanes[place % fleet.concurrent]
                    (lane[-1:] or before) >> task
                    lane.append(task)
            before = [lane[-1] for lane in lanes if lane]
    return dag


def refused(dag_id: str, why: str) -> DAG:
    """What stands in for a fleet that is not valid: its runs fail, and say why."""
    with DAG(dag_id, dag_display_name=f"{dag_id}: not valid", description=why, tags=["glidepath", "policy-error"],
             schedule=None, catchup=False, doc_md=f"The fleet is not valid:\n\n```\n{why}\n```") as dag:  # fmt: skip
        RefusedOperator(task_id="refused", why=why)
    return dag


def built(path: Path, ids: dict[str, str]) -> DAG:
    """The DAG of a fleet's file."""
    try:
        fleet = load_fleet(path)
        dag = build(fleet, fleet.chosen(ids), ids)
        dag.validate()
    except PolicyError as error:
        return refused(fleet_id_of(path), str(error) if str(path) in str(error) else f"{path}: {error}")
    except (ValueError, AirflowException) as error:
        return refused(
            fleet_id_of(path), f"{path}: Airflow does not take its DAG with schedule {fleet.schedule!r}: {error}"
        )
    return dag


if FLEETS.is_dir():
    releases = {
        dag_id_of(file).removeprefix(PREFIX).replace("_", "-"): dag_id_of(file) for file in policy_files(POLICIES)
    }
    for file in sorted(FLEETS.glob("*.y*ml")):
        made = built(file, releases)
        globals()[made.dag_id] = made
