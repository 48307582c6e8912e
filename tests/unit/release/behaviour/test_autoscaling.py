"""Versions that scale by themselves: room is made by their minimum, and what the autoscaler does is no drift."""

from __future__ import annotations

from typing import Any

import pytest

from glidepath.errors import NotReadyError
from glidepath.release.brake import taken_back
from glidepath.release.capacity import replicas_like_stable
from glidepath.release.guard import Guard
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.promote import promote
from glidepath.release.tasks.shift import shift
from tests.support.apiserver import DEPLOYMENTS, SERVICE
from tests.support.stage import Stage


def replicas(stage: Stage, version: str, count: int) -> None:
    """What the autoscaler and the kubelet make of a version."""
    stored = stage.server.objects[(DEPLOYMENTS, f"{SERVICE}-{version}")]
    stored["spec"]["replicas"] = count
    stored["status"] = {"observedGeneration": 1, "updatedReplicas": count, "availableReplicas": count}


@pytest.fixture
def scaling(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A service whose stable version was scaled to six, at most eight; Helm's minimum becomes the count at once."""
    effective = stage.helm.effective_values
    scales: dict[str, Any] = {"autoscaling": {"enabled": True, "maxReplicas": 8, "cpuPercent": 70}}
    monkeypatch.setattr(stage.helm, "effective_values", lambda: {**effective(), **scales})
    replicas(stage, "v1", 6)
    return stage


def released(stage: Stage) -> Run:
    """A release whose canary is deployed."""
    run = stage.run()
    claim(run)
    deploy(run)
    replicas(stage, "v1", 6)  # Helm in memory sets what a real one leaves out
    return run


def least(stage: Stage, version: str) -> int | None:
    """The minimum that Helm was given for a version."""
    return (stage.helm.values.get("versions") or {}).get(version, {}).get("replicas")


def test_room_is_made_for_what_stable_has_become(scaling: Stage) -> None:
    run = released(scaling)
    shift(run, 1)  # 20 % of six
    assert least(scaling, "v2") == 2
    replicas(scaling, "v1", 6)
    shift(run, 2)  # 50 %
    assert least(scaling, "v2") == 3


def test_the_autoscalers_own_replicas_are_not_counted_on(scaling: Stage) -> None:
    run = released(scaling)
    replicas(scaling, "v2", 5)
    shift(run, 1)
    assert least(scaling, "v2") == 2


def test_room_that_does_not_come_gives_no_weight(scaling: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run = released(scaling)
    # The autoscaler is not there: nobody makes replicas of its minimum.
    monkeypatch.setattr(scaling.helm, "upgrade", lambda _, **__: scaling.helm.status())
    with pytest.raises(NotReadyError, match="v2 has 1 of 2 replicas ready"):
        shift(run, 1)
    assert scaling.weights()["v2"] == 0


def test_scaling_up_and_down_above_the_minimum_is_no_drift(scaling: Stage) -> None:
    run = released(scaling)
    scaling.prometheus.scrape("v2", 0)
    shift(run, 1)
    guard = Guard(run)
    guard.tick()
    for stable, canary in ((6, 4), (3, 3), (2, 2)):
        replicas(scaling, "v1", stable)
        replicas(scaling, "v2", canary)
        scaling.traffic()
        guard.tick()
        assert not taken_back(run)
    replicas(scaling, "v2", 1)
    scaling.traffic()
    guard.tick()
    assert taken_back(run)


def test_a_promotion_takes_over_what_stable_has_and_at_most_the_maximum(scaling: Stage) -> None:
    run = released(scaling)
    shift(run, 1)
    replicas(scaling, "v1", 20)
    assert replicas_like_stable(run, scaling.helm.effective_values()) == 8
    replicas(scaling, "v1", 7)
    given: list[Any] = []
    upgrade = scaling.helm.upgrade

    def watched(values: dict[str, Any], **more: Any) -> object:
        given.append((values.get("versions") or {}).get("v2", {}).get("replicas"))
        return upgrade(values, **more)

    scaling.helm.upgrade = watched  # type: ignore[assignment,method-assign]
    promote(run)
    assert given[0] == 7
    assert least(scaling, "v2") is None
