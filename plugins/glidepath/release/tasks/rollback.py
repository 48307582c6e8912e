"""The task `rollback`: the way back. It may be run again, and goes on where it stopped."""

from __future__ import annotations

from contextlib import suppress

from glidepath.errors import ClaimLostError
from glidepath.release.brake import brake, committed, leave_alone, surely_taken_back
from glidepath.release.cleanup import leaves_nothing
from glidepath.release.gitops import hand_back_or_say
from glidepath.release.holding import has_claim, renewing
from glidepath.release.phases import Phase
from glidepath.release.run import Run
from glidepath.release.tasks.promote import promote
from glidepath.release.versions import leave_only, see_last, see_silent


@leaves_nothing
def rollback(run: Run) -> None:
    """Take the canary back: 100/0, read back, seen at zero by the counts, then its pods removed.

    Raises:
        GlidepathError: An outside system failed; run again, it goes on where it stopped.
    """
    if run.ended():
        return
    surely_taken_back(run, "taken back by its own tasks")
    if committed(run):
        promote(run)
        return
    now = run.journal.fate()
    reason = now.reason if now else "taken back"
    with suppress(ClaimLostError):
        brake(run, reason)
    if not has_claim(run, again=True):
        run.close(Phase.ROLLED_BACK, f"{reason}; the claim was lost, and its next holder has the service")
        return
    with renewing(run):
        _rollback(run, reason)


def _rollback(run: Run, reason: str) -> None:
    brake(run, reason)
    run.move(Phase.ROLLING_BACK)
    run.ports.claims.mark_safe(run.claim, run.stable)
    untold = hand_back_or_say(run)
    see_silent(run, run.canary)
    see_last(run, run.canary)
    leave_alone(run, run.stable)
    done = leave_only(run, run.stable)
    run.say(f"rollback: helm release {done.name} at revision {done.revision}: {run.canary} removed")
    run.close(Phase.ROLLED_BACK, reason + untold)
