"""What a task leaves that was stopped, its helm in flight perhaps, until its release had ended without it.

By then the objects are open and nothing fences them, nobody holds the claim, and no other task will come. So whoever
goes on looks once more when it is through, and cleans up under a claim of its own. `finish` looks after it has noted
that it is through: of the two, one sees what the other did.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from glidepath.claim.state import ABANDONED
from glidepath.policy import ReleaseSpec
from glidepath.ports import Ports
from glidepath.record import Record
from glidepath.record.retention import DAY_S, kept_s
from glidepath.release.events import Finished, Swept
from glidepath.release.gitops import owed, resume
from glidepath.release.holding import ours, reclaim, renewing
from glidepath.release.phases import Phase
from glidepath.release.run import Run, Say, releases_of
from glidepath.release.versions import leave_only
from glidepath.traffic.handling import all_on, leave, let_go, take

P = ParamSpec("P")


def leaves_nothing(task: Callable[Concatenate[Run, P], None]) -> Callable[Concatenate[Run, P], None]:
    """A task that cleans up after itself if its release ended while it was at work, however the task ends."""

    @wraps(task)
    def swept(run: Run, /, *args: P.args, **more: P.kwargs) -> None:
        if run.release.outcome is not None:  # whatever the cluster looks like by now, it is none of this task's doing
            task(run, *args, **more)
            return
        try:
            task(run, *args, **more)
        finally:
            sweep(run)

    return swept


def sweep(run: Run) -> None:
    """If the release is over, remove what was left since: pods, held objects, a claim. Does nothing when nothing is left.

    What another release has had since is its own to clean up, which its first tasks do.

    Raises:
        ClaimError: Another release was first.
        ClusterError: The cluster failed, or the watchdog is at work; call again.
        HelmError: Helm failed.
    """
    release, ports = run.release, run.ports
    if not (release.outcome == Phase.REFUSED or run.journal.finished()):
        return
    outcome, safe = str(release.outcome), run.canary if release.outcome == Phase.PROMOTED else run.stable
    state = ports.claims.read()
    if state is None or not ours(run, state, (outcome, ABANDONED)):
        return
    fenced = ports.fence.state()
    versions = fenced.versions
    if versions - {run.stable, *run.fresh}:  # somebody went on by hand since
        return
    left = fenced.held | (versions - {safe})
    if not left and not state.holder and all_on(ports.traffic, safe):
        return
    run.say(f"the release had ended before this was done: cleaned up: {', '.join(sorted(left)) or 'the routes'}")
    _clean(run, safe, outcome)


def _clean(run: Run, safe: str, outcome: str) -> None:
    ports, held = run.ports, reclaim(run, safe, (outcome, ABANDONED))
    with renewing(run):
        take(ports.traffic, ports.fence, held)
        leave(ports.traffic, held, safe)
        leave_only(run, safe)
        let_go(ports.traffic, ports.fence, held)
        resume(run)
    ports.claims.release(held, outcome)
    run.note(Swept(safe))
    run.note(Finished(outcome))  # one that was refused had nothing to finish until now


def close_orphans(spec: ReleaseSpec, ports: Ports, over: Callable[[str], bool], say: Say, at: float) -> None:
    """Close in the record what was planned for this service and can't go on. Call while nobody holds the service.

    Args:
        spec: A release of the service.
        ports: The outside.
        over: Whether the run of a release has ended, or is gone.
        say: Where facts go.
        at: Epoch seconds.
    """
    for one in releases_of(ports.record, spec):
        if one.phase == Phase.PLANNED and one.token is None and over(one.id):
            reason = "its run ended before it had claimed the service; the canary had no traffic"
            if ports.record.close(one.id, Phase.REFUSED, reason, at):
                say(f"plan: release {one.id} is closed: {Phase.REFUSED}: {reason}")


def forget_old(record: Record, say: Say, at: float) -> None:
    """Delete releases from the record that have ended longer ago than the setting keeps them.

    One whose promotion was told and taken back, and nobody was told so since, is kept: the next release makes up for it.

    Args:
        record: The record.
        say: Where facts go.
        at: Epoch seconds.

    Raises:
        PreflightError: The setting can't be read.
    """
    kept = kept_s()
    old = [] if kept is None else record.ended_before(at - kept)
    gone = [one.id for one in old if not owed(record, one.id)]
    for one in gone:
        record.forget(one)
    if gone:
        say(f"plan: {len(gone)} releases that ended over {(kept or 0) / DAY_S:g} days ago are deleted from the record")
