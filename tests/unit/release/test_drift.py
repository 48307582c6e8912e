"""What somebody else changes in mid-release is noticed at the next look, and the reason says who it was."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest

from glidepath.claim.state import WATCHDOG
from glidepath.release.brake import taken_back
from glidepath.release.drift import routes_drift
from glidepath.release.events import Drifted
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.rollback import rollback
from glidepath.traffic import Routes, Split
from tests.support.apiserver import DEPLOYMENTS, MESH, SERVICE
from tests.support.guards import started, ticks
from tests.support.installed import http_routes
from tests.support.stage import Stage


def changed(stage: Stage, base: str, name: str, change: Callable[[dict[str, object]], None]) -> None:
    """A person's `kubectl edit` of an object."""
    body = copy.deepcopy(stage.server.objects[(base, name)])
    change(body)
    path = f"{base}/{name}?fieldManager=a-person"
    status, answer = stage.server.handle("PUT", path, "application/json", body)
    assert status == 200, answer


def scaled(stage: Stage) -> None:
    changed(stage, DEPLOYMENTS, f"{SERVICE}-v2", lambda body: body["spec"].update(replicas=0))  # type: ignore[attr-defined]


def repacked(stage: Stage) -> None:
    def other(body: dict[str, object]) -> None:
        body["spec"]["template"]["spec"] = {"containers": [{"name": "other"}]}  # type: ignore[index]

    changed(stage, DEPLOYMENTS, f"{SERVICE}-v2", other)


def unrouted(stage: Stage) -> None:
    def other(body: dict[str, object]) -> None:
        body["spec"]["subsets"] = [{"name": "v1", "labels": {"version": "v1"}}]  # type: ignore[index]

    changed(stage, f"{MESH}/destinationrules", SERVICE, other)


def misled(stage: Stage) -> None:
    def other(body: dict[str, object]) -> None:
        body["spec"]["subsets"] = [{"name": one, "labels": {"version": "v1"}} for one in ("v1", "v2")]  # type: ignore[index]

    changed(stage, f"{MESH}/destinationrules", SERVICE, other)


def rehosted(stage: Stage) -> None:
    changed(stage, f"{MESH}/destinationrules", SERVICE, lambda body: body["spec"].update(host="other"))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (rehosted, r"no subset that leads to v1, v2; written by a-person"),
        (scaled, r"v2 was scaled to 0 replicas, expected at least 1; by a-person"),
        (repacked, r"the pods of v2 were changed; by a-person"),
        (unrouted, r"no subset that leads to v2; written by a-person"),
        (misled, r"no subset that leads to v2; written by a-person"),
    ],
)
def test_an_edit_takes_the_canary_back_and_names_who_made_it(
    stage: Stage, act: Callable[[Stage], None], words: str
) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    act(stage)
    ticks(stage, guard, 1)
    assert taken_back(run)
    assert stage.weights()["v2"] == 0
    reason = run.journal.fate()
    assert reason is not None
    assert words in reason.reason


@pytest.mark.parametrize("what", ["deployment", "destinationrule"])
def test_what_is_gone_is_drift_too(stage: Stage, what: str) -> None:
    run, guard = started(stage)
    key = (DEPLOYMENTS, f"{SERVICE}-v2") if what == "deployment" else (f"{MESH}/destinationrules", SERVICE)
    del stage.server.objects[key]
    ticks(stage, guard, 1)
    assert taken_back(run)
    reason = run.journal.fate()
    assert reason is not None
    assert "whoever deleted it" in reason.reason


def test_a_brake_of_the_watchdog_is_told_from_an_edit(stage: Stage) -> None:
    run, _ = started(stage)
    ports = stage.ports()
    state = ports.claims.read()
    assert state is not None
    token = ports.claims.take_over(state, WATCHDOG, 60)
    ports.traffic.write(replace(run.claim, holder=WATCHDOG, token=token), Routes(Split("v1", "v2", 0)))
    told = routes_drift(run, 1)
    assert told is not None
    assert f"with token {token}; this release's is {token - 1}: its claim was lost" in told


@pytest.mark.parametrize("answer", ["rollback", "restore"])
def test_a_brake_that_could_not_be_written_down_is_no_edit(stage: Stage, answer: str) -> None:
    run, guard = started(stage, policy=f"on_drift: {answer}\n")
    ticks(stage, guard, 1)
    stage.ports().traffic.write(run.claim, Routes(Split("v1", "v2", 0)))
    ticks(stage, guard, 1)
    now = run.journal.fate()
    assert now is not None
    assert now.kind == "taken_back"
    assert now.reason.startswith("v1 was given all traffic by glidepath at 20")
    assert "this release's own brake, which could not be written down" in now.reason
    assert not any(isinstance(one, Drifted) for one in run.journal.entries())
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_all_traffic_put_on_stable_by_a_person_is_an_edit(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    routes = http_routes({"v1": 100, "v2": 0})
    changed(stage, f"{MESH}/virtualservices", SERVICE, lambda body: body["spec"].update(http=routes))  # type: ignore[attr-defined]
    ticks(stage, guard, 1)
    now = run.journal.fate()
    assert now is not None
    assert now.reason.startswith("drift: VirtualService shop/prices reads v1 100 %, v2 0 %")
    assert "written by a-person" in now.reason


def test_helm_by_somebody_else_is_drift_and_our_own_is_not(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 3)
    assert not taken_back(run)
    istio = {"trafficSplit": {"stable": 80, "canary": 20}}  # with other weights it would be refused
    stage.helm.upgrade({**stage.helm.values, "istio": istio, "note": "a person's"})
    ticks(stage, guard, 1)
    assert taken_back(run)
    reason = run.journal.fate()
    assert reason is not None
    assert f"helm release shop is at revision {stage.helm.revision} (deployed)" in reason.reason
    rollback(run)
    with pytest.raises(Exception, match="v2 was taken back"):
        finish(run)
    assert stage.weights() == {"v1": 100}
