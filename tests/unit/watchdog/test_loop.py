"""Releases that nobody renews are put back on stable; others are left alone."""

from __future__ import annotations

from glidepath.traffic import Split
from tests.support.apiserver import SERVICE
from tests.unit.watchdog.world import LEASE_S, World

SAFE = Split("v1", "v2", 0)


def abandon(world: World, weight: int) -> None:
    """A release that was seen alive, then falls silent."""
    world.release(weight)


def state(world: World) -> tuple[str, int, str]:
    """Holder, token and last outcome."""
    found = world.claims().read()
    assert found is not None
    return found.holder, found.token, found.annotations.get("glidepath.dev/last-outcome", "")


def test_an_abandoned_release_is_braked_and_its_claim_freed(world: World) -> None:
    watchdog = world.watchdog()
    watchdog.look()
    old = world.release(30)
    world.watch(watchdog, LEASE_S + 2)
    assert world.split() == SAFE
    assert state(world) == ("", old.token + 1, "abandoned")
    assert world.facts.brakes == {SERVICE: 1}
    [event] = world.server.all("events")
    assert event["type"] == "Warning"
    assert event["reason"] == "ReleaseAbandoned"
    assert event["involvedObject"]["uid"] == world.server.find("virtualservices", SERVICE)["metadata"]["uid"]
    assert "release run-1 did not renew its claim for 61 s" in event["message"]
    assert "traffic was v1 70 %, v2 30 %, is v1 100 %, v2 0 %" in event["message"]
