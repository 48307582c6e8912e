"""Planning: made once, refused with reasons, touching nothing."""

from __future__ import annotations

import pytest

from glidepath.errors import ClaimHeldError, GlidepathError, PreflightError
from glidepath.release import steps
from glidepath.release.phases import Phase
from glidepath.release.plan import plan
from tests.support.stage import Stage


def test_a_plan_is_made_once(stage: Stage) -> None:
    run = stage.run()
    stage.prometheus.scrape("v1", 500, 400)
    before = run.release
    assert plan(run.id, run.spec, stage.ports(), stage.said.append)
    assert run.release == before
    assert run.release.phase == Phase.PLANNED


def test_the_stable_version_is_nothing_to_do(stage: Stage) -> None:
    assert not plan("a", stage.spec(version="v1"), stage.ports(), stage.said.append)
    assert stage.record.get("a").outcome == "nothing_to_do"


def test_a_dry_run_writes_nothing(stage: Stage) -> None:
    before = len(stage.server.writes())
    assert not plan("a", stage.spec(dry_run=True), stage.ports(), stage.said.append)
    assert len(stage.server.writes()) == before
    assert any("20 %" in line for line in stage.said)


def test_what_a_release_cannot_start_from_is_refused(stage: Stage) -> None:
    def refused(words: str) -> None:
        with pytest.raises(GlidepathError, match=words):
            plan("a", stage.spec(), stage.ports(), stage.said.append)
        assert stage.record.find("a") is None

    stage.helm.values["istio"]["trafficSplit"] = {"stable": 90, "canary": 10}
    stage.helm.upgrade(
        {"roles": {"stable": "v1", "canary": "v9"}, "istio": {"trafficSplit": {"stable": 90, "canary": 10}}}
    )
    refused("'v9' has 10 % of the traffic outside any release")
    stage.helm.values["roles"] = {"stable": "v7", "canary": ""}
    refused("Helm says that 'v7' is stable, the VirtualService routes to 'v1'")
    stage.helm.revision = 0
    refused("is not installed")


def test_no_traffic_is_no_baseline(stage: Stage) -> None:
    stage.prometheus.samples.clear()
    with pytest.raises(GlidepathError, match="no series"):
        stage.run()


def test_a_service_that_is_held_is_refused_by_name(stage: Stage) -> None:
    steps.claim(stage.run("one"), "http://airflow/one")
    with pytest.raises(ClaimHeldError, match=r"held by one .*http://airflow/one"):
        plan("two", stage.spec(version="v3"), stage.ports(), stage.said.append)


def test_an_unready_stable_version_is_refused(stage: Stage) -> None:
    stage.helm.ready = lambda _: False
    stage.helm.upgrade({**stage.helm.values, "note": 1})
    with pytest.raises(PreflightError, match="0 of 2 replicas ready"):
        stage.run()
