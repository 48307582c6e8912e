"""The brake: 100 % of the traffic on stable, now. The same code from everywhere.

A release has one fate, written once: `taken_back` or `committed`. Whichever is first in the record wins, so a brake and
a promotion that meet can't both have their way: before the commit everything leads back to stable; after it the old
version's pods may be gone, and everything leads on to the new one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from glidepath.claim import Claim
from glidepath.errors import ClaimLostError, NoRoutesError, RecordError, StaleWriteError
from glidepath.release.events import Braked, TakenBack
from glidepath.release.run import Run
from glidepath.traffic import Routes, Split, WayBack
from glidepath.traffic.handling import leave, take


def taken_back(run: Run) -> bool:
    """Whether this release has been told to go back; nothing may give its canary weight any more."""
    return run.journal.taken_back()


def committed(run: Run) -> bool:
    """Whether this release is past the point of no return: the canary is the safe side now."""
    return run.journal.committed()


def _surely_committed(run: Run) -> bool:
    """As `committed`; no, while the record can't be read."""
    try:
        return committed(run)
    except RecordError:
        return False


def brake(run: Run, reason: str) -> float:
    """Put all traffic on the safe side and read it back; done already, it does nothing.

    Args:
        run: The release.
        reason: Why, for the record.

    Returns:
        Seconds from the call to the mesh's configuration reading 100/0.

    Raises:
        ClaimLostError: Another token holds the service: it is the other's to keep safe.
        ClusterError: The API did not answer; call again.
    """
    if committed(run):
        run.say(f"brake: {run.canary} is past the point of no return and has all traffic: {reason}")
        return 0.0
    started, at = time.monotonic(), run.now()
    try:
        try:
            moved = _stop(run, run.claim)
        except ClaimLostError as error:
            claim = raised(run, str(error))
            moved = _stop(run, claim, mine=True)
            take(run.ports.traffic, run.ports.fence, claim)
    except StaleWriteError:
        run.say(f"brake: {run.canary} has passed the point of no return meanwhile and has all traffic: {reason}")
        return 0.0
    if not moved:
        return 0.0
    seconds = time.monotonic() - started
    run.note(Braked(at, seconds, reason))
    run.say(f"brake: {run.stable} 100 %, {run.canary} 0 %, read back after {seconds:.2f} s: {reason}")
    return seconds


def give(
    run: Run, routes: Routes, wanted: Callable[[], bool] = lambda: True, way: WayBack | None = None,
    written: Callable[[], None] = lambda: None,
) -> bool:  # fmt: skip
    """Give the callers these routes, unless the release has its fate: the one guarded write of a release.

    Fate is asked between each read and the write that is bound to it, and once more afterwards. A brake that was pulled while
    this was written is pulled again.

    Args:
        run: The release.
        routes: The routes.
        wanted: Whether the caller still wants them; asked with fate.
        way: As in `Traffic.write`.
        written: Called when they are in force, before it is asked whether they may stay.

    Returns:
        Whether they are in force and may stay.

    Raises:
        ClaimLostError: Another token holds the service.
        ClusterError: The API did not answer; call again.
    """
    try:
        run.ports.traffic.write(run.claim, routes, lambda: run.journal.fate() is None and wanted(), way)
    except StaleWriteError as error:
        run.say(f"{routes} is not given, the release has gone on: {error}")
        taken_back_meanwhile(run)
        return False
    written()
    return not taken_back_meanwhile(run)


def taken_back_meanwhile(run: Run) -> bool:
    """Whether the brake was pulled meanwhile. If so, what was written after it (by Helm, too) is taken back."""
    if not taken_back(run):
        return False
    brake(run, "the release was taken back while its weights were being written")
    return True


def _stop(run: Run, claim: Claim, mine: bool = False) -> bool:
    """Whether anything had to be written to get the canary out of the traffic."""
    way = way_back(run, Split(run.stable, run.canary, 0))
    return run.ports.traffic.stop(claim, way, lambda: not _surely_committed(run), mine)


def way_back(run: Run, split: Split) -> WayBack:
    """The way back to a split. The other versions of this release get requests by no other entry.

    A record that can't be read keeps nobody from it.
    """
    routing = None
    with suppress(RecordError):
        routing = run.routing
    return WayBack(split, {run.stable, *run.fresh} - {split.stable}, routing)


def leave_alone(run: Run, version: str) -> None:
    """Give one version all routes, whatever became of them meanwhile.

    Raises:
        ClaimLostError: Another token holds the service.
        ClusterError: The API did not answer; call again.
    """
    run.ports.claims.renew(run.claim)
    run.ports.traffic.stop(run.claim, way_back(run, Split(version, None, 0)), mine=True)
    if not leave(run.ports.traffic, run.claim, version):
        run.say("the routes have no entry with weights any more; what is there stays, and none leads elsewhere")


def raised(run: Run, why: str) -> Claim:
    """The claim with a token above that of the objects, if the Lease is ours: then theirs is of no claim.

    Somebody wrote it by hand, or it is of a Lease that is gone. It must not keep the holder from the way back.

    Raises:
        ClaimLostError: The Lease is another's.
    """
    claim = run.ports.claims.raise_above(run.claim, run.ports.fence.state().newest)
    run.say(f"{why}; the Lease is still this release's, which goes on with token {claim.token}")
    run.ports.record.set_token(run.id, claim.token)
    return claim


def note_taken_back(run: Run, reason: str) -> bool:
    """Write that the release goes back; True when it does, now or already."""
    return run.note(TakenBack(reason)) or taken_back(run)


def surely_taken_back(run: Run, reason: str) -> None:
    """As `note_taken_back`. If that can't be written, the brake is pulled before the error is raised.

    Raises:
        RecordError: The record can't be written.
    """
    try:
        note_taken_back(run, reason)
    except RecordError:
        with suppress(ClaimLostError):
            brake(run, reason)
        raise


@contextmanager
def back_if_gone(run: Run) -> Iterator[None]:
    """Take the release back at once if its routes are gone: until the first weight nobody else looks at them.

    Raises:
        GlidepathError: The brake failed; call again.
    """
    try:
        yield
    except NoRoutesError as error:
        take_back(run, f"drift: {error}")


def take_back(run: Run, reason: str) -> None:
    """Note that the release goes back, then brake. A note that fails does not keep the brake from being pulled.

    Raises:
        GlidepathError: The brake failed; call again.
    """
    try:
        note_taken_back(run, reason)
    finally:
        brake(run, reason)
