"""The claim in the hands of a release that ends: still its own, or had again after the watchdog took it."""

from __future__ import annotations

from functools import partial

from glidepath.claim.lease import ABANDONED, WATCHDOG, ClaimState
from glidepath.errors import ClaimError, ClaimLostError, ClusterError
from glidepath.kube import GROUP
from glidepath.release.brake import committed
from glidepath.release.run import Run


def hold(run: Run, again: bool) -> bool:
    """Whether this release has the claim. With `again`, one that the watchdog took is claimed once more, to clean up."""
    try:
        run.ports.claims.renew(run.claim)
        return True
    except ClaimLostError as error:
        run.say(f"the claim was lost: {error}")
        if not again:
            return False
    spec, safe = run.spec, run.canary if committed(run) else run.stable
    lease(run)
    still = partial(_still_ours, run)
    try:
        held = run.ports.claims.acquire(
            run.id, safe, run.canary, spec.service, spec.lease,
            after=(ABANDONED,), still=still, above=run.ports.traffic.newest_token(),
        )  # fmt: skip
    except ClaimError as error:
        run.say(f"the claim can't be had again: {error}")
        return False
    run.ports.record.set_token(run.id, held.token)
    run.ports.traffic.take(held)
    run.say(f"claimed again with token {held.token}, to clean up after the watchdog")
    return True


def lease(run: Run) -> ClaimState | None:
    """The Lease as it is.

    Raises:
        ClusterError: The watchdog is just making the service safe; run again.
    """
    state = run.ports.claims.read()
    if state is not None and state.holder == WATCHDOG:
        raise ClusterError(f"the watchdog is making {run.spec.namespace}/{run.spec.service} safe; try again after it")
    return state


def ours(run: Run, state: ClaimState) -> bool:
    """Whether the claim is this release's, or was until the watchdog freed it, and nobody has had it since."""
    left = (state.annotations.get(f"{GROUP}/last-run"), state.annotations.get(f"{GROUP}/last-outcome"))
    return state.holder == run.id or (not state.holder and left == (run.id, ABANDONED))


def _still_ours(run: Run, state: ClaimState | None) -> None:
    if state is not None and not ours(run, state):
        raise ClaimLostError(f"{state.holder or 'another release'} has had it since")
