"""A scheduled run that begins late ends green without a release; every other run has no time to miss."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from glidepath.operators.tasks import FinishOperator, PlanOperator
from tests.support.stage import POLICY, Stage

DUE = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
SCHEDULED = "version: v2\nschedule: '0 9 * * 1'\ntimezone: Europe/Amsterdam\n"


@dataclass
class DagRun:
    """Airflow's run, as far as it is read."""

    run_type: str = "scheduled"
    run_after: datetime = DUE


@dataclass
class Tasks:
    """What the run's tasks have left."""

    said: dict[tuple[str, str], str] = field(default_factory=dict)

    def xcom_push(self, key: str, value: str) -> None:
        self.said["plan", key] = value

    def xcom_pull(self, task_ids: str, key: str) -> str | None:
        return self.said.get((task_ids, key))


def context(run: DagRun) -> Any:
    """Airflow's context, as far as it is read."""

    class Dag:
        dag_id = "d"

    return {"dag": Dag(), "run_id": "r", "params": {}, "dag_run": run, "ti": Tasks()}


@pytest.fixture
def plan(linked: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PlanOperator:
    """The plan task; which way it goes is returned instead of skipped."""
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY + SCHEDULED)
    assert linked.record.recent() == []
    task = PlanOperator(task_id="plan", policy_path=str(path), go="claim", stay="nothing_to_do", late="not_its_time")
    monkeypatch.setattr(task, "do_branch", lambda _, chosen: chosen)
    return task


def at(late: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set Airflow's clock so long after the run's time."""
    monkeypatch.setattr("glidepath.operators.late.time.time", lambda: (DUE + late).timestamp())


@pytest.mark.parametrize(
    ("minutes", "way"), [(0, "claim"), (30, "claim"), (30.1, "not_its_time"), (6 * 24 * 60, "not_its_time")]
)
def test_up_to_start_within_it_releases(
    plan: PlanOperator, minutes: float, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(timedelta(minutes=minutes), monkeypatch)
    assert plan.execute(context(DagRun())) == way


def test_a_late_one_touches_nothing_and_leaves_no_release(
    linked: Stage, plan: PlanOperator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before, asked = linked.written(), len(linked.server.log)
    at(timedelta(hours=11, minutes=4), monkeypatch)
    assert plan.execute(context(DagRun())) == "not_its_time"
    assert linked.record.recent() == []
    assert (linked.written(), len(linked.server.log)) == (before, asked)
    told = capsys.readouterr().out
    assert "this run was due at Mon 2026-11-23 09:00 CET and begins 11 h 4 min later" in told
    assert "at most 30 min are allowed (start_within)" in told


@pytest.mark.parametrize(
    "run_type", ["manual", "backfill", "asset_triggered", "operator_triggered", "asset_materialization"]
)
def test_what_somebody_or_something_else_started_has_no_time_to_miss(
    plan: PlanOperator, run_type: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(timedelta(days=3), monkeypatch)
    assert plan.execute(context(DagRun(run_type))) == "claim"


def test_one_whose_release_is_planned_already_goes_on(plan: PlanOperator, monkeypatch: pytest.MonkeyPatch) -> None:
    at(timedelta(0), monkeypatch)
    assert plan.execute(context(DagRun())) == "claim"
    at(timedelta(hours=5), monkeypatch)
    assert plan.execute(context(DagRun())) == "claim"


@pytest.mark.parametrize(("minutes", "way"), [(89, "claim"), (92, "not_its_time")])
def test_one_that_has_waited_for_another_release_may_be_later_by_the_time_that_it_may_wait(
    plan: PlanOperator, minutes: int, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(timedelta(minutes=minutes), monkeypatch)
    assert plan.resume(context(DagRun()), {"status": "free"}, deadline=0.0) == way


def test_its_end_is_green_and_that_of_a_refused_one_is_not(
    plan: PlanOperator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at(timedelta(days=1), monkeypatch)
    finish, late = FinishOperator(task_id="finish", plan="plan", policy_path="none.yaml"), context(DagRun())
    plan.execute(late)
    capsys.readouterr()
    finish.execute(late)
    assert "finish: not its time: this run was due" in capsys.readouterr().out
    with pytest.raises(AirflowFailException, match="nothing was planned, so nothing was touched"):
        finish.execute(context(DagRun()))
