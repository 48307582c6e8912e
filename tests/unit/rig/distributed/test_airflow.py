"""What a distributed Airflow is told, and that a guard's hand-over is over within a lease."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from airflow.configuration import conf

from glidepath.policy.load import load_policy
from rig.distributed import airflow as distributed
from rig.distributed.airflow import HAND_OVER, DistributedAirflow
from rig.distributed.backing import Service
from rig.environment import REPO, RigError
from tests.faults.arena import LEASE_S


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DistributedAirflow:
    basic = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__EXECUTOR": "LocalExecutor"}
    monkeypatch.setattr(distributed, "airflow_environment", lambda *_: dict(basic))
    monkeypatch.setattr(
        distributed,
        "services",
        lambda folder, address, _: [Service("database", ("postgres", str(folder)), address, 5432)],
    )
    monkeypatch.setattr(distributed, "create_command", lambda address, name: ["createdb", address, name])
    return DistributedAirflow(tmp_path / "home", tmp_path / "policies")


def test_tasks_go_to_celery_and_all_that_is_kept_is_in_postgres(made: DistributedAirflow) -> None:
    env = made.environment(8080)
    assert env["AIRFLOW__CORE__EXECUTOR"] == "CeleryExecutor"
    for name in ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "GLIDEPATH_RECORD_URL"):
        assert env[name].startswith("postgresql+psycopg2://")
    assert env["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == f"http://{made.network.central}:8080/execution/"


def test_database_and_broker_ask_for_the_password_of_this_start(made: DistributedAirflow) -> None:
    made.home.mkdir()
    (made.home / "password").write_text("secret")
    env = made.environment(8080)
    assert ":secret@" in env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert ":secret@" in made.record_url
    assert env["AIRFLOW__CELERY__BROKER_URL"].startswith("redis://:secret@")
    assert env["PGPASSWORD"] == "secret"


def test_each_host_has_a_name_and_a_disk_of_its_own(made: DistributedAirflow) -> None:
    made.home.mkdir()
    made.prepare()
    plan = json.loads((made.home / "plan.json").read_text())
    alone = [one for one in plan["components"] if one["host"]]
    assert {one["host"] for one in alone} == set(made.hosts)
    assert len({one["address"] for one in alone}) == len(alone) == 6
    homes = [one["environment"]["AIRFLOW_HOME"] for one in alone]
    assert len({str(made.home), *homes}) == 7
    assert all(Path(one).is_dir() for one in homes)
    assert [one["name"] for one in plan["components"] if not one["host"]] == ["api-server", "dag-processor"]
    assert plan["first"] == [
        ["createdb", made.network.central, "airflow"], ["createdb", made.network.central, "glidepath"],
        ["airflow", "db", "migrate"],
    ]  # fmt: skip


def test_airflow_knows_every_setting_of_the_hand_over() -> None:
    for variable in HAND_OVER:
        section, option = variable.removeprefix("AIRFLOW__").lower().split("__")
        assert option in conf.configuration_description[section]["options"], variable


def hand_over_s() -> float:
    """The longest that a triggerer counts as alive after its last heartbeat, and the time to its successor's look."""
    beat = float(HAND_OVER["AIRFLOW__TRIGGERER__JOB_HEARTBEAT_SEC"])
    return beat + float(HAND_OVER["AIRFLOW__TRIGGERER__TRIGGERER_HEALTH_CHECK_THRESHOLD"])


def test_another_triggerer_has_a_third_of_a_lease_left_to_begin() -> None:
    policy = load_policy(REPO / "include" / "policies" / "model-service.yaml")
    assert hand_over_s() < 2 / 3 * policy.lease
    assert hand_over_s() < 2 / 3 * LEASE_S


def test_a_cluster_of_ones_own_is_refused_before_anything_is_touched(
    made: DistributedAirflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIDEPATH_CLUSTER", "own")
    with pytest.raises(RigError, match="need root and the embedded cluster: make sandbox"):
        made.start()
    assert not made.home.exists()


def test_a_user_without_rights_is_refused(made: DistributedAirflow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GLIDEPATH_CLUSTER", raising=False)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(RigError, match="need root"):
        made.start()


def test_a_process_of_the_hosts_is_found_by_its_number_inside(tmp_path: Path) -> None:
    status = "Name:\tairflow\nNSpid:\t32079\t81\n"
    (tmp_path / "status").write_text(status)
    assert distributed._numbers(tmp_path) == [32079, 81]
