"""A second run of the same service: refused, or waiting without a slot, as its policy says."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException, TaskDeferred

from glidepath.claim import LeaseClaims
from glidepath.errors import ClusterError, SetupError
from glidepath.operators.queueing import WaitsForClaim
from glidepath.operators.tasks import ClaimOperator, PlanOperator, run_over
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.shift import shift
from glidepath.triggers.queueing import HeldTrigger
from tests.support.airflow_api import api_error
from tests.support.apiserver import NAMESPACE, SERVICE
from tests.support.stage import POLICY, Stage

WAITS = "on_held: {action: wait, limit: 10m}\n"


@pytest.fixture
def stage(linked: Stage) -> Stage:
    """A service that the release `one` holds, its canary deployed."""
    run = linked.run("one")
    claim(run, "http://airflow/dags/d/runs/one")
    deploy(run)
    return linked


def policy(folder: Path, text: str) -> str:
    """A policy file."""
    path = folder / "policy.yaml"
    path.write_text(POLICY + text)
    return str(path)


def context(**params: Any) -> Any:
    """Airflow's context of the run `two`, as far as it is read."""

    class Dag:
        dag_id = "d"

    return {"dag": Dag(), "run_id": "two", "params": {"version": "v3", **params}, "ti": Runs({"one": "running"})}


class Runs:
    """Airflow's answer to what state a run has."""

    def __init__(self, states: dict[str, str]) -> None:
        self.states = states

    def get_dagrun_state(self, dag_id: str, run_id: str) -> str:
        if run_id not in self.states:
            raise api_error(404 if dag_id == "d" else 500)
        return self.states[run_id]


@pytest.mark.parametrize(
    ("release", "over"),
    [("d/good", True), ("d/bad", True), ("d/waits", False), ("d/deleted", True), ("other/unknown", False)],
)
def test_whether_a_run_is_over_is_what_airflow_says(release: str, over: bool) -> None:
    runs: Any = Runs({"good": "success", "bad": "failed", "waits": "running"})
    assert run_over(runs, release) is over


def plan_task(path: str, monkeypatch: pytest.MonkeyPatch) -> PlanOperator:
    """The plan task; which way it goes is returned instead of skipped."""
    task = PlanOperator(task_id="plan", policy_path=path, go="claim", stay="nothing_to_do", late="not_its_time")
    monkeypatch.setattr(task, "do_branch", lambda _, chosen: chosen)
    return task


@pytest.mark.usefixtures("stage")
def test_it_is_refused_with_the_holder_and_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = plan_task(policy(tmp_path, ""), monkeypatch)
    with pytest.raises(AirflowFailException, match=r"held by one .*http://airflow/dags/d/runs/one"):
        task.execute(context())


def test_it_waits_and_then_plans_against_what_is_stable_by_then(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = plan_task(policy(tmp_path, WAITS), monkeypatch)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context())
    assert stage.record.find("d/two") is None
    first, more = deferred.value, deferred.value.kwargs or {}
    assert isinstance(first.trigger, HeldTrigger)
    one = stage.record.get("one")
    run = Run(one.id, stage.spec(version="v2"), stage.ports(), stage.said.append, lambda: stage.clock)
    with pytest.raises(TaskDeferred) as again:
        task.resume(context(), {"status": "free"}, **more)
    assert again.value.kwargs == more  # the time to wait is that of the first try
    for step in (1, 2):
        shift(run, step)
    promote(run)
    finish(run)
    for _ in range(13):
        stage.traffic()
    assert getattr(task, first.method_name)(context(), {"status": "free"}, **more) == "claim"
    assert stage.record.get("d/two").stable == "v2"


@pytest.mark.usefixtures("stage")
def test_it_is_refused_when_the_time_is_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = plan_task(policy(tmp_path, WAITS), monkeypatch)
    with pytest.raises(AirflowFailException, match=r"waited 600 s \(on_held.limit\): .* held by one"):
        task.resume(context(), {"status": "over"}, deadline=time.time() - 1)


@pytest.mark.usefixtures("stage")
def test_a_dry_run_does_not_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = plan_task(policy(tmp_path, WAITS), monkeypatch)
    with pytest.raises(AirflowFailException, match="held by one"):
        task.execute(context(dry_run=True))


def test_a_policy_that_is_not_valid_refuses_the_run_and_says_why(tmp_path: Path) -> None:
    task = PlanOperator(
        task_id="plan", policy_path=str(tmp_path / "no"), go="a", stay="b", late="c", refused="p.yaml:3: steps"
    )
    with pytest.raises(AirflowFailException, match=r"nothing was touched:\np.yaml:3: steps"):
        task.execute(context())


@pytest.mark.usefixtures("stage")
def test_what_a_person_has_to_set_up_keeps_no_run_waiting_at_its_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(_: Any) -> Any:
        raise SetupError("connection 'prometheus_default' has no host")

    task = plan_task(policy(tmp_path, WAITS), monkeypatch)
    monkeypatch.setattr("glidepath.hooks.ports.ports_for", none)
    with pytest.raises(AirflowFailException, match=r"has no host\. Nothing was touched"):
        task.execute(context())


def test_who_has_planned_and_is_not_first_waits_too(stage: Stage) -> None:
    task: WaitsForClaim = ClaimOperator(task_id="claim")
    stage.record.open_release(_planned(stage))
    with pytest.raises(TaskDeferred):
        task.execute(context())
    assert stage.holder() == "one"


def _planned(stage: Stage) -> Any:
    import dataclasses

    return dataclasses.replace(
        stage.record.get("one"), id="d/two", canary="v3", token=None, phase="planned",
        spec=stage.spec(policy=WAITS, version="v3").to_dict(),
    )  # fmt: skip


def test_the_trigger_fires_when_the_service_is_free(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glidepath.triggers.queueing.POLL_S", 0.02)
    monkeypatch.setattr("glidepath.triggers.queueing.SPREAD_S", 0.02)
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    trigger = HeldTrigger("d/two", "kubernetes_default", NAMESPACE, SERVICE, time.time() + 60)
    claims = LeaseClaims(stage.server.api(), NAMESPACE, SERVICE)
    monkeypatch.setattr(trigger, "_claims", lambda: claims)

    async def event() -> Any:
        task = asyncio.ensure_future(anext(trigger.run()))
        stage.server.fail("GET", "leases", 500, times=3)
        await asyncio.sleep(0.3)
        assert not task.done()
        one = stage.record.get("one")
        run = Run(one.id, stage.spec(version="v2"), stage.ports(), stage.said.append, lambda: stage.clock)
        await asyncio.to_thread(run.ports.claims.end, run.claim, "rolled_back")
        return (await asyncio.wait_for(task, 30)).payload

    assert asyncio.run(event()) == {"status": "free"}


@pytest.mark.parametrize(
    "error",
    [
        SetupError("connection 'kubernetes_default' leads to no cluster"),
        ClusterError("Unauthorized", 401),
        api_error(503),
    ],
)
def test_a_connection_that_is_away_for_a_moment_ends_no_waiting(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """A triggerer starts while a mount or Airflow's API is not there yet; the run may have waited for hours."""
    monkeypatch.setattr("glidepath.triggers.queueing.POLL_S", 0.01)
    monkeypatch.setattr("glidepath.triggers.queueing.SPREAD_S", 0.01)
    trigger = HeldTrigger("one", "kubernetes_default", NAMESPACE, SERVICE, time.time() + 60)
    away = iter([error] * 3)

    class Away:
        def check(self, _: str) -> None:
            raise error

    def told() -> Any:
        if (met := next(away, None)) is None:
            return LeaseClaims(stage.server.api(), NAMESPACE, SERVICE)
        if isinstance(met, ClusterError):
            return Away()
        raise met

    monkeypatch.setattr(trigger, "_claims", told)

    async def event() -> Any:
        return (await asyncio.wait_for(anext(trigger.run()), 30)).payload

    assert asyncio.run(event()) == {"status": "free"}


@pytest.mark.usefixtures("stage")
def test_the_trigger_ends_with_the_time_and_survives_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    trigger = HeldTrigger("d/two", "kubernetes_default", NAMESPACE, SERVICE, time.time() - 1)
    monkeypatch.setattr(trigger, "_claims", lambda: None)
    path, arguments = trigger.serialize()
    assert path == "glidepath.triggers.queueing.HeldTrigger"
    assert HeldTrigger(**arguments).serialize() == (path, arguments)

    async def event() -> Any:
        return (await anext(trigger.run())).payload

    assert asyncio.run(event()) == {"status": "over"}
