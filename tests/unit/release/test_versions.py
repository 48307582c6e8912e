"""A release of a version whose name does not say its image."""

from __future__ import annotations

from typing import Any

import pytest

from glidepath.errors import PreflightError, ReleaseTakenBack
from glidepath.policy import ReleaseSpec
from glidepath.release import gitops
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.finish import finish
from glidepath.release.tasks.rollback import rollback
from tests.support.stage import Stage
from tests.support.tasks import GOOD

DIGEST = "sha256:" + "0123456789abcdef" * 4


def values(stage: Stage) -> dict[str, Any]:
    """What Helm's release was given."""
    found: dict[str, Any] = stage.helm.values
    return found


def test_its_tag_stays_with_it_when_it_is_promoted(stage: Stage) -> None:
    run = stage.run(version="1.4.2")
    assert "plan: 1.4.2 is called 1-4-2 in the cluster: pods, routes, metrics" in stage.said
    for action in GOOD:
        action(run)
    assert stage.at_rest("1-4-2")
    assert values(stage)["versions"]["1-4-2"]["tag"] == "1.4.2"
    assert gitops.word(run.release, "promote").to_dict()["values"]["versions"] == {"1-4-2": {"tag": "1.4.2"}}
    for _ in range(13):
        stage.traffic("1-4-2")
    following = stage.run("two", version="1.4.3")
    for action in GOOD:
        action(following)
    assert values(stage)["versions"] == {"1-4-3": {"tag": "1.4.3"}}


def test_its_chart_in_a_registry_is_the_one_that_plan_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage.helm, "pinned", lambda: DIGEST)
    run = stage.run()
    assert run.spec.helm.digest is None
    assert ReleaseSpec.from_dict(run.release.spec).helm.digest == DIGEST
    assert any(line.endswith(f"is {DIGEST}") for line in stage.said)


def test_its_digest_goes_with_it_when_it_is_taken_back(stage: Stage) -> None:
    before = values(stage).get("versions"), values(stage).get("image")
    run = stage.run(version=DIGEST)
    claim(run)
    deploy(run)
    assert values(stage)["image"]["digests"] == {"sha256-0123456789ab": DIGEST}
    rollback(run)
    with pytest.raises(ReleaseTakenBack):
        finish(run)
    assert stage.at_rest("v1")
    after = values(stage).get("versions"), (values(stage).get("image") or {}).get("digests")
    assert (after[0] or None, after[1] or None) == (before[0] or None, None)


def test_what_users_said_of_a_version_stays(stage: Stage) -> None:
    stage.helm.upgrade({**values(stage), "versions": {"v1": {"tag": "one"}, "v2": {"env": {"A": "1"}}}})
    run = stage.run()
    for action in GOOD:
        action(run)
    assert values(stage)["versions"]["v1"] == {"tag": "one"}
    assert values(stage)["versions"]["v2"]["env"] == {"A": "1"}


def test_two_versions_of_one_name_are_refused(stage: Stage) -> None:
    run = stage.run(version="1.4.2")
    for action in GOOD:
        action(run)
    assert stage.run("again", version="1.4.2").release.outcome == "nothing_to_do"
    with pytest.raises(
        PreflightError, match=r"version '1-4-2' is called 1-4-2 in the cluster, as .* image is '1\.4\.2'"
    ):
        stage.run("two", version="1-4-2")
