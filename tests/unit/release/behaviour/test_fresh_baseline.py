"""A canary that is compared with freshly started pods of the stable version."""

from __future__ import annotations

import pytest

from glidepath.errors import PreflightError
from glidepath.release.abort import abort
from glidepath.release.brake import taken_back
from glidepath.release.phases import Decision
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.rollback import rollback
from glidepath.release.tasks.settle import settle
from glidepath.release.tasks.shift import shift
from tests.support.apiserver import MESH, SERVICE
from tests.support.guards import started, ticks
from tests.support.installed import http_routes
from tests.support.stage import POLICY, Stage, abandon

FRESH = POLICY.replace("evidence: {source: app, scrape: 5s,", "evidence: {source: app, control: fresh, scrape: 5s,")


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.support.stage.POLICY", FRESH)


def test_the_baseline_starts_with_the_canary_and_gets_as_much(stage: Stage) -> None:
    run = stage.run()
    claim(run)
    deploy(run)
    assert stage.versions() == {"v1", "v2", "v1-baseline"}
    assert stage.weights() == {"v1": 100, "v2": 0}
    shift(run, 1)
    assert stage.weights() == {"v1": 60, "v2": 20, "v1-baseline": 20}
    written = stage.written()
    deploy(run)
    shift(run, 1)
    assert stage.written() == written


def test_it_is_the_control_and_the_release_is_promoted_without_leaving_it_behind(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 4)
    word = run.journal.answer_on(1)
    assert word is not None
    assert word[0] is Decision.ADVANCE
    shift(run, 2)
    assert stage.weights() == {"v1": 0, "v2": 50, "v1-baseline": 50}
    ticks(stage, guard, 150, each=4, stable_errors=1)
    word = run.journal.answer_on(2)
    assert word is not None
    assert word[0] is Decision.PROMOTE, word
    last = run.ports.record.last_look(run.id)
    assert last is not None
    # At 20 % and at 50 % each of the two had as much as the other.
    assert last["stable_requests"] == last["canary_requests"]
    promote(run)
    settle(run)
    finish(run)
    assert stage.at_rest("v2")
    assert not stage.helm.values.get("versions")


@pytest.mark.parametrize("way", ["harm", "abort"])
def test_it_goes_with_the_canary(stage: Stage, way: str) -> None:
    run, guard = started(stage)
    if way == "harm":
        ticks(stage, guard, 8, errors=40)
    else:
        abort(run, "killed")
    assert taken_back(run)
    assert stage.weights() == {"v1": 100, "v2": 0}
    rollback(run)
    with pytest.raises(Exception, match="v2 was taken back"):
        finish(run)
    assert stage.at_rest("v1")
    assert not stage.helm.values.get("versions")


def test_the_watchdog_takes_the_traffic_of_both_and_the_next_release_cleans_up(stage: Stage) -> None:
    run, _ = started(stage)
    abandon(stage)
    assert stage.weights() == {"v1": 100, "v2": 0}
    settle(run)
    with pytest.raises(Exception, match="v2 was taken back"):
        finish(run)
    assert stage.at_rest("v1")


@pytest.mark.parametrize("weights", [{"v1": 80, "v2": 20}, {"v1": 70, "v2": 15, "v1-baseline": 15}])
def test_a_baseline_that_somebody_takes_away_is_drift(stage: Stage, weights: dict[str, int]) -> None:
    run, guard = started(stage)
    edit = {"spec": {"http": http_routes(weights)}}
    path = f"{MESH}/virtualservices/{SERVICE}"
    found = stage.server.find("virtualservices", SERVICE)
    edit["metadata"] = {"annotations": dict(found["metadata"]["annotations"])}
    assert stage.server.handle("PATCH", path, "application/merge-patch+json", edit)[0] == 200
    ticks(stage, guard, 1)
    assert taken_back(run)
    assert any("expected v1 60 %, v2 20 %, v1-baseline 20 %" in line for line in stage.said)


def test_a_version_that_has_the_baselines_name_is_refused(stage: Stage) -> None:
    with pytest.raises(PreflightError, match="is what freshly started pods of v1 are called"):
        stage.run(version="v1-baseline")
