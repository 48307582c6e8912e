"""The claim in the hands of a release: kept alive while a task works, and reclaimed after the watchdog took it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from glidepath.claim import Claim, ClaimState
from glidepath.claim.state import ABANDONED, WATCHDOG
from glidepath.errors import BusyError, ClaimError, ClaimLostError, GlidepathError, RecordError, SetupError
from glidepath.kube import GROUP
from glidepath.release.brake import committed, raised, way_back
from glidepath.release.run import Run
from glidepath.release.watched import judged, step_in_force
from glidepath.traffic import Split
from glidepath.traffic.handling import take

# How often a claim is renewed in the time after which it expires.
RENEWALS = 6


class Watch:
    """Whether somebody looks at the canary's traffic, as the record shows it.

    Args:
        run: The release.
        steady: A clock that does not jump, seconds.
    """

    def __init__(self, run: Run, steady: Callable[[], float] = time.monotonic) -> None:
        self._run, self._steady = run, steady
        self._newest: float | None = None
        self._changed = steady()

    def kept(self) -> bool:
        """Whether there was a look within the time of a lease, or none is needed. Call it several times a lease."""
        try:
            step = step_in_force(self._run)
            newest = self._look() if step is not None and judged(self._run, step) else None
            if newest is None or newest != self._newest:
                self._newest, self._changed = newest, self._steady()
        except RecordError as error:  # then the guard can't look either
            self._run.say(f"whether the guard looks can't be read: {error}")
        return self._steady() - self._changed <= self._run.spec.lease

    def _look(self) -> float:
        look = self._run.ports.record.last_look(self._run.id)
        return float(look["at"]) if look else 0.0


@contextmanager
def renewing(run: Run) -> Iterator[None]:
    """Renew the claim in the background until the block is left. The block itself finds out when the claim is lost."""
    done = threading.Event()
    claim, watch = run.claim, Watch(run)

    def renew() -> None:
        warned = False
        while not done.wait(run.spec.lease / RENEWALS):
            try:
                if watch.kept():
                    run.ports.claims.renew(claim)
                    warned = False
                elif not warned:
                    run.say(
                        f"nobody has looked for {run.spec.lease:.0f} s: the claim is not renewed before the next look"
                    )
                    warned = True
            except ClaimLostError:
                return
            except GlidepathError as error:
                run.say(f"the claim could not be renewed, tried again: {error}")

    thread = threading.Thread(target=renew, name="glidepath-claim", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join(timeout=30)


def has_claim(run: Run, again: bool) -> bool:
    """Whether this release has the claim, with a token that its objects obey.

    With `again`, one that the watchdog took is claimed once more, to clean up.
    """
    try:
        run.ports.claims.renew(run.claim)
        _obeyed(run)
        return True
    except ClaimLostError as error:
        run.say(f"the claim was lost: {error}")
        if not again:
            return False
    try:
        held = reclaim(run, run.canary if committed(run) else run.stable)
    except ClaimError as error:
        run.say(f"the claim can't be taken again: {error}")
        return False
    _stamp(run, held)
    run.say(f"claimed again with token {held.token}, to clean up after the watchdog")
    return True


def _obeyed(run: Run) -> None:
    """Give every object this claim's token: with another one Helm's upgrade would be refused."""
    tokens = run.ports.fence.state().tokens
    newest = max(tokens, default=0)
    if newest > run.claim.token:
        raised(run, f"an object carries token {newest}, this claim has {run.claim.token}")
    if tokens - {run.claim.token}:
        _stamp(run, run.claim)


def _stamp(run: Run, claim: Claim) -> None:
    """Put a claim's token on every object; routes that are gone are made anew, all on the safe version.

    Raises:
        ClaimLostError: An object carries a higher token.
        SetupError: The routes are gone, and nobody knows what they said.
    """
    traffic, fence = run.ports.traffic, run.ports.fence
    try:
        take(traffic, fence, claim)
    except SetupError:
        safe = run.canary if committed(run) else run.stable
        traffic.stop(claim, way_back(run, Split(safe, None, 0)), mine=True)
        take(traffic, fence, claim)


def reclaim(run: Run, safe: str, after: Collection[str] = (ABANDONED,)) -> Claim:
    """Claim the service once more, to clean up; the objects don't carry the new token yet.

    Args:
        run: The release.
        safe: The version that the watchdog is to go back to.
        after: The outcomes of this release's last claim after which it may.

    Raises:
        ClaimError: Another release has had the service since.
        BusyError: The watchdog is just making the service safe; run again.
    """
    lease(run)

    def still(state: ClaimState | None) -> None:
        if state is not None and not ours(run, state, after):
            raise ClaimLostError(f"{state.holder or 'another release'} has had it since")

    wanted = run.claim_for(safe, run.ports.fence.state().newest)
    held = run.ports.claims.acquire(wanted, after=after, still=still)
    run.ports.record.set_token(run.id, held.token)
    return held


def lease(run: Run) -> ClaimState | None:
    """The Lease as it is.

    Raises:
        BusyError: The watchdog is just making the service safe; run again.
    """
    state = run.ports.claims.read()
    if state is not None and state.holder == WATCHDOG:
        raise BusyError(f"the watchdog is making {run.spec.namespace}/{run.spec.service} safe; try again after it")
    return state


def ours(run: Run, state: ClaimState, after: Collection[str] = (ABANDONED,)) -> bool:
    """Whether the claim is this release's, or was until it ended as one of `after`, and nobody has had it since.

    By itself that is: until the watchdog freed it.
    """
    last, outcome = (state.annotations.get(f"{GROUP}/last-{what}") for what in ("run", "outcome"))
    return state.holder == run.id or (not state.holder and last == run.id and outcome in after)
