"""The plan task in Airflow: a run that lacks a task which its policy needs is refused before anything is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from glidepath.operators.tasks import PlanOperator
from tests.support.stage import POLICY, Stage


class Instances:
    """Airflow's tasks of a run."""

    dag_id = "d"

    def __init__(self, *tasks: str) -> None:
        self.tasks = tasks

    def get_ti_count(self, dag_id: str, task_ids: list[str], run_ids: list[str]) -> int:
        assert (dag_id, run_ids) == ("d", ["r"])
        return sum(task in self.tasks for task in task_ids)


def planned(linked: Stage, folder: Path, monkeypatch: pytest.MonkeyPatch, policy: str, *tasks: str) -> Any:
    """Which way the plan task goes."""
    path = folder / "policy.yaml"
    path.write_text(POLICY + policy)
    assert linked.record.recent() == []
    task = PlanOperator(task_id="plan", policy_path=str(path), go="claim", stay="nothing_to_do", late="not_its_time")
    monkeypatch.setattr(task, "do_branch", lambda _, chosen: chosen)

    class Dag:
        dag_id = "d"

    return task.execute({"dag": Dag(), "run_id": "r", "params": {"version": "v2"}, "ti": Instances(*tasks)})  # type: ignore[typeddict-item]


def test_a_gate_that_airflow_has_not_read_yet_is_no_way_around_it(
    linked: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = linked.written()
    with pytest.raises(
        AirflowFailException, match="this run has no task ask_traffic: Airflow has not read the policy since"
    ):
        planned(linked, tmp_path, monkeypatch, "approval: {before: traffic}\n", "ask")
    assert linked.record.recent() == []
    assert linked.written() == before


@pytest.mark.parametrize(("policy", "tasks"), [("approval: {before: traffic}\n", ["ask_traffic"]), ("", [])])
def test_one_that_has_what_it_needs_goes_on(
    linked: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, tasks: list[str]
) -> None:
    assert planned(linked, tmp_path, monkeypatch, policy, *tasks) == "claim"
