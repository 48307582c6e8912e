"""The faults of whole hosts: each has its moments, and is held long enough to mean something."""

from __future__ import annotations

import pytest

from rig.distributed.airflow import HAND_OVER
from rig.distributed.hosts import hosts
from tests.distributed.faults import FAULTS, HELD_S, LOST_S, WAYS, WORDS
from tests.faults.arena import LEASE_S
from tests.faults.scene import MOMENTS


def test_each_kind_of_host_is_broken_in_each_way() -> None:
    kinds = {one.name.rpartition("-")[0] for one in hosts()}
    assert set(FAULTS) == {f"{kind}-{way}" for kind in kinds for way in WAYS}
    assert set(WORDS) == set(WAYS)


@pytest.mark.parametrize("name", FAULTS)
def test_it_is_made_in_moments_that_there_are(name: str) -> None:
    assert set(FAULTS[name].phases) <= set(MOMENTS)


@pytest.mark.parametrize("name", FAULTS)
def test_no_good_release_is_taken_back_for_what_watches_or_starts_tasks(name: str) -> None:
    assert (FAULTS[name].ends == ("promoted",)) is not name.startswith("worker")


def test_what_is_stopped_or_cut_off_comes_back_after_a_lease() -> None:
    assert HELD_S > LEASE_S


def test_a_worker_is_cut_off_for_longer_than_airflow_waits_for_its_task() -> None:
    assert float(HAND_OVER["AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT"]) < LOST_S
