"""Why a task failed for good is what the release's reason says; a failure that another try mends is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from glidepath.errors import (
    BusyError,
    ClaimHeldError,
    ClaimLostError,
    ClusterError,
    EvidenceError,
    NotReadyError,
    OrderError,
    PolicyError,
    RecordError,
    ReleaseTakenBack,
    SetupError,
)
from glidepath.operators.base import ReleaseOperator
from glidepath.operators.tasks import DeployOperator, FinishOperator
from glidepath.record import Record
from glidepath.release.abort import failed
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.settle import UNDECIDED
from tests.support.stage import Stage, abandon


@dataclass
class Try:
    """Airflow's task instance, as far as it is read."""

    try_number: int = 1
    max_tries: int = 3


@pytest.fixture
def stage(linked: Stage) -> Stage:
    """A service that the release `one` holds."""
    claim(linked.run("d/one"))
    return linked


def context(at: Try) -> Any:
    """Airflow's context of the run `one`, as far as it is read."""

    class Dag:
        dag_id = "d"

    return {"dag": Dag(), "run_id": "one", "ti": at}


def ended() -> str:
    """Settle and finish; the release's reason."""
    with pytest.raises(AirflowFailException):
        FinishOperator(task_id="finish", plan="plan", policy_path="none.yaml").execute(context(Try()))
    release = Record().get("d/one")
    assert release.outcome == "rolled_back"
    return str(release.reason)


def deployed(monkeypatch: pytest.MonkeyPatch, error: Exception, at: Try) -> None:
    """The task deploy meets an error."""

    def meets(_: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("glidepath.release.tasks.deploy.deploy", meets)
        with pytest.raises((AirflowFailException, ClusterError)):
            DeployOperator(task_id="deploy").execute(context(at))


@pytest.mark.usefixtures("stage")
def test_an_error_that_no_other_try_mends_is_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(monkeypatch, NotReadyError("v2 has 0 of 1 replicas ready"), Try())
    assert ended() == "deploy failed: v2 has 0 of 1 replicas ready"


@pytest.mark.usefixtures("stage")
def test_the_last_try_is_the_reason_and_a_long_one_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(monkeypatch, ClusterError("the API does not answer. " * 100, status=503), Try(4))
    reason = ended()
    assert reason.startswith("deploy failed: the API does not answer. the API")
    assert reason.endswith(" ...")
    assert len(reason) < 450


def test_a_token_that_was_refused_is_told_as_who_took_the_claim(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    abandon(stage)
    deployed(monkeypatch, ClaimLostError("VirtualService carries token 2, this claim has 1"), Try())
    reason = ended()
    assert reason.startswith("deploy failed: the watchdog took shop/prices from this release")
    assert "all traffic was put on v1 (its token is 2, this release's 1)" in reason


def test_where_the_claim_can_not_be_read_the_error_itself_is_told(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    stage.server.fail("GET", "/leases", 503, times=99)
    deployed(monkeypatch, ClaimLostError("refused"), Try())
    stage.server.heal()
    assert ended() == "deploy failed: refused"


@pytest.mark.usefixtures("stage")
def test_a_try_that_is_followed_by_another_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    deployed(monkeypatch, ClusterError("the API does not answer", status=503), Try(3))
    assert ended() == UNDECIDED


def test_that_it_cant_be_recorded_changes_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> bool:
        raise RecordError("disk full")

    run = stage.run("d/one")
    with monkeypatch.context() as patched:
        patched.setattr(Record, "add_event", full)
        failed(run, "deploy", RuntimeError("why"))
    assert any("could not be recorded: disk full" in line for line in stage.said)
    assert ended() == UNDECIDED


def test_one_that_has_ended_keeps_its_reason(stage: Stage) -> None:
    first = ended()
    failed(stage.run("d/one"), "deploy", RuntimeError("why"))
    with pytest.raises(ReleaseTakenBack, match=first):
        finish(stage.run("d/one"))


@pytest.mark.parametrize(
    "error", [PolicyError("x"), ClaimHeldError("x"), NotReadyError("x"), OrderError("x"), ReleaseTakenBack("x")]
)
def test_what_another_try_cannot_mend_is_not_tried_again(error: Exception) -> None:
    with pytest.raises(AirflowFailException, match="x"), ReleaseOperator(task_id="task").final(context(Try())):
        raise error


@pytest.mark.parametrize("error", [ClusterError("x"), EvidenceError("x"), SetupError("x"), BusyError("x")])
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    with pytest.raises(type(error)), ReleaseOperator(task_id="task").final(context(Try())):
        raise error
