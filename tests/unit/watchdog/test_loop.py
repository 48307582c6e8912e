"""Releases that nobody renews are put back on stable; others are left alone."""

from __future__ import annotations

import contextlib

import pytest

from glidepath.claim import Claim
from glidepath.claim.state import ABANDONED, WATCHDOG
from glidepath.errors import ClaimLostError, ClusterError, ReleaseFinishedError
from glidepath.traffic import Routes, Split
from glidepath.watchdog.facts import Health
from glidepath.watchdog.loop import Watchdog
from tests.support.apiserver import DEPLOYMENTS, LEASES, MESH, NAMESPACE, SERVICE
from tests.support.installed import http_routes
from tests.support.meshed import Meshed
from tests.unit.watchdog.world import LEASE_S, Abandoned

SAFE = Split("v1", "v2", 0)
LEASE = f"glidepath-{SERVICE}"


def abandoned(world: Abandoned, weight: int) -> tuple[Watchdog, Claim]:
    """A watchdog that has seen a release alive, which from now on is silent."""
    watchdog = world.watchdog()
    watchdog.look()
    claim = world.release(weight)
    watchdog.look()
    return watchdog, claim


def lease(world: Abandoned) -> tuple[str, int, str | None]:
    """Holder, token and last outcome."""
    found = world.claims().read()
    assert found is not None
    return found.holder, found.token, found.annotations.get("glidepath.dev/last-outcome")


def annotate(world: Abandoned, **annotations: str | None) -> None:
    """Change the Lease's annotations as kubectl would."""
    body = {"metadata": {"annotations": {f"glidepath.dev/{key}": value for key, value in annotations.items()}}}
    status, _ = world.server.handle("PATCH", f"{LEASES}/{LEASE}", "application/merge-patch+json", body)
    assert status == 200


def test_an_abandoned_release_is_braked_and_its_claim_freed(world: Abandoned) -> None:
    watchdog, old = abandoned(world, 30)
    world.watch(watchdog, LEASE_S - 1)
    assert world.split() == Split("v1", "v2", 30)
    assert world.facts.claims == {NAMESPACE: {"held": 1, "expired": 0, "free": 0}}
    world.watch(watchdog, 1)
    assert world.split() == SAFE
    assert lease(world) == ("", old.token + 1, "abandoned")
    assert world.facts.brakes == {SERVICE: 1}
    world.watch(watchdog, 1)
    assert world.facts.claims == {NAMESPACE: {"held": 0, "expired": 0, "free": 1}}


def test_the_event_says_which_release_and_what_became_of_its_traffic(world: Abandoned) -> None:
    watchdog, old = abandoned(world, 30)
    world.watch(watchdog, LEASE_S)
    [event] = world.server.all("events")
    assert (event["type"], event["reason"]) == ("Warning", "ReleaseAbandoned")
    found = world.server.find("virtualservices", SERVICE)
    regarding = {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "namespace": NAMESPACE}
    assert event["involvedObject"] == regarding | {"name": SERVICE, "uid": found["metadata"]["uid"]}
    assert event["message"] == (
        "release run-1 did not renew its claim for 60 s (it lasts 60 s): "
        f"traffic was v1 70 %, v2 30 %, is v1 100 %, v2 0 %; token {old.token + 1}"
    )


def test_the_old_token_is_refused_everywhere_afterwards(world: Abandoned) -> None:
    watchdog, old = abandoned(world, 30)
    world.watch(watchdog, LEASE_S)
    with pytest.raises(ClaimLostError, match=f"carries token {old.token + 1}, this claim has {old.token}"):
        world.traffic().write(old, Routes(Split("v1", "v2", 30)))
    with pytest.raises(ClaimLostError):
        world.claims().renew(old)
    stamp = {"metadata": {"annotations": {"glidepath.dev/token": str(old.token)}}}
    for path in (
        f"{MESH}/virtualservices/{SERVICE}",
        f"{MESH}/destinationrules/{SERVICE}",
        f"{DEPLOYMENTS}/{SERVICE}-v1",
        f"{DEPLOYMENTS}/{SERVICE}-v2",
    ):
        status, answer = world.server.handle("PATCH", path, "application/merge-patch+json", stamp)
        assert status == 422, path
        assert f"with token {old.token + 1}, this write has {old.token}" in answer["message"]


@pytest.mark.parametrize("taken", [False, True], ids=["expired", "taken over already"])
def test_objects_with_a_higher_token_than_the_lease_are_braked_all_the_same(world: Abandoned, taken: bool) -> None:
    watchdog, old = abandoned(world, 30)
    if taken:
        state = world.claims().read()
        assert state is not None
        world.claims().take_over(state, WATCHDOG, LEASE_S)
    mark = {"metadata": {"annotations": {"glidepath.dev/token": "70"}}}
    path = f"{MESH}/virtualservices/{SERVICE}"
    assert world.server.handle("PATCH", path, "application/merge-patch+json", mark)[0] == 200
    with pytest.raises(ClaimLostError):
        world.traffic().write(old, Routes(SAFE))
    world.watch(watchdog, 1 if taken else LEASE_S)
    assert world.split() == SAFE
    assert lease(world) == ("", 71, "abandoned")


def test_a_later_release_takes_the_next_token_and_the_abandoned_one_may_only_clean_up(world: Abandoned) -> None:
    watchdog, old = abandoned(world, 30)
    world.watch(watchdog, LEASE_S)
    with pytest.raises(ReleaseFinishedError, match="ended already: abandoned"):
        world.acquire("run-1")
    again = world.acquire("run-1", (ABANDONED,))
    assert again.token == old.token + 2
    world.claims().end(again, "rolled_back")
    assert world.acquire("run-2").token == old.token + 3


def test_a_release_that_renews_is_left_alone(world: Abandoned) -> None:
    watchdog, claim = abandoned(world, 30)
    for _ in range(30):
        world.watch(watchdog, LEASE_S / 6)
        world.claims().renew(claim)
    watchdog.look()
    assert world.split() == Split("v1", "v2", 30)
    assert lease(world) == ("run-1", claim.token, None)
    assert not world.server.all("events")
    assert world.facts.brakes == {SERVICE: 0}


def test_a_renewal_in_the_last_moment_wins(world: Abandoned) -> None:
    watchdog, claim = abandoned(world, 30)
    world.watch(watchdog, LEASE_S - 1)
    world.server.before("PATCH", LEASE, lambda: world.claims().renew(claim))
    world.watch(watchdog, LEASE_S - 1)
    assert world.split() == Split("v1", "v2", 30)
    assert lease(world) == ("run-1", claim.token, None)
    assert [status for method, path, status in world.server.log if path.endswith(LEASE) and status == 409] == [409]
    assert not world.facts.errors


def test_a_canary_without_traffic_only_loses_its_claim(world: Abandoned) -> None:
    watchdog, old = abandoned(world, 0)
    world.watch(watchdog, LEASE_S)
    assert lease(world) == ("", old.token + 1, "abandoned")
    assert world.split() == SAFE
    assert world.facts.brakes == {SERVICE: 0}


@pytest.mark.parametrize(("weight", "brakes"), [(60, 1), (100, 0)], ids=["split", "on the new version already"])
def test_after_the_point_of_no_return_the_new_version_is_the_safe_one(
    world: Abandoned, weight: int, brakes: int
) -> None:
    watchdog, old = abandoned(world, weight)
    world.claims().mark_safe(old, "v2")
    world.watch(watchdog, LEASE_S + 1)
    assert world.split() == Split("v2", None, 0)
    assert lease(world)[0] == ""
    assert world.facts.brakes == {SERVICE: brakes}


def test_routes_that_somebody_broke_are_put_right(world: Abandoned) -> None:
    watchdog, old = abandoned(world, 30)
    token = {"glidepath.dev/token": str(old.token)}
    three = {"metadata": {"annotations": token}, "spec": {"http": http_routes({"v1": 40, "v2": 35, "v3": 25})}}
    path = f"{MESH}/virtualservices/{SERVICE}"
    assert world.server.handle("PATCH", path, "application/merge-patch+json", three)[0] == 200
    world.watch(watchdog, LEASE_S)
    assert world.split() == SAFE
    assert world.facts.brakes == {SERVICE: 1}
    assert "no split of two versions" in world.server.all("events")[0]["message"]


def test_a_claim_without_a_stable_version_goes_by_the_routes_or_says_what_is_missing(world: Abandoned) -> None:
    watchdog, _ = abandoned(world, 30)
    annotate(world, stable=None)
    world.watch(watchdog, LEASE_S)
    assert world.split() == SAFE


def test_a_stable_version_that_is_not_there_is_none(world: Abandoned) -> None:
    """Somebody wrote it onto the Lease by hand: callers would get nothing but 503."""
    watchdog, _ = abandoned(world, 30)
    annotate(world, stable="v9")
    world.watch(watchdog, LEASE_S)
    assert world.split() == SAFE


def test_a_service_that_is_gone_loses_its_claim(world: Abandoned) -> None:
    watchdog, old = abandoned(world, 30)
    del world.server.objects[f"{MESH}/virtualservices", SERVICE]
    world.watch(watchdog, LEASE_S)
    assert lease(world) == ("", old.token + 1, "abandoned")
    assert not world.server.all("virtualservices")


def test_a_lease_that_cannot_be_read_does_not_hide_the_others(world: Abandoned) -> None:
    watchdog, old = abandoned(world, 30)
    other = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": "run-9"}}
    metadata = {"name": "glidepath-broken", "labels": {"glidepath.dev/claim": "true"}}
    world.server.put(LEASES, other | {"metadata": metadata | {"annotations": {"glidepath.dev/token": "seven"}}})
    world.watch(watchdog, LEASE_S)
    assert world.split() == SAFE
    assert lease(world) == ("", old.token + 1, "abandoned")
    assert world.facts.errors["broken"] == LEASE_S


@pytest.mark.parametrize("kind", ["leases", "virtualservices", "destinationrules", "deployments", "events"])
@pytest.mark.parametrize("status", [500, 503, 429, 403])
def test_an_api_that_fails_for_a_while_only_delays(
    world: Abandoned, monkeypatch: pytest.MonkeyPatch, kind: str, status: int
) -> None:
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    watchdog, old = abandoned(world, 30)
    world.watch(watchdog, LEASE_S - 1)
    for method in ("GET", "POST", "PATCH"):
        world.server.fail(method, kind, status, times=6)
    for _ in range(13):
        world.wait(1)
        with contextlib.suppress(ClusterError):  # the claims could not be listed
            watchdog.look()
    assert world.split() == SAFE
    assert lease(world) == ("", old.token + 1, "abandoned")
    assert world.facts.brakes == {SERVICE: 1}


def test_an_event_that_is_refused_keeps_nothing_from_being_made_safe(world: Abandoned) -> None:
    watchdog, old = abandoned(world, 30)
    world.server.fail("POST", "events", 403)
    world.watch(watchdog, LEASE_S)
    assert lease(world) == ("", old.token + 1, "abandoned")
    assert world.facts.brakes == {SERVICE: 1}


def test_a_claim_that_another_took_in_the_meantime_is_not_touched(world: Abandoned) -> None:
    """A watchdog that was paused in mid-work wakes up when the next release has begun."""
    watchdog, old = abandoned(world, 30)
    world.watch(watchdog, LEASE_S - 1)

    def the_next_release_begins() -> None:
        rescue = Watchdog(world.server.api(), NAMESPACE, Health(), lambda: world.wall, lambda: world.steady)
        rescue.look()
        claim = world.acquire("run-2")
        world.traffic().take(claim)
        world.traffic().write(claim, Routes(Split("v1", "v2", 5)))

    world.server.before("PATCH", f"virtualservices/{SERVICE}", the_next_release_begins)
    world.watch(watchdog, 2)
    assert world.split() == Split("v1", "v2", 5)
    assert lease(world) == ("run-2", old.token + 2, "abandoned")
    assert Meshed(world.server.api(), NAMESPACE, SERVICE).read().token == old.token + 2


def test_a_claim_that_was_given_back_and_taken_in_the_meantime_is_not_given_back_again(world: Abandoned) -> None:
    watchdog, old = abandoned(world, 30)
    world.watch(watchdog, LEASE_S - 1)

    def the_next_release_begins() -> None:
        Watchdog(world.server.api(), NAMESPACE, Health(), lambda: world.wall, lambda: world.steady).look()
        world.acquire("run-2")

    world.server.before("POST", "events", the_next_release_begins)
    world.watch(watchdog, 1)
    assert lease(world) == ("run-2", old.token + 2, "abandoned")
    assert world.facts.brakes == {SERVICE: 0}
