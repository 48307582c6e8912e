"""What is said of a claim: who holds a service, and what became of one that was lost."""

from __future__ import annotations

from datetime import UTC, datetime

from glidepath.claim.state import ABANDONED, Claim, ClaimState
from glidepath.kube import GROUP


def stamp(at: float) -> str:
    """An epoch second as the Lease has it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def held(state: ClaimState, service: str, now: float) -> str:
    """Who holds a service (namespace/name), until when, and what to do; `now` in epoch seconds."""
    until = stamp(state.renewed + state.duration_s)
    expired = "expired " if state.expired(now) else ""
    return (
        f"{service} is held by {state.holder} (token {state.token}, {expired}until {until}, "
        f"{state.annotations.get(f'{GROUP}/run-url') or 'no link'}); wait until it has ended. An expired claim is "
        "freed by the cluster's watchdog once all traffic is on stable"
    )


def same(claim: Claim, state: ClaimState) -> bool:
    """Whether the Lease still has this claim."""
    return (state.holder, state.token) == (claim.holder, claim.token)


def became(claim: Claim, state: ClaimState | None) -> str:
    """What became of a claim that the Lease, as it was read, has no more."""
    service = f"{claim.namespace}/{claim.service}"
    if state is None:
        return f"the Lease of {service} is gone, expected it held by {claim.holder} with token {claim.token}"
    last = state.annotations.get(f"{GROUP}/last-run"), state.annotations.get(f"{GROUP}/last-outcome")
    if not state.holder and last == (claim.holder, ABANDONED):
        return (
            f"the watchdog took {service} from this release, which had not renewed its claim for {claim.duration_s:.0f} s: all "
            f"traffic was put on {state.annotations.get(f'{GROUP}/stable') or 'the safe version'} (its token is {state.token}, "
            f"this release's {claim.token}). Was Airflow's triggerer away, or the cluster's API, or the record?"
        )
    return (
        f"{service} is held by {state.holder or 'nobody'} with token {state.token}, expected {claim.holder} with token "
        f"{claim.token}"
    )
