"""Ways to the canary beside the weighted entries: routes of connections (`tls`, `tcp`), and one more of a kind that was there."""

from __future__ import annotations

import pytest

from glidepath.errors import PreflightError
from glidepath.release import brake
from glidepath.release.brake import taken_back
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.rollback import rollback
from glidepath.traffic.handling import leave
from tests.support.apiserver import MESH, SERVICE
from tests.support.fields import Object
from tests.support.guards import started, ticks
from tests.support.installed import http_routes
from tests.support.stage import Stage

BASE = f"{MESH}/virtualservices"


def tls(subset: str, host: str = SERVICE) -> Object:
    """A route of connections by the name that they ask for."""
    to = {"host": host, **({"subset": subset} if subset else {})}
    return {"match": [{"sniHosts": ["secure.example.com"]}], "route": [{"destination": to}]}


def tcp(subset: str) -> Object:
    """A route of connections by their port."""
    return {"match": [{"port": 9000}], "route": [{"destination": {"host": SERVICE, "subset": subset}, "weight": 100}]}


def led_by(header: str) -> Object:
    """Callers with a header, led to the canary."""
    match = [{"headers": {header: {"exact": "1"}}}]
    return {"match": match, "route": [{"destination": {"host": SERVICE, "subset": "v2"}}]}


def spec(stage: Stage) -> Object:
    """The VirtualService's."""
    found: Object = stage.server.find("virtualservices", SERVICE)["spec"]
    return found


@pytest.mark.parametrize(
    "edit", [{"tls": [tls("v2")]}, {"tls": [tls("")]}, {"tcp": [tcp("v1"), tcp("v2")]}], ids=["tls", "all", "tcp"]
)
def test_connections_that_are_led_to_the_canary_are_drift_and_the_brake_leads_them_back(
    stage: Stage, edit: Object
) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    stage.edit_routes(edit)
    ticks(stage, guard, 1)
    reason = run.journal.fate()
    assert reason is not None
    assert "beside the weights, or mirrors to them; written by" in reason.reason
    led = [one["destination"]["subset"] for kind in edit for entry in spec(stage)[kind] for one in entry["route"]]
    assert set(led) == {"v1"}
    assert stage.weights() == {"v1": 100, "v2": 0}
    rollback(run)
    with pytest.raises(Exception, match="v2 was taken back"):
        finish(run)
    assert stage.at_rest("v1")
    assert [entry["match"] for kind in edit for entry in spec(stage)[kind]] == [
        entry["match"] for entries in edit.values() for entry in entries
    ]


def test_connections_that_are_led_to_others_are_nobodys_business(stage: Stage) -> None:
    run, guard = started(stage)
    theirs = {"tls": [tls("v1"), tls("v2", host="vault")]}
    stage.edit_routes(theirs)
    ticks(stage, guard, 2)
    assert not taken_back(run), run.journal.fate()
    brake.take_back(run, "harm")
    assert spec(stage)["tls"] == theirs["tls"]


def test_connections_follow_a_promotion(stage: Stage) -> None:
    stage.edit_routes({"tls": [tls("v1"), tls("v1", host="vault")]})
    run, _ = started(stage)
    leave(stage.ports().traffic, run.claim, "v2")
    assert spec(stage)["tls"] == [tls("v2"), tls("v1", host="vault")]


def test_a_virtual_service_that_is_gone_comes_back_with_its_routes_of_connections(stage: Stage) -> None:
    stage.edit_routes({"tcp": [tcp("v1")]})
    run, guard = started(stage)
    del stage.server.objects[BASE, SERVICE]
    ticks(stage, guard, 1) if stage.server.all("virtualservices") else guard.tick()
    assert taken_back(run)
    assert spec(stage)["tcp"] == [tcp("v1")]


def test_a_second_way_to_the_canary_is_drift_though_there_was_one_before(stage: Stage) -> None:
    """The first is a team's own, with which the claim found the service: it is left alone."""
    stage.edit_routes({"http": [led_by("x-tester"), *http_routes({"v1": 100})]})
    run, guard = started(stage)
    ticks(stage, guard, 2)
    assert not taken_back(run), run.journal.fate()
    stage.edit_routes({"http": [led_by("x-tester"), led_by("x-everybody"), *http_routes({"v1": 80, "v2": 20})]})
    ticks(stage, guard, 1)
    reason = run.journal.fate()
    assert reason is not None
    assert "leads to v2 beside the weights" in reason.reason
    led = [entry["route"][0]["destination"]["subset"] for entry in spec(stage)["http"]]
    assert led == ["v2", "v1", "v1"]


def test_plan_names_routes_of_connections_and_refuses_one_to_every_version(stage: Stage) -> None:
    stage.edit_routes({"tls": [tls("v1")]})
    stage.run()
    assert f"plan: tls entry 1 (to {SERVICE}/v1) of the VirtualService is left alone: it gets no canary" in stage.said
    stage.edit_routes({"tls": [tls("")]})
    with pytest.raises(PreflightError, match="without naming a version beside its weights"):
        stage.run("dag/other")


def test_another_virtual_service_that_leads_connections_to_the_canary_is_drift(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    body = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "raw"}}
    stage.server.put(BASE, body | {"spec": {"hosts": ["secure.example.com"], "tls": [tls("v2")]}}, "a-team")
    ticks(stage, guard, 1)
    reason = run.journal.fate()
    assert reason is not None
    assert "VirtualService shop/raw leads to v2 beside the weights" in reason.reason


@pytest.mark.parametrize("before", [{}, {"exportTo": ["*"]}, {"exportTo": ["shop", "edge"]}], ids=["", "all", "some"])
def test_routes_that_other_namespaces_go_by_no_more_are_drift_and_put_back(stage: Stage, before: Object) -> None:
    """Their callers, and gateways there, would reach the pods of every version, each as often as the others."""
    stage.edit_routes(before)
    run, guard = started(stage)
    ticks(stage, guard, 1)
    assert not taken_back(run)
    stage.edit_routes({"exportTo": ["."]}, "a-person")
    ticks(stage, guard, 1)
    reason = run.journal.fate()
    assert reason is not None
    assert "VirtualService shop/prices has exportTo ., expected " in reason.reason
    assert "written by a-person" in reason.reason
    assert spec(stage)["exportTo"] == before.get("exportTo", ["*"])
    written = len(stage.server.writes())
    brake.brake(run, "again")
    assert len(stage.server.writes()) == written


def test_every_namespace_said_in_words_is_no_drift(stage: Stage) -> None:
    run, guard = started(stage)
    stage.edit_routes({"exportTo": ["*"]})
    ticks(stage, guard, 2)
    assert not taken_back(run)
