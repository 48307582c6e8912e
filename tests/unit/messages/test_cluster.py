"""Events of Kubernetes, and the Lease's own account: what `kubectl` says of a release."""

from __future__ import annotations

import json

import pytest

from glidepath.claim.state import STATUS
from glidepath.errors import ClusterError, RecordError
from glidepath.kube import Objects
from glidepath.messages.cluster import ClusterEvents
from glidepath.release.summary import summary
from glidepath.release.tasks.claim import claim
from tests.support.apiserver import NAMESPACE, SERVICE
from tests.support.guards import started, ticks
from tests.support.releases import taken_back
from tests.support.stage import Stage

LEASE = f"glidepath-{SERVICE}"


def events(stage: Stage, release: str) -> ClusterEvents:
    """As a guard's process has it."""
    return ClusterEvents(stage.record, release, Objects(stage.server.api(), NAMESPACE))


def told(stage: Stage) -> dict[str, object]:
    """What the Lease says of the release."""
    found: dict[str, object] = json.loads(stage.server.find("leases", LEASE)["metadata"]["annotations"][STATUS])
    return found


def test_events_tell_the_story_in_order_and_once(stage: Stage) -> None:
    run = taken_back(stage).run
    assert events(stage, run.id).deliver()
    assert events(stage, run.id).deliver(), "a guard in another process writes none again"
    found = stage.server.all("events")
    assert [(one["reason"], one["type"]) for one in found] == [
        ("ReleaseBegun", "Normal"), ("ReleaseGoesBack", "Warning"), ("ReleaseEnded", "Normal"),
    ]  # fmt: skip
    assert all(one["involvedObject"]["name"] == LEASE and one["involvedObject"]["uid"] for one in found)
    assert found[1]["message"].startswith("v1 -> v2: goes back: FAIL harm_proven: errors +")
    assert len({one["metadata"]["name"] for one in found}) == 3


def test_an_api_that_refuses_is_asked_again_from_where_it_stood(stage: Stage) -> None:
    run = taken_back(stage).run
    telling = events(stage, run.id)
    stage.server.fail("POST", "events", 403)
    with pytest.raises(ClusterError):
        telling.deliver()
    assert telling.deliver()
    assert len(stage.server.all("events")) == 3


def test_a_release_that_claimed_nothing_has_no_events(stage: Stage) -> None:
    run = stage.run()
    assert not events(stage, run.id).deliver()
    assert stage.server.all("events") == []


def test_the_lease_says_how_the_release_stands_with_the_writes_that_renew_it(stage: Stage) -> None:
    guard = started(stage)[1]
    ticks(stage, guard, 4)
    found = told(stage)
    assert (found["release"], found["phase"], found["weight"], found["step"], found["steps"]) == (
        "dag/run",
        "baking",
        20,
        1,
        2,
    )
    assert found["verdict"] == "UNDECIDED"


def test_after_the_end_it_says_how_it_ended_and_the_next_claim_begins_anew(stage: Stage) -> None:
    run = taken_back(stage).run
    found = told(stage)
    assert (found["outcome"], found["decision"], found["release"]) == ("rolled_back", "rollback", run.id)
    assert str(found["why"]).startswith("FAIL harm_proven: errors +")
    claim(stage.run("dag/next"))
    assert STATUS not in stage.server.find("leases", LEASE)["metadata"]["annotations"]


def test_a_record_that_is_away_leaves_what_is_there(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 4)
    before = told(stage)

    def away(*_: object) -> None:
        raise RecordError("gone")

    with monkeypatch.context() as patch:
        patch.setattr("glidepath.release.summary._told", away)
        assert summary(run) == ""
        run.ports.claims.renew(run.claim, summary(run))
    assert told(stage) == before
