"""Claims on a real client against an API server in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import pytest

from glidepath.claim import Claim, LeaseClaims
from glidepath.claim.state import ABANDONED, ROUTES, WATCHDOG, ClaimState
from glidepath.errors import ClaimHeldError, ClaimLostError, ClusterError, ReleaseFinishedError
from tests.support.apiserver import LEASES, NAMESPACE, SERVICE, ApiServer
from tests.support.fields import Object

NAME = f"glidepath-{SERVICE}"
PATCHED = "application/merge-patch+json"


@dataclass
class World:
    server: ApiServer
    now: float = 1_800_000_000.0

    def claims(self) -> LeaseClaims:
        return LeaseClaims(self.server.api(), NAMESPACE, SERVICE, lambda: self.now)

    def acquire(self, holder: str = "run-1", after: Collection[str] = ()) -> Claim:
        wanted = Claim(NAMESPACE, SERVICE, holder, 0, "v1", "v2", 60.0)
        return self.claims().acquire(wanted, "http://airflow/run-1", after)

    def state(self) -> ClaimState:
        found = self.claims().read()
        assert found is not None
        return found

    def lease(self) -> Object:
        return self.server.find("leases", NAME)


@pytest.fixture
def world() -> Iterator[World]:
    with ApiServer() as server:
        yield World(server)


def test_before_the_first_claim_there_is_nothing(world: World) -> None:
    assert world.claims().read() is None


def test_the_first_claim_makes_the_lease(world: World) -> None:
    assert world.acquire() == Claim(NAMESPACE, SERVICE, "run-1", 1, "v1", "v2", 60.0)
    lease = world.lease()
    assert lease["metadata"]["labels"] == {"glidepath.dev/claim": "true"}
    assert lease["metadata"]["annotations"] == {
        "glidepath.dev/token": "1",
        "glidepath.dev/stable": "v1",
        "glidepath.dev/canary": "v2",
        "glidepath.dev/virtual-service": SERVICE,
        "glidepath.dev/run-url": "http://airflow/run-1",
    }
    assert lease["spec"] == {
        "holderIdentity": "run-1",
        "leaseDurationSeconds": 60,
        "renewTime": "2027-01-15T08:00:00.000000Z",
        "acquireTime": "2027-01-15T08:00:00.000000Z",
    }


def test_times_survive_the_way_through_the_lease(world: World) -> None:
    world.now += 0.123456
    world.acquire()
    assert world.state().renewed == pytest.approx(world.now, abs=1e-6)


def test_the_holder_s_own_claim_is_given_back_renewed(world: World) -> None:
    first = world.acquire()
    world.now += 50
    assert world.acquire() == first
    assert world.state().renewed == world.now


def test_another_holder_is_named_with_its_run(world: World) -> None:
    world.acquire()
    with pytest.raises(
        ClaimHeldError,
        match=r"shop/prices is held by run-1 \(token 1, until 2027-01-15T08:01:00.000000Z, http://airflow/run-1\)",
    ):
        world.acquire("run-2")
    world.now += 61
    with pytest.raises(ClaimHeldError, match=r"\(token 1, expired until .* freed by the cluster's watchdog"):
        world.acquire("run-2")
    assert world.state().holder == "run-1"


def test_each_claim_has_a_higher_token_than_all_before(world: World) -> None:
    for token in range(1, 6):
        claim = world.acquire(f"run-{token}")
        assert claim.token == token
        world.claims().release(claim, "promoted")


def test_renewing_moves_only_the_time(world: World) -> None:
    claim = world.acquire()
    before = world.lease()
    world.now += 10
    world.claims().renew(claim)
    after = world.lease()
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert after["spec"] == before["spec"] | {"renewTime": "2027-01-15T08:00:10.000000Z"}


@pytest.mark.parametrize("act", ["renew", "note"])
def test_a_claim_that_was_lost_cannot_be_renewed(world: World, act: str) -> None:
    claim = world.acquire()
    world.claims().take_over(world.state(), WATCHDOG, 60.0)
    calls: dict[str, Callable[[], None]] = {
        "renew": lambda: world.claims().renew(claim),
        "note": lambda: world.claims().note(claim, "v2"),
    }
    with pytest.raises(ClaimLostError, match="held by glidepath-watchdog with token 2, expected run-1 with token 1"):
        calls[act]()
    assert world.state().holder == WATCHDOG


def test_a_claim_that_the_watchdog_took_says_so_and_where_traffic_is(world: World) -> None:
    claim = world.acquire()
    world.claims().take_over(world.state(), WATCHDOG, 60.0)
    world.claims().give_back(world.state(), ABANDONED, "run-1")
    told = r"the watchdog took shop/prices from this release, .* for 60 s: all traffic was put on v1 \(its token is 2, this release's 1\)"
    with pytest.raises(ClaimLostError, match=told):
        world.claims().renew(claim)


def test_a_lease_that_is_gone_is_called_that(world: World) -> None:
    claim = world.acquire()
    world.server.objects.clear()
    with pytest.raises(
        ClaimLostError, match="the Lease of shop/prices is gone, expected it held by run-1 with token 1"
    ):
        world.claims().renew(claim)


def test_an_old_token_of_the_same_holder_is_lost_too(world: World) -> None:
    old = world.acquire()
    world.claims().take_over(world.state(), WATCHDOG, 60.0)
    world.claims().give_back(world.state(), ABANDONED, "run-1")
    assert world.acquire(after=(ABANDONED,)).token == 3
    with pytest.raises(ClaimLostError, match="held by run-1 with token 3, expected run-1 with token 1"):
        world.claims().renew(old)


@pytest.mark.parametrize("act", ["renew", "note", "release"])
def test_a_write_that_meets_a_take_over_changes_nothing(world: World, act: str) -> None:
    claim = world.acquire()
    world.server.before("PATCH", NAME, lambda: world.claims().take_over(world.state(), WATCHDOG, 60.0))
    if act == "release":
        world.claims().release(claim, "promoted")
    else:
        with pytest.raises(ClaimLostError, match="held by glidepath-watchdog with token 2"):
            world.claims().renew(claim) if act == "renew" else world.claims().note(claim, "v2")
    assert (world.state().holder, world.state().annotations["glidepath.dev/stable"]) == (WATCHDOG, "v1")
    assert "glidepath.dev/last-outcome" not in world.state().annotations


@pytest.mark.parametrize("act", ["renew", "note", "release"])
def test_a_write_that_meets_the_guards_renewal_is_made_again(world: World, act: str) -> None:
    claim = world.acquire()
    world.now += 1
    world.server.before("PATCH", NAME, lambda: world.claims().renew(claim))
    do = {
        "renew": lambda: world.claims().renew(claim),
        "note": lambda: world.claims().note(claim, "v2"),
        "release": lambda: world.claims().release(claim, "promoted"),
    }[act]
    do()
    assert world.state().renewed == world.now
    assert world.state().holder == ("" if act == "release" else "run-1")
    assert world.state().annotations["glidepath.dev/stable"] == ("v2" if act == "note" else "v1")


def test_the_safe_version_is_noted_once(world: World) -> None:
    claim = world.acquire()
    world.claims().note(claim, "v2")
    assert world.state().annotations["glidepath.dev/stable"] == "v2"
    version = world.state().resource_version
    world.claims().note(claim, "v2")
    assert world.state().resource_version == version


def test_releasing_leaves_a_mark_and_can_be_done_again(world: World) -> None:
    claim = world.acquire()
    world.claims().release(claim, "promoted")
    state = world.state()
    assert (state.holder, state.token) == ("", 1)
    assert state.annotations["glidepath.dev/last-run"] == "run-1"
    assert state.annotations["glidepath.dev/last-outcome"] == "promoted"
    assert state.annotations["glidepath.dev/run-url"] == ""
    world.claims().release(claim, "rolled_back")
    assert world.state() == state


def test_a_stale_release_leaves_the_next_holder_alone(world: World) -> None:
    old = world.acquire()
    world.claims().release(old, "promoted")
    world.acquire("run-2")
    before = world.state()
    world.claims().release(old, "rolled_back")
    assert world.state() == before


def test_releasing_what_was_never_claimed_does_nothing(world: World) -> None:
    world.claims().release(Claim(NAMESPACE, SERVICE, "run-1", 1, "v1", "v2", 60.0), "promoted")
    assert world.claims().read() is None


def test_a_finished_release_does_not_claim_again(world: World) -> None:
    world.claims().release(world.acquire(), "promoted")
    with pytest.raises(ReleaseFinishedError, match="release run-1 of prices ended already: promoted; start a new run"):
        world.acquire()
    with pytest.raises(ReleaseFinishedError):
        world.acquire(after=(ABANDONED,))
    assert world.state().holder == ""


def test_a_race_for_a_new_service_has_one_winner(world: World) -> None:
    world.server.before("POST", "leases", lambda: world.acquire("run-2"))
    with pytest.raises(ClaimHeldError, match="held by run-2"):
        world.acquire()
    assert (world.state().holder, world.state().token) == ("run-2", 1)


def test_a_race_for_a_free_service_has_one_winner(world: World) -> None:
    world.claims().release(world.acquire("run-0"), "promoted")
    world.server.before("PATCH", NAME, lambda: world.acquire("run-2"))
    with pytest.raises(ClaimHeldError, match="held by run-2"):
        world.acquire()
    assert (world.state().holder, world.state().token) == ("run-2", 2)


def test_a_claim_whose_answer_was_lost_is_found_to_be_ours(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    world.server.lose("POST", "leases")
    assert world.acquire().token == 1
    assert world.state().holder == "run-1"


def test_taking_over_takes_the_next_token_and_keeps_the_note_until_it_is_given_back(world: World) -> None:
    world.acquire()
    assert world.claims().take_over(world.state(), WATCHDOG, 60.0, "for later") == 2
    assert (world.state().holder, world.state().token) == (WATCHDOG, 2)
    assert world.state().annotations["glidepath.dev/taken"] == "for later"
    world.claims().give_back(world.state(), ABANDONED, "run-1")
    assert world.state().holder == ""
    assert "glidepath.dev/taken" not in world.state().annotations
    assert world.state().annotations["glidepath.dev/last-outcome"] == ABANDONED


def test_a_renewal_beats_a_take_over_that_read_before_it(world: World) -> None:
    claim = world.acquire()
    seen = world.state()
    world.now += 59
    world.claims().renew(claim)
    with pytest.raises(ClusterError) as caught:
        world.claims().take_over(seen, WATCHDOG, 60.0)
    assert caught.value.status == 409
    assert (world.state().holder, world.state().token) == ("run-1", 1)


def test_an_answer_other_than_not_found_is_no_free_service(world: World) -> None:
    world.server.fail("GET", NAME, 403)
    with pytest.raises(ClusterError, match="answered 403"):
        world.acquire()
    assert not world.server.all("leases")


def test_a_lease_somebody_else_labelled_is_claimed_with_the_first_token(world: World) -> None:
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME}, "spec": {}}
    world.server.put(LEASES, body)
    assert world.acquire().token == 1


def test_the_routes_of_an_earlier_release_are_nothing_to_go_back_to(world: World) -> None:
    """A release whose own are too long for the Lease: the watchdog would else put back hosts and entries of long ago."""

    def acquire(holder: str, routes: str = "", after: Collection[str] = ()) -> Claim:
        wanted = Claim(NAMESPACE, SERVICE, holder, 0, "v1", "v2", 60.0)
        return world.claims().acquire(wanted, "", after, routes=routes)

    world.claims().release(acquire("run-1", "those of run-1"), "rolled_back")
    again = acquire("run-1", after=("rolled_back",))
    assert world.state().annotations[ROUTES] == "those of run-1", "who has its own claim again goes on by them"
    world.claims().release(again, "rolled_back")
    acquire("run-2")
    assert ROUTES not in world.state().annotations


def asked_of(world: World, claims: LeaseClaims, claim: Claim) -> list[tuple[str, int]]:
    """What a renewal asks, and how it is answered."""
    before = len(world.server.log)
    claims.renew(claim)
    return [(method, status) for method, _, status in world.server.log[before:]]


def test_a_renewal_is_one_request_once_the_first_was_answered(world: World) -> None:
    claim, claims = world.acquire(), world.claims()
    assert asked_of(world, claims, claim) == [("GET", 200), ("PATCH", 200)]
    for _ in range(3):
        world.now += 5
        assert asked_of(world, claims, claim) == [("PATCH", 200)]
        assert world.state().renewed == world.now


def test_a_renewal_reads_again_what_somebody_wrote_in_between(world: World) -> None:
    claim, claims = world.acquire(), world.claims()
    claims.renew(claim)
    world.server.handle("PATCH", f"{LEASES}/{NAME}", PATCHED, {"metadata": {"annotations": {"glidepath.dev/x": "y"}}})
    assert asked_of(world, claims, claim) == [("PATCH", 409), ("GET", 200), ("PATCH", 200)]
    assert world.state().annotations["glidepath.dev/x"] == "y"
    assert asked_of(world, claims, claim) == [("PATCH", 200)]


def test_a_claim_that_was_taken_over_is_not_renewed_at_the_version_that_was_known(world: World) -> None:
    claim, claims = world.acquire(), world.claims()
    claims.renew(claim)
    claims_of_watchdog = world.claims()
    claims_of_watchdog.take_over(world.state(), WATCHDOG, 60.0)
    with pytest.raises(ClaimLostError, match=f"is held by {WATCHDOG}"):
        claims.renew(claim)
    assert world.state().holder == WATCHDOG


def test_a_claim_whose_lease_is_gone_is_lost(world: World) -> None:
    claim, claims = world.acquire(), world.claims()
    claims.renew(claim)
    world.server.objects.pop((LEASES, NAME))
    with pytest.raises(ClaimLostError, match="is gone"):
        claims.renew(claim)
