"""What Airflow knows of a release: its run's state, who or what started it, whether its DAG is paused."""

from __future__ import annotations

from dataclasses import dataclass

from airflow.models.dag import DagModel
from airflow.models.dagrun import DagRun
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import select
from sqlalchemy.orm import Session


@dataclass(frozen=True)
class AirflowRun:
    """The run of a release.

    Attributes:
        state: Airflow's; empty for a run that is gone.
        started_by: A user, or what starts runs by itself, such as `scheduled`.
        paused: Whether its DAG is paused: then no task is started.
    """

    state: str
    started_by: str
    paused: bool


def run_of(session: Session, dag_id: str, run_id: str) -> AirflowRun:
    """The run of a release, as Airflow's database has it now."""
    columns = (DagRun.state, DagRun.run_type, DagRun.triggering_user_name)
    row = session.execute(select(*columns).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)).first()
    paused = bool(session.scalar(select(DagModel.is_paused).where(DagModel.dag_id == dag_id)))
    if row is None:
        return AirflowRun("", "", paused)
    return AirflowRun(_text(row.state), _text(row.triggering_user_name) or _text(row.run_type), paused)


def answered(session: Session, dag_id: str, run_id: str, task_id: str) -> list[str]:
    """What a person has chosen as the answer to a task's question; nothing while nobody has answered."""
    detail = (HITLDetail.chosen_options,)
    conditions = (TaskInstance.dag_id == dag_id, TaskInstance.run_id == run_id, TaskInstance.task_id == task_id)
    query = select(*detail).join(TaskInstance, TaskInstance.id == HITLDetail.ti_id).where(*conditions)
    return list(session.scalar(query.where(HITLDetail.responded_at.is_not(None))) or ())


def _text(value: object) -> str:
    """What Airflow has as text or as one of its enums; empty for nothing."""
    return str(getattr(value, "value", value) or "")
