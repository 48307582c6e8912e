"""How long deferred tasks wait: longer than what they wait for, a person's hour included."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from airflow.sdk.exceptions import TaskDeferred

from glidepath.operators.deferred import ANSWER, GRACE_S, BakeOperator, GuardOperator, bake_limit, guard_limit
from glidepath.release.tasks.claim import claim
from tests.support.stage import Stage

HOLD = "on_undecided: hold\n"
NO_DATA = "on_no_data: {after: 30s, action: hold}\n"
# The test policy's own values, which a later line of the same name replaces.
BASE = ("max_duration: 20m\n", "on_no_data: {after: 30s, action: rollback}\n")


@pytest.fixture(autouse=True)
def _text(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.support import stage

    text = stage.POLICY
    for line in BASE:
        text = text.replace(line, "")
    monkeypatch.setattr(stage, "POLICY", text)


def timeouts(stage: Stage, policy: str) -> tuple[timedelta, timedelta]:
    """The guard's and the first bake's, as Airflow is told."""
    run = stage.run(policy=policy)
    claim(run)
    found = []
    for operator in (GuardOperator(task_id="guard"), BakeOperator(task_id="bake", step=1)):
        operator.run_of = lambda _: run  # type: ignore[method-assign]
        with pytest.raises(TaskDeferred) as deferred:
            operator.work(context())
        found.append(deferred.value.timeout)
    return found[0], found[1]


@pytest.mark.parametrize("answer", [HOLD + BASE[1], NO_DATA])
@pytest.mark.parametrize("minutes", [1, 4, 6, 20, 56, 120])
def test_a_guard_is_there_until_a_late_answer_was_carried_out(linked: Stage, answer: str, minutes: int) -> None:
    guard, bake = timeouts(linked, f"{answer}max_duration: {minutes}m\n")
    asked = timedelta(minutes=minutes, seconds=GRACE_S)
    assert bake == asked
    deploy_timeout = timedelta(seconds=1)
    assert guard >= asked + ANSWER + timedelta(minutes=15) + 2 * deploy_timeout
    assert guard - asked - ANSWER >= timedelta(minutes=15)


def test_where_nobody_is_asked_nobody_is_waited_for(linked: Stage) -> None:
    guard, _ = timeouts(linked, f"{BASE[1]}max_duration: 4m\n")
    assert guard < timedelta(minutes=30)


def test_a_window_is_watched_to_its_end(linked: Stage) -> None:
    window = "after_promotion: {warm: 30m}\n"
    spec, without = (linked.spec(policy=f"{HOLD}{BASE[1]}max_duration: 4m\n{more}") for more in (window, ""))
    assert guard_limit(spec) - guard_limit(without) == timedelta(hours=1)
    assert bake_limit(spec) == bake_limit(without)


def context() -> Any:
    """Nothing of Airflow's context is read here."""
    return {}
