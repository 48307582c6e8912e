"""What a Lease says, read without an API server."""

from __future__ import annotations

from glidepath.claim.state import ClaimState, parse_state


def test_a_lease_is_expired_when_held_and_not_renewed_in_time() -> None:
    spec = {"holderIdentity": "run-1", "leaseDurationSeconds": 60, "renewTime": "2027-01-15T08:00:00.000000Z"}
    held = parse_state({"metadata": {"resourceVersion": "1"}, "spec": spec})
    assert not held.expired(1_800_000_060.0)
    assert held.expired(1_800_000_060.1)
    free = parse_state({"metadata": {"resourceVersion": "1"}, "spec": spec | {"holderIdentity": ""}})
    assert not free.expired(1_900_000_000.0)


def test_a_bare_lease_is_a_free_claim_without_history() -> None:
    assert parse_state({"metadata": {"resourceVersion": "1"}}) == ClaimState("", 0, 0.0, 0.0, {}, "1")
