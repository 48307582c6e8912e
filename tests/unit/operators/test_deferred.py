"""The operator that waits for the end of the window after a promotion."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from glidepath.operators.deferred import ObserveOperator
from glidepath.release.abort import abort
from glidepath.release.events import ObservationOver
from glidepath.release.run import Run
from glidepath.release.tasks.promote import promote
from tests.support.guards import at_first_step
from tests.support.stage import Stage

Made = tuple[Stage, Run, ObserveOperator]


@pytest.fixture
def made(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Made:
    """A release in its window, and the operator."""
    run = stage.run(policy="after_promotion: {warm: 60s, holdback: 5}\n", weights=[20])
    promote(at_first_step(run))
    operator = ObserveOperator(task_id="observe")
    monkeypatch.setattr(operator, "run_of", lambda _: run)
    return stage, run, operator


def test_it_waits_deferred_and_then_ends_the_release(made: Made) -> None:
    stage, run, operator = made
    with pytest.raises(TaskDeferred) as deferred:
        operator.work(context())
    assert deferred.value.trigger.step == 2
    assert deferred.value.timeout >= timedelta(seconds=120)
    run.note(ObservationOver(2, "promote", "over", 0))
    getattr(operator, deferred.value.method_name)(context(), {"status": "decided"})
    assert run.release.outcome == "promoted"
    assert stage.weights() == {"v2": 100}
    operator.work(context())


def test_a_guard_that_is_silent_takes_the_version_back(made: Made) -> None:
    stage, _, operator = made
    with pytest.raises(AirflowFailException, match="has not looked"):
        operator.done(context(), {"status": "silent", "why": "the guard has not looked for 90 s"})
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_a_release_that_was_taken_back_fails_it_at_once(made: Made) -> None:
    _, run, operator = made
    abort(run, "enough")
    with pytest.raises(AirflowFailException, match="taken back"):
        operator.done(context(), {"status": "decided"})


def context() -> Any:
    """Nothing of Airflow's context is read here."""
    return {}
