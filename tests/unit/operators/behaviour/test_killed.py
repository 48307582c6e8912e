"""A task that is told to end: by a person who acted on it, or because its worker goes."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from glidepath.operators.tasks import ShiftOperator
from glidepath.release.brake import taken_back
from glidepath.release.events import TakenBack
from glidepath.release.run import Run
from tests.support.airflow_api import task_is
from tests.support.guards import at_first_step
from tests.support.stage import Stage

TASK = SimpleNamespace(dag_id="d", run_id="one", task_id="shift", try_number=1, max_tries=3)


@pytest.fixture
def run(linked: Stage) -> Run:
    """A release whose canary has weight."""
    return at_first_step(linked.run("d/one"))


def killed(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    """The task `shift` is at work and told to end; Airflow answers what it knows of it."""
    task_is(monkeypatch, ("d", "one", "shift"), answer)
    task = ShiftOperator(task_id="shift", step=1)
    task.execute({"dag": SimpleNamespace(dag_id="d"), "run_id": "one", "ti": TASK})  # type: ignore[typeddict-item]
    task.on_kill()


@pytest.mark.parametrize("state", ["running", "up_for_retry", "queued", "nothing", RuntimeError("no answer")])
def test_a_worker_that_goes_takes_nothing_back(
    linked: Stage, run: Run, monkeypatch: pytest.MonkeyPatch, state: Any
) -> None:
    """Its pod is evicted, its machine drained; it was stopped for long; or Airflow is away: then workers end their tasks, too."""
    began = time.monotonic()
    killed(monkeypatch, state)
    assert time.monotonic() - began < 3
    assert not taken_back(run)
    assert linked.weights() == {"v1": 80, "v2": 20}


@pytest.mark.parametrize("state", ["failed", "success", "skipped", "restarting", None, "gone"])
def test_a_person_who_acts_on_a_task_brakes(
    linked: Stage, run: Run, monkeypatch: pytest.MonkeyPatch, state: Any
) -> None:
    killed(monkeypatch, state)
    assert run.journal.fate() == TakenBack("task shift was killed")
    assert linked.weights() == {"v1": 100, "v2": 0}
