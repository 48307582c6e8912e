"""What renewing a claim asks of the API server."""

from __future__ import annotations

import pytest

from glidepath.claim import Claim, LeaseClaims
from glidepath.claim.state import WATCHDOG
from glidepath.errors import ClaimLostError
from tests.support.apiserver import LEASES
from tests.unit.claim.world import NAME, PATCHED, Leases


def asked_of(world: Leases, claims: LeaseClaims, claim: Claim) -> list[tuple[str, int]]:
    """What a renewal asks, and how it is answered."""
    before = len(world.server.log)
    claims.renew(claim)
    return [(method, status) for method, _, status in world.server.log[before:]]


def test_a_renewal_is_one_request_once_the_first_was_answered(world: Leases) -> None:
    claim, claims = world.acquire(), world.claims()
    assert asked_of(world, claims, claim) == [("GET", 200), ("PATCH", 200)]
    for _ in range(3):
        world.now += 5
        assert asked_of(world, claims, claim) == [("PATCH", 200)]
        assert world.state().renewed == world.now


def test_a_renewal_reads_again_what_somebody_wrote_in_between(world: Leases) -> None:
    claim, claims = world.acquire(), world.claims()
    claims.renew(claim)
    world.server.handle("PATCH", f"{LEASES}/{NAME}", PATCHED, {"metadata": {"annotations": {"glidepath.dev/x": "y"}}})
    assert asked_of(world, claims, claim) == [("PATCH", 409), ("GET", 200), ("PATCH", 200)]
    assert world.state().annotations["glidepath.dev/x"] == "y"
    assert asked_of(world, claims, claim) == [("PATCH", 200)]


def test_a_claim_that_was_taken_over_is_not_renewed_at_the_version_that_was_known(world: Leases) -> None:
    claim, claims = world.acquire(), world.claims()
    claims.renew(claim)
    claims_of_watchdog = world.claims()
    claims_of_watchdog.take_over(world.state(), WATCHDOG, 60.0)
    with pytest.raises(ClaimLostError, match=f"is held by {WATCHDOG}"):
        claims.renew(claim)
    assert world.state().holder == WATCHDOG


def test_a_claim_whose_lease_is_gone_is_lost(world: Leases) -> None:
    claim, claims = world.acquire(), world.claims()
    claims.renew(claim)
    world.server.objects.pop((LEASES, NAME))
    with pytest.raises(ClaimLostError, match="is gone"):
        claims.renew(claim)
