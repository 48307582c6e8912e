"""Claims on a real client against an API server in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import Any

import pytest

from glidepath.claim import Claim
from glidepath.claim.state import ABANDONED, ROUTES, WATCHDOG, left
from glidepath.errors import ClaimHeldError, ClaimLostError, ClusterError, ReleaseFinishedError
from tests.support.apiserver import LEASES, NAMESPACE, SERVICE
from tests.unit.claim.world import NAME, Leases


def test_before_the_first_claim_there_is_nothing(world: Leases) -> None:
    assert world.claims().read() is None


def test_the_first_claim_makes_the_lease(world: Leases) -> None:
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


def test_times_survive_the_way_through_the_lease(world: Leases) -> None:
    world.now += 0.123456
    world.acquire()
    assert world.state().renewed == pytest.approx(world.now, abs=1e-6)


def test_the_holder_s_own_claim_is_given_back_renewed(world: Leases) -> None:
    first = world.acquire()
    world.now += 50
    assert world.acquire() == first
    assert world.state().renewed == world.now


def test_another_holder_is_named_with_its_run(world: Leases) -> None:
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


def test_each_claim_has_a_higher_token_than_all_before(world: Leases) -> None:
    for token in range(1, 6):
        claim = world.acquire(f"run-{token}")
        assert claim.token == token
        world.claims().end(claim, "promoted")


def test_renewing_moves_only_the_time(world: Leases) -> None:
    claim = world.acquire()
    before = world.lease()
    world.now += 10
    world.claims().renew(claim)
    after = world.lease()
    assert after["metadata"]["annotations"] == before["metadata"]["annotations"]
    assert after["spec"] == before["spec"] | {"renewTime": "2027-01-15T08:00:10.000000Z"}


@pytest.mark.parametrize("act", ["renew", "mark_safe"])
def test_a_claim_that_was_lost_cannot_be_renewed(world: Leases, act: str) -> None:
    claim = world.acquire()
    world.claims().take_over(world.state(), WATCHDOG, 60.0)
    calls: dict[str, Callable[[], None]] = {
        "renew": lambda: world.claims().renew(claim),
        "mark_safe": lambda: world.claims().mark_safe(claim, "v2"),
    }
    with pytest.raises(ClaimLostError, match="held by glidepath-watchdog with token 2, expected run-1 with token 1"):
        calls[act]()
    assert world.state().holder == WATCHDOG


def test_a_claim_that_the_watchdog_took_says_so_and_where_traffic_is(world: Leases) -> None:
    claim = world.acquire()
    world.claims().take_over(world.state(), WATCHDOG, 60.0)
    world.claims().give_back(world.state(), ABANDONED, "run-1")
    told = r"the watchdog took shop/prices from this release, .* for 60 s: all traffic was put on v1 \(its token is 2, this release's 1\)"
    with pytest.raises(ClaimLostError, match=told):
        world.claims().renew(claim)


def test_a_lease_that_is_gone_is_called_that(world: Leases) -> None:
    claim = world.acquire()
    world.server.objects.clear()
    with pytest.raises(
        ClaimLostError, match="the Lease of shop/prices is gone, expected it held by run-1 with token 1"
    ):
        world.claims().renew(claim)


def test_an_old_token_of_the_same_holder_is_lost_too(world: Leases) -> None:
    old = world.acquire()
    world.claims().take_over(world.state(), WATCHDOG, 60.0)
    world.claims().give_back(world.state(), ABANDONED, "run-1")
    assert world.acquire(after=(ABANDONED,)).token == 3
    with pytest.raises(ClaimLostError, match="held by run-1 with token 3, expected run-1 with token 1"):
        world.claims().renew(old)


@pytest.mark.parametrize("act", ["renew", "mark_safe", "end"])
def test_a_write_that_meets_a_take_over_changes_nothing(world: Leases, act: str) -> None:
    claim = world.acquire()
    world.server.before("PATCH", NAME, lambda: world.claims().take_over(world.state(), WATCHDOG, 60.0))
    if act == "end":
        world.claims().end(claim, "promoted")
    else:
        with pytest.raises(ClaimLostError, match="held by glidepath-watchdog with token 2"):
            world.claims().renew(claim) if act == "renew" else world.claims().mark_safe(claim, "v2")
    assert (world.state().holder, world.state().annotations["glidepath.dev/stable"]) == (WATCHDOG, "v1")
    assert "glidepath.dev/last-outcome" not in world.state().annotations


@pytest.mark.parametrize("act", ["renew", "mark_safe", "end"])
def test_a_write_that_meets_the_guards_renewal_is_made_again(world: Leases, act: str) -> None:
    claim = world.acquire()
    world.now += 1
    world.server.before("PATCH", NAME, lambda: world.claims().renew(claim))
    do = {
        "renew": lambda: world.claims().renew(claim),
        "mark_safe": lambda: world.claims().mark_safe(claim, "v2"),
        "end": lambda: world.claims().end(claim, "promoted"),
    }[act]
    do()
    assert world.state().renewed == world.now
    assert world.state().holder == ("" if act == "end" else "run-1")
    assert world.state().annotations["glidepath.dev/stable"] == ("v2" if act == "mark_safe" else "v1")


def test_the_safe_version_is_noted_once(world: Leases) -> None:
    claim = world.acquire()
    world.claims().mark_safe(claim, "v2")
    assert world.state().annotations["glidepath.dev/stable"] == "v2"
    version = world.state().resource_version
    world.claims().mark_safe(claim, "v2")
    assert world.state().resource_version == version


def test_releasing_leaves_a_mark_and_can_be_done_again(world: Leases) -> None:
    claim = world.acquire()
    world.claims().end(claim, "promoted")
    state = world.state()
    assert (state.holder, state.token) == ("", 1)
    assert state.annotations["glidepath.dev/last-run"] == "run-1"
    assert state.annotations["glidepath.dev/last-outcome"] == "promoted"
    assert state.annotations["glidepath.dev/run-url"] == ""
    world.claims().end(claim, "rolled_back")
    assert world.state() == state


def test_a_stale_release_leaves_the_next_holder_alone(world: Leases) -> None:
    old = world.acquire()
    world.claims().end(old, "promoted")
    world.acquire("run-2")
    before = world.state()
    world.claims().end(old, "rolled_back")
    assert world.state() == before


def test_releasing_what_was_never_claimed_does_nothing(world: Leases) -> None:
    world.claims().end(Claim(NAMESPACE, SERVICE, "run-1", 1, "v1", "v2", 60.0), "promoted")
    assert world.claims().read() is None


def test_a_finished_release_does_not_claim_again(world: Leases) -> None:
    world.claims().end(world.acquire(), "promoted")
    with pytest.raises(ReleaseFinishedError, match="release run-1 of prices ended already: promoted; start a new run"):
        world.acquire()
    with pytest.raises(ReleaseFinishedError):
        world.acquire(after=(ABANDONED,))
    assert world.state().holder == ""


def test_a_race_for_a_new_service_has_one_winner(world: Leases) -> None:
    world.server.before("POST", "leases", lambda: world.acquire("run-2"))
    with pytest.raises(ClaimHeldError, match="held by run-2"):
        world.acquire()
    assert (world.state().holder, world.state().token) == ("run-2", 1)


def test_a_race_for_a_free_service_has_one_winner(world: Leases) -> None:
    world.claims().end(world.acquire("run-0"), "promoted")
    world.server.before("PATCH", NAME, lambda: world.acquire("run-2"))
    with pytest.raises(ClaimHeldError, match="held by run-2"):
        world.acquire()
    assert (world.state().holder, world.state().token) == ("run-2", 2)


def test_a_claim_whose_answer_was_lost_is_found_to_be_ours(world: Leases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glidepath.kube.calls.PAUSE_S", 0.0)
    world.server.lose("POST", "leases")
    assert world.acquire().token == 1
    assert world.state().holder == "run-1"


def test_taking_over_takes_the_next_token_and_keeps_the_note_until_it_is_given_back(world: Leases) -> None:
    world.acquire()
    assert world.claims().take_over(world.state(), WATCHDOG, 60.0, "for later") == 2
    assert (world.state().holder, world.state().token) == (WATCHDOG, 2)
    assert world.state().annotations["glidepath.dev/taken"] == "for later"
    world.claims().give_back(world.state(), ABANDONED, "run-1")
    assert world.state().holder == ""
    assert "glidepath.dev/taken" not in world.state().annotations
    assert world.state().annotations["glidepath.dev/last-outcome"] == ABANDONED


def test_a_renewal_beats_a_take_over_that_read_before_it(world: Leases) -> None:
    claim = world.acquire()
    seen = world.state()
    world.now += 59
    world.claims().renew(claim)
    with pytest.raises(ClusterError) as caught:
        world.claims().take_over(seen, WATCHDOG, 60.0)
    assert caught.value.status == 409
    assert (world.state().holder, world.state().token) == ("run-1", 1)


def test_an_answer_other_than_not_found_is_no_free_service(world: Leases) -> None:
    world.server.fail("GET", NAME, 403)
    with pytest.raises(ClusterError, match="answered 403"):
        world.acquire()
    assert not world.server.all("leases")


def test_a_lease_somebody_else_labelled_is_claimed_with_the_first_token(world: Leases) -> None:
    body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": NAME}, "spec": {}}
    world.server.put(LEASES, body)
    assert world.acquire().token == 1


def test_the_routes_of_an_earlier_release_are_nothing_to_go_back_to(world: Leases) -> None:
    """A release whose own are too long for the Lease: the watchdog would else put back hosts and entries of long ago."""

    def acquire(holder: str, routes: str = "", after: Collection[str] = ()) -> Claim:
        wanted = Claim(NAMESPACE, SERVICE, holder, 0, "v1", "v2", 60.0)
        return world.claims().acquire(wanted, "", after, routes=routes)

    world.claims().end(acquire("run-1", "those of run-1"), "rolled_back")
    again = acquire("run-1", after=("rolled_back",))
    assert world.state().annotations[ROUTES] == "those of run-1", "who has its own claim again goes on by them"
    world.claims().end(again, "rolled_back")
    acquire("run-2")
    assert ROUTES not in world.state().annotations


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            '{"phase":"baking","weight":20,"step":1}',
            {"phase": "rolled_back", "weight": 0, "step": 1, "outcome": ABANDONED},
        ),
        ("[1]", [1]),
    ],
)
def test_what_the_watchdog_took_back_is_not_told_as_under_way(before: str, after: Any) -> None:
    told = json.loads(left(before, ABANDONED))
    if isinstance(told, dict):
        assert "nobody renewed" in told.pop("why")
    assert told == after
    assert left("no JSON", ABANDONED) == "no JSON"
