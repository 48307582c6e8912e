"""What Airflow knows of a release, out of tables as Airflow makes them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from airflow.models import import_all_models
from airflow.models.hitl import HITLDetail
from airflow.models.taskinstance import TaskInstance
from sqlalchemy import create_engine, insert
from sqlalchemy.orm import Session

from glidepath.view.runs import answered

NOW = datetime(2026, 11, 28, tzinfo=UTC)


@pytest.fixture
def session() -> Iterator[Session]:
    """An empty database with these tables."""
    engine = create_engine("sqlite://")
    import_all_models()
    TaskInstance.metadata.create_all(engine)
    with Session(engine) as one:
        yield one


def asked(session: Session, run_id: str, task_id: str, chosen: list[str] | None) -> None:
    """A task that asks a person, who has chosen something or not."""
    number = UUID(int=abs(hash((run_id, task_id))) % 2**64)
    task = {
        "id": number, "task_id": task_id, "dag_id": "d", "run_id": run_id, "map_index": -1, "pool": "default_pool",
        "pool_slots": 1, "try_number": 1, "max_tries": 0, "executor_config": {},
    }  # fmt: skip
    session.execute(insert(TaskInstance.__table__).values(**task))
    given = {"responded_at": NOW, "chosen_options": chosen} if chosen is not None else {}
    detail = {
        "ti_id": number, "options": ["promote", "rollback"], "subject": "?", "multiple": False, "params": {},
        "created_at": NOW, "params_input": {}, **given,
    }  # fmt: skip
    session.execute(insert(HITLDetail.__table__).values(**detail))


def test_an_answer_is_what_was_chosen_in_this_run_for_this_question(session: Session) -> None:
    asked(session, "open", "ask", None)
    asked(session, "yes", "ask", ["promote"])
    asked(session, "no", "ask", ["rollback"])
    asked(session, "other", "question", ["promote"])
    found = {run: answered(session, "d", run, "ask") for run in ("open", "yes", "no", "other", "gone")}
    assert found == {"open": [], "yes": ["promote"], "no": ["rollback"], "other": [], "gone": []}
    assert answered(session, "another", "yes", "ask") == []
    assert answered(session, "d", "other", "question") == ["promote"]
