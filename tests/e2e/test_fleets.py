"""A fleet through Airflow: waves are releases as any other, and after one that is not promoted none begins."""

from __future__ import annotations

import time

import pytest
import yaml

from tests.support.world import World, assert_at_rest

pytestmark = [pytest.mark.cluster, pytest.mark.long, pytest.mark.timeout(900)]
FLEET = "fleet_shop"


@pytest.fixture
def fleet(on_v1: World) -> World:
    """Two waves: the service, and the same by a policy of another name."""
    folder = on_v1.airflow.policies
    policy = yaml.safe_load((folder / "model-service.yaml").read_text())
    (folder / "again.yaml").write_text(yaml.safe_dump(policy | {"name": "again"}))
    fleets = folder.parent / "fleets"
    fleets.mkdir(exist_ok=True)
    (fleets / "shop.yaml").write_text("name: shop\nwaves: [[model-service], [again]]\n")

    def read() -> bool:
        return {FLEET, "release_again"} <= {
            row["dag_id"] for row in on_v1.airflow.call("GET", "/dags?limit=100")["dags"]
        }

    on_v1.wait("Airflow has read the fleet", read, 120)
    for dag in (FLEET, "release_again"):
        on_v1.airflow.call("PATCH", f"/dags/{dag}", {"is_paused": False})
    return on_v1


def test_each_wave_is_released_after_the_one_before_and_harm_ends_the_fleet(fleet: World) -> None:
    run = fleet.airflow.trigger(FLEET, {"version": "v2", "dry_run": True})
    assert fleet.airflow.wait_run(FLEET, run, 240) == "success"
    assert fleet.airflow.tasks(FLEET, run) == {"wave_1.model-service": "success", "wave_2.again": "success"}
    first, second = (fleet.record.get(f"release_{name}/{FLEET}__{run}") for name in ("model_service", "again"))
    assert (first.outcome, second.outcome) == ("dry_run", "dry_run")
    assert first.created < second.created

    began = time.time()
    run = fleet.airflow.trigger(FLEET, {"versions": {"model-service": "v3", "again": "v2"}})
    assert fleet.airflow.wait_run(FLEET, run, 300) == "failed"
    assert fleet.airflow.tasks(FLEET, run) == {"wave_1.model-service": "failed", "wave_2.again": "upstream_failed"}
    assert fleet.record.get(f"release_model_service/{FLEET}__{run}").outcome == "rolled_back"
    assert fleet.record.find(f"release_again/{FLEET}__{run}") is None
    assert_at_rest("v1", began)
