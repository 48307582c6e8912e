"""A release of a fleet: begun once, with its own version, and not at all after another was not promoted."""

from __future__ import annotations

from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DagRunTriggerException
from airflow.sdk import DAG
from airflow.sdk.exceptions import AirflowFailException, AirflowRuntimeError, TaskDeferred

from glidepath.operators.fleet import RefusedOperator, ReleaseInFleetOperator, asked
from tests.support.airflow_api import api_error

RUN = "fleet_shop__manual__1"


class Runs:
    """The runs that Airflow has."""

    def __init__(self, **states: str) -> None:
        self.states = states
        self.paused = False

    def get_dagrun_state(self, dag_id: str, run_id: str) -> str:
        assert run_id == RUN
        if dag_id not in self.states:
            raise api_error(HTTPStatus.NOT_FOUND)
        return self.states[dag_id]

    def get_dag(self, _: str) -> SimpleNamespace:
        return SimpleNamespace(is_paused=self.paused)

    def xcom_push(self, **_: Any) -> None:
        pass


def begun(runs: Runs, **params: Any) -> Any:
    """What becomes of the release of `cart`."""
    with DAG("fleet_shop", schedule=None):
        task = ReleaseInFleetOperator(
            task_id="cart", release="cart", trigger_dag_id="release_cart", fleet=["release_catalog", "release_cart"]
        )
    task.execute({"ti": runs, "run_id": "manual__1", "params": params})  # type: ignore[arg-type]


def test_it_is_begun_with_its_own_version_and_waited_for_without_a_slot() -> None:
    with pytest.raises(DagRunTriggerException) as asked_for:
        begun(Runs(release_catalog="success"), version="v1", versions={"cart": "v2"})
    run = asked_for.value
    assert (run.trigger_dag_id, run.dag_run_id, run.conf) == ("release_cart", RUN, {"version": "v2"})
    assert (run.wait_for_completion, run.deferrable, run.logical_date) == (True, True, None)


def test_after_one_that_was_not_promoted_none_begins() -> None:
    with pytest.raises(
        AirflowFailException, match="cart is not released: release_catalog of this fleet was not promoted"
    ):
        begun(Runs(release_catalog="failed"))


@pytest.mark.parametrize("state", ["running", "success", "failed"])
def test_another_try_waits_for_the_run_that_was_begun(state: str) -> None:
    with pytest.raises(TaskDeferred) as waits:
        begun(Runs(release_cart=state, release_catalog="failed"))
    assert waits.value.trigger.run_ids == [RUN]
    assert set(waits.value.trigger.states) == {"success", "failed"}


def test_one_whose_dag_is_paused_is_not_waited_for_for_ever() -> None:
    runs = Runs()
    runs.paused = True
    with pytest.raises(AirflowFailException, match="cart is not released: Dag release_cart is paused; switch it on"):
        begun(runs)


def test_when_airflow_can_not_say_it_is_tried_again() -> None:
    class Away(Runs):
        def get_dagrun_state(self, dag_id: str, run_id: str) -> str:
            raise api_error(500)

    with pytest.raises(AirflowRuntimeError):
        begun(Away())


@pytest.mark.parametrize(
    ("params", "conf"),
    [
        ({}, {}),
        ({"version": "v2"}, {"version": "v2"}),
        ({"version": "v2", "versions": {"catalog": "v3"}}, {"version": "v2"}),
        ({"versions": {"cart": "1.4.2"}, "dry_run": True}, {"version": "1.4.2", "dry_run": True}),
        (
            {"version": None, "dry_run": False, "override_freeze": "the fair begins"},
            {"override_freeze": "the fair begins"},
        ),
    ],
)
def test_what_a_release_is_begun_with(params: dict[str, Any], conf: dict[str, Any]) -> None:
    assert asked("cart", params) == conf


def test_a_fleet_that_is_not_valid_releases_nothing() -> None:
    with pytest.raises(AirflowFailException, match=r"nothing was released:\nshop.yaml:2"):
        RefusedOperator(task_id="refused", why="shop.yaml:2: wrong").execute({})  # type: ignore[arg-type]
