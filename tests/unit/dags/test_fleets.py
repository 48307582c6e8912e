"""The fleets' DAGs: waves one after the other, so many releases at once, and fleets that are wrong."""

from __future__ import annotations

import runpy
from datetime import timedelta
from pathlib import Path

import pytest
from airflow.sdk import DAG, CronTriggerTimetable
from airflow.sdk.exceptions import ParamValidationError

REPO = Path(__file__).resolve().parents[3]
FILE = REPO / "dags" / "fleets.py"
GOOD = (REPO / "include" / "policies" / "model-service.yaml").read_text()
SERVICES = ("cart", "catalog", "pay", "search-eu", "search-us")
SHOP = "name: shop\nwaves:\n- [catalog]\n- [cart, pay, 'search-*']\nconcurrent: 2\n"


def dags(folder: Path, monkeypatch: pytest.MonkeyPatch, fleet: str | None) -> dict[str, DAG]:
    """The DAGs of a folder with some policies and a fleet."""
    for name in SERVICES:
        (folder / f"{name}.yaml").write_text(GOOD.replace("service: model-service", f"service: {name}"))
    (folder / "defaults.yaml").write_text("lease: 40s\n")
    fleets = folder / "fleets"
    if fleet is not None:
        fleets.mkdir(exist_ok=True)
        (fleets / "shop.yaml").write_text(fleet)
    monkeypatch.setenv("GLIDEPATH_POLICIES", str(folder))
    monkeypatch.setenv("GLIDEPATH_FLEETS", str(fleets))
    return {value.dag_id: value for value in runpy.run_path(str(FILE)).values() if isinstance(value, DAG)}


def after(dag: DAG) -> dict[str, set[str]]:
    """Each release, and what it begins after."""
    return {task.task_id: set(task.upstream_task_ids) for task in dag.tasks}


def test_waves_follow_each_other_and_so_many_releases_are_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [dag] = dags(tmp_path, monkeypatch, SHOP).values()
    assert dag.dag_id == "fleet_shop"
    assert after(dag) == {
        "wave_1.catalog": set(),
        "wave_2.cart": {"wave_1.catalog"},
        "wave_2.pay": {"wave_1.catalog"},
        "wave_2.search-eu": {"wave_2.cart"},
        "wave_2.search-us": {"wave_2.pay"},
    }
    task = dag.get_task("wave_2.search-eu")
    assert task.trigger_dag_id == "release_search_eu"
    assert set(task.fleet) == {f"release_{name.replace('-', '_')}" for name in SERVICES}
    assert dag.max_active_runs == 1


@pytest.mark.parametrize("concurrent", [1, 3, 10])
def test_never_more_are_under_way_than_the_fleet_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, concurrent: int
) -> None:
    [dag] = dags(tmp_path, monkeypatch, f"name: shop\nwaves: [['*']]\nconcurrent: {concurrent}\n").values()
    begins = [task for task, before in after(dag).items() if not before]
    assert len(begins) == min(concurrent, len(SERVICES))
    # Each other one begins after one that begins no second: chains.
    followed = [before for befores in after(dag).values() for before in befores]
    assert len(followed) == len(set(followed)) == len(SERVICES) - len(begins)


def test_a_schedule_is_its_times_in_its_zone_and_runs_nothing_that_is_past(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for schedule in ("0 9 * * 1", "@daily"):
        [dag] = dags(tmp_path, monkeypatch, f"{SHOP}schedule: '{schedule}'\ntimezone: Europe/Amsterdam\n").values()
        assert isinstance(dag.schedule, CronTriggerTimetable)
        assert dag.schedule.run_immediately == timedelta()


@pytest.mark.parametrize(
    ("fleet", "told"),
    [
        (SHOP.replace("catalog", "catalogue"), "no policy is called 'catalogue'; expected one of: cart, catalog, pay"),
        (SHOP + "wave: 1\n", "shop.yaml:6: wave: given 1: unknown key"),
        (SHOP + "schedule: at nine\n", "at nine"),
    ],
)
def test_one_that_is_wrong_has_a_dag_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fleet: str, told: str
) -> None:
    [dag] = dags(tmp_path, monkeypatch, fleet).values()
    assert dag.dag_id == "fleet_shop"
    assert told in str(dag.doc_md)
    assert [task.task_id for task in dag.tasks] == ["refused"]


@pytest.mark.parametrize("given", [{"version": "v2; reboot"}, {"versions": {"cart": 2}}, {"versions": ["cart"]}])
def test_the_form_refuses_what_is_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict) -> None:
    [dag] = dags(tmp_path, monkeypatch, SHOP).values()
    with pytest.raises(ParamValidationError):
        dag.params.update(given)


def test_without_fleets_there_is_no_dag(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert dags(tmp_path, monkeypatch, None) == {}
