"""What people do to the VirtualService in the middle of a release: the canary goes, and what is theirs stays."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from glidepath.errors import ClaimLostError, ClusterError, PreflightError
from glidepath.release import brake
from glidepath.release.brake import taken_back
from glidepath.release.journal import Journal
from glidepath.traffic import Split
from tests.support.apiserver import MESH, SERVICE, http_routes
from tests.support.fields import Object
from tests.support.guards import started, ticks
from tests.support.stage import Stage, abandon
from tests.unit.release.tasks.test_tasks import UP_TO_WEIGHT, do

BASE = f"{MESH}/virtualservices"
OURS = http_routes({"v1": 80, "v2": 20})
REDIRECT: Object = {"match": [{"uri": {"prefix": "/old"}}], "redirect": {"uri": "/new"}}
DIRECT: Object = {"match": [{"uri": {"prefix": "/ping"}}], "directResponse": {"status": 200}}
DELEGATE: Object = {"match": [{"uri": {"prefix": "/team"}}], "delegate": {"name": "theirs", "namespace": "shop"}}
STATIC: Object = {"match": [{"uri": {"prefix": "/static"}}], "route": [{"destination": {"host": "cdn"}}]}
TESTERS: Object = {
    "match": [{"headers": {"x-tester": {"exact": "1"}}}],
    "route": [{"destination": {"host": SERVICE, "subset": "v2"}}],
}
MIRRORED = http_routes({"v1": 80, "v2": 20}, mirror={"host": SERVICE, "subset": "v2"})
EVERYWHERE: Object = {"match": [{"headers": {"x-any": {"exact": "1"}}}], "route": [{"destination": {"host": SERVICE}}]}
THEIRS = [REDIRECT, DIRECT, DELEGATE, STATIC]


def http(stage: Stage) -> list[Object]:
    """The routes as they are."""
    found: list[Object] = stage.server.find("virtualservices", SERVICE)["spec"]["http"]
    return found


def subsets(stage: Stage) -> set[str | None]:
    """The subsets that requests are led to."""
    return {
        one["destination"].get("subset")
        for entry in http(stage)
        for one in entry.get("route", [])
        if one.get("weight", 1)
    }


def reason(stage: Stage, run_id: str) -> str:
    """Why a release was taken back; empty while it was not."""
    found = Journal(stage.record, run_id).fate()
    return found.reason if found else ""


@pytest.mark.parametrize("theirs", THEIRS, ids=["redirect", "direct", "delegate", "foreign"])
def test_an_entry_of_their_own_disturbs_nothing_and_survives_the_brake(stage: Stage, theirs: Object) -> None:
    run, guard = started(stage)
    stage.edit_routes({"http": [theirs, *OURS]})
    ticks(stage, guard, 3)
    assert not taken_back(run), reason(stage, run.id)
    brake.take_back(run, "harm")
    assert http(stage) == [theirs, *http_routes({"v1": 100, "v2": 0})]


@pytest.mark.parametrize(
    ("routes", "words"),
    [
        ([TESTERS, *OURS], "leads to v2 beside the weights"),
        ([EVERYWHERE, *OURS], "leads to the pods of every version beside the weights"),
        (MIRRORED, "leads to v2 beside the weights, or mirrors to them; written by kubectl-edit"),
        ([*OURS, *http_routes({"v2": 100})], "splits its routes differently"),
        ([REDIRECT], r"routes to [] by weights: it has entry 1 (redirect)"),
    ],
    ids=["header", "no-subset", "mirror", "second-route", "replaced"],
)
def test_requests_to_the_canary_beside_the_weights_take_it_back(stage: Stage, routes: list[Object], words: str) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    stage.edit_routes({"http": routes})
    ticks(stage, guard, 1) if routes != [REDIRECT] else guard.tick()
    assert words in reason(stage, run.id)
    assert subsets(stage) <= {"v1"}
    assert not any("mirror" in entry for entry in http(stage))


def test_hosts_that_are_taken_away_are_put_back(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    stage.edit_routes({"hosts": ["elsewhere"]})
    ticks(stage, guard, 1)
    assert "has hosts elsewhere, expected prices; written by" in reason(stage, run.id)
    assert stage.server.find("virtualservices", SERVICE)["spec"]["hosts"] == [SERVICE]


def anew(stage: Stage, http_: list[Object]) -> None:
    """Deleted and made by another tool."""
    found = stage.server.find("virtualservices", SERVICE)
    del stage.server.objects[BASE, SERVICE]
    metadata = {"name": SERVICE, "labels": found["metadata"]["labels"]}
    stage.server.put(
        BASE, {**found, "metadata": metadata, "spec": {**found["spec"], "http": http_}}, "argocd-controller"
    )


def test_a_virtual_service_that_was_made_anew_is_drift_and_gets_the_brake(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    anew(stage, OURS)
    ticks(stage, guard, 1)
    assert "was deleted and made anew; written by argocd-controller" in reason(stage, run.id)
    assert stage.weights() == {"v1": 100, "v2": 0}


def test_another_cluster_without_our_lease_is_never_written(stage: Stage) -> None:
    """A client that was led astray finds no Lease, and an equal service that it never took."""
    run = stage.run()
    do(run, *UP_TO_WEIGHT)
    del stage.server.objects[next(key for key in stage.server.objects if key[0].endswith("/leases"))]
    anew(stage, OURS)
    before = http(stage)
    with pytest.raises(ClaimLostError, match="the Lease of shop/prices is gone"):
        brake.brake(run, "late")
    assert http(stage) == before


@pytest.mark.parametrize("theirs", THEIRS, ids=["redirect", "direct", "delegate", "foreign"])
def test_the_watchdog_brakes_on_what_it_meets(stage: Stage, theirs: Object) -> None:
    run = stage.run()
    do(run, *UP_TO_WEIGHT)
    stage.edit_routes({"http": [theirs, TESTERS, *OURS]})
    abandon(stage)
    first, testers, own = http(stage)
    assert first == theirs
    assert testers["route"][0]["destination"]["subset"] == "v1"
    assert own == http_routes({"v1": 100, "v2": 0})[0]


def test_restore_puts_back_what_leads_to_the_canary_beside_the_weights(stage: Stage) -> None:
    run, guard = started(stage, policy="on_drift: restore\n")
    ticks(stage, guard, 1)
    stage.edit_routes({"http": [REDIRECT, TESTERS, *OURS]})
    ticks(stage, guard, 2)
    assert not taken_back(run)
    assert http(stage)[0] == REDIRECT
    assert http(stage)[1]["route"][0]["destination"]["subset"] == "v1"
    assert run.ports.traffic.read().split == Split("v1", "v2", 20)


def gone(stage: Stage) -> None:
    del stage.server.objects[BASE, SERVICE]


def refused(stage: Stage) -> None:
    """What a team's webhook denies in any form but the plainest."""
    stage.edit_routes({"http": [TESTERS, *OURS]})
    stage.server.fail("PATCH", "/virtualservices", 403, text="admission webhook team.example denied the request: no")


@pytest.mark.parametrize(
    "broken",
    [
        gone,
        refused,
        lambda stage: anew(stage, OURS),
        lambda stage: stage.edit_routes({"http": [REDIRECT]}),
    ],
    ids=["gone", "refused", "anew", "redirect"],
)
def test_what_restore_can_not_put_back_takes_the_canary_back(stage: Stage, broken: Callable[[Stage], None]) -> None:
    """Nothing is judged while the routes are not ours: without an end a bad canary would keep what it gets there."""
    run, guard = started(stage, policy="on_drift: restore\n")
    ticks(stage, guard, 1)
    broken(stage)
    stage.clock += 5
    guard.tick()
    assert "; it can't be put back: " in reason(stage, run.id)
    assert stage.server.find("virtualservices", SERVICE)["spec"]["hosts"] == [SERVICE]
    assert subsets(stage) <= {"v1"}


def test_what_may_be_put_back_in_a_moment_is_tried_again(stage: Stage) -> None:
    run, guard = started(stage, policy="on_drift: restore\n")
    ticks(stage, guard, 1)
    stage.edit_routes({"http": http_routes({"v1": 10, "v2": 90})})
    stage.server.fail("PATCH", "/virtualservices", 409, times=2)
    with pytest.raises(ClusterError):
        guard.tick()
    guard.tick()
    assert not taken_back(run)
    assert stage.weights() == {"v1": 80, "v2": 20}


class TestPlan:
    def test_what_a_team_has_beside_is_named_and_left_alone(self, stage: Stage) -> None:
        testers = {**TESTERS, "route": [{"destination": {"host": SERVICE, "subset": "debug"}}]}
        stage.edit_routes({"http": [REDIRECT, {**STATIC, "name": "static"}, testers, *http_routes({"v1": 100})]})
        run = stage.run()
        for words in (
            "entry 1 (redirect)",
            "entry 2 'static' (to cdn/no subset)",
            "entry 3 (callers by header, to prices/debug)",
        ):
            assert any(f"plan: {words} of the VirtualService is left alone" in line for line in stage.said)
        do(run, *UP_TO_WEIGHT)
        assert http(stage)[:3] == [REDIRECT, {**STATIC, "name": "static"}, testers]

    @pytest.mark.parametrize(
        ("routes", "words"),
        [
            ([REDIRECT], r"entry 1 \(redirect\); expected an entry all of whose destinations are subsets of prices"),
            ([EVERYWHERE, *http_routes({"v1": 100})], "leads to prices without naming a version beside its weights"),
            (
                [{"name": "odd", "route": [{"destination": {"host": SERVICE}}]}, *http_routes({"v1": 100})],
                "entry 1 'odd'",
            ),
        ],
    )
    def test_what_it_can_not_take_is_named_and_nothing_touched(
        self, stage: Stage, routes: list[Object], words: str
    ) -> None:
        stage.edit_routes({"http": routes})
        before = stage.written()
        with pytest.raises(PreflightError, match=words):
            stage.run()
        assert stage.written() == before

    def test_an_older_virtual_service_for_the_host_is_named(self, stage: Stage) -> None:
        found = stage.server.find("virtualservices", SERVICE)
        stage.server.put(BASE, {**found, "metadata": {"name": "a-older"}}, "a-team")
        stage.server.objects[BASE, "a-older"]["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
        with pytest.raises(PreflightError, match="Istio goes by the older VirtualService shop/a-older of 2020"):
            stage.run()


def test_an_older_virtual_service_that_takes_a_host_in_mid_release_is_drift(stage: Stage) -> None:
    found = stage.server.find("virtualservices", SERVICE)
    other = {**found, "metadata": {"name": "a-older"}, "spec": {**found["spec"], "hosts": ["other"]}}
    stage.server.put(BASE, other, "a-team")
    stage.server.objects[BASE, "a-older"]["metadata"]["creationTimestamp"] = "2020-01-01T00:00:00Z"
    run, guard = started(stage)
    ticks(stage, guard, 1)
    stage.server.put(BASE, {**other, "spec": found["spec"]}, "a-team")
    ticks(stage, guard, 1)
    assert "the routes of this release are not in force" in reason(stage, run.id)


BETA: Object = {
    "metadata": {"name": "beta"},
    "spec": {"hosts": ["beta.example.com"], "http": http_routes({"v2": 100})},
}


def test_another_virtual_service_that_leads_to_the_canary_since_the_claim_is_drift(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 1)
    found = stage.server.find("virtualservices", SERVICE)
    stage.server.put(BASE, {**found, **BETA}, "a-team")
    ticks(stage, guard, 1)
    assert "VirtualService shop/beta leads to v2 beside the weights, since the claim" in reason(stage, run.id)
    assert "until its pods are gone" in reason(stage, run.id)


def test_one_that_did_before_is_named_by_plan_and_left_alone(stage: Stage) -> None:
    found = stage.server.find("virtualservices", SERVICE)
    stage.server.put(BASE, {**found, **BETA}, "a-team")
    run, guard = started(stage)
    assert any("VirtualService shop/beta leads to v2 for its own callers" in line for line in stage.said)
    ticks(stage, guard, 2)
    assert not taken_back(run), reason(stage, run.id)
