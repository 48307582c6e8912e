"""Releases through an Airflow on several hosts, and hosts that break in the middle of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.conftest import say
from tests.distributed.faults import FAULTS
from tests.distributed.fleet import Fleet
from tests.faults.case import as_row, play
from tests.support.policies import DAG_ID
from tests.support.world import assert_at_rest

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(900)]
SEED = 7


@pytest.fixture(scope="session")
def fleet() -> Iterator[Fleet]:
    """Two schedulers, two Celery workers and two triggerers, a host each."""
    opened = Fleet.open(say)
    yield opened
    opened.close()


def test_a_good_version_is_promoted(fleet: Fleet) -> None:
    stable, began = fleet.ready(say), time.time()
    canary = "v2" if stable == "v1" else "v1"
    run_id, release_id = fleet.start(version=canary)
    assert fleet.end(run_id) == "success"
    assert fleet.record.get(release_id).outcome == "promoted"
    assert_at_rest(canary, began)
    rows = fleet.airflow.call("GET", f"/dags/{DAG_ID}/dagRuns/{run_id}/taskInstances?limit=100")["task_instances"]
    on = {fleet.host_at(one["hostname"]) for one in rows if one["hostname"]}
    say(f"{len(rows)} tasks ran on {', '.join(sorted(on))}")
    assert on <= {"worker-1", "worker-2"}
    # Each wrote its log on a disk of its own; the API server fetches it from there.
    assert f"{canary} is the stable version" in fleet.log(run_id, "finish")


def test_a_harmful_version_is_taken_back(fleet: Fleet) -> None:
    stable, began = fleet.ready(say), time.time()
    state, release = fleet.released(version="v3")
    assert (state, release.outcome) == ("failed", "rolled_back"), release.reason
    assert_at_rest(stable, began)


@pytest.mark.parametrize(
    ("name", "phase"), [(fault.name, phase) for fault in FAULTS.values() for phase in fault.phases]
)
def test_whatever_happens_to_a_host_it_is_safe(fleet: Fleet, name: str, phase: str) -> None:
    result = play(fleet, FAULTS[name], phase, SEED, say)
    say(json.dumps(as_row(result)))
    assert result.broken == [], f"see {fleet.home}/failures"
