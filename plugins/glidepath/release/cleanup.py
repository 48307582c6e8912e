"""What a stopped task leaves behind: its release ended without it, and its helm may still have been in flight.

By then the objects are open and nothing fences them, nobody holds the claim, and no other task will come. So whoever
goes on looks once more when it is through, and cleans up under a claim of its own. `finish` looks after it has noted
that it is through: of the two, one sees what the other did.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from glidepath.claim.state import ABANDONED
from glidepath.deploy import values as chart
from glidepath.errors import RecordError
from glidepath.policy import ReleaseSpec
from glidepath.ports import Ports
from glidepath.record import Record, Release, packing
from glidepath.record.retention import DAY_S, kept_s, packed_after_s
from glidepath.release.events import Finished, Swept
from glidepath.release.gitops import owed, resume
from glidepath.release.holding import ours, reclaim, renewing
from glidepath.release.journal import Journal
from glidepath.release.phases import Phase
from glidepath.release.run import Run, Say, alike, releases_of
from glidepath.release.versions import leave_only
from glidepath.traffic.handling import all_on, leave, let_go, take

P = ParamSpec("P")
# How many releases a plan deletes from the record: what is more waits for the next one.
AT_ONCE = 100
# How many pages of looks it packs: less than a second's work, of a hundred looks each.
PAGES_AT_ONCE = 100


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
    if not left and not state.holder and all_on(ports.traffic, safe) and _roles_are(ports, safe):
        return
    run.say(f"the release had ended before this was done: cleaned up: {', '.join(sorted(left)) or 'the routes'}")
    _clean(run, safe, outcome)


def _roles_are(ports: Ports, safe: str) -> bool:
    """Whether Helm has one version only. With a Helm release per version, a role may be left whose pods are gone."""
    return chart.roles(ports.helm.effective_values()) == (safe, None)


def _clean(run: Run, safe: str, outcome: str) -> None:
    ports, held = run.ports, reclaim(run, safe, (outcome, ABANDONED))
    with renewing(run):
        take(ports.traffic, ports.fence, held)
        leave(ports.traffic, held, safe)
        leave_only(run, safe)
        let_go(ports.traffic, ports.fence, held)
        resume(run)
    ports.claims.end(held, outcome)
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
    for release in releases_of(ports.record, spec):
        if release.phase == Phase.PLANNED and release.token is None and over(release.id):
            reason = "its run ended before it had claimed the service; the canary had no traffic"
            if ports.record.close(release.id, Phase.REFUSED, reason, at):
                say(f"plan: release {release.id} is closed: {Phase.REFUSED}: {reason}")


def forget_old(record: Record, say: Say, at: float) -> None:
    """Delete releases from the record that have ended longer ago than the setting keeps them, some hundred at a time.

    One of which something is still to be done is kept: its own last task, or the next release, needs to know of it.

    Args:
        record: The record.
        say: Where facts go.
        at: Epoch seconds.

    Raises:
        PreflightError: The setting can't be read.
        RecordError: The record can't be read or written.
    """
    limit = kept_s()
    if limit is None:
        return
    gone = kept = 0
    while gone < AT_ONCE and (old := record.ended_before(at - limit, AT_ONCE, skip=kept)):
        done_with = [release.id for release in old if not _needed(record, release)]
        for release in done_with:
            record.forget(release)
        gone, kept = gone + len(done_with), kept + len(old) - len(done_with)
    if gone:
        say(f"plan: {gone} releases that ended over {limit / DAY_S:g} days ago are deleted from the record")


def pack_ended(record: Record, say: Say, at: float) -> None:
    """Pack looks of releases that ended a while ago, some thousand at a time. A record that can't be written now is no fault.

    Args:
        record: The record.
        say: Where facts go.
        at: Epoch seconds.

    Raises:
        PreflightError: The setting can't be read.
    """
    wait = packed_after_s()
    if wait is None:
        return
    looks = pages = 0
    try:
        for release_id in packing.to_pack(record, at - wait, PAGES_AT_ONCE):
            while pages < PAGES_AT_ONCE and (packed := packing.pack(record, release_id)):
                looks, pages = looks + packed, pages + 1
    except RecordError as error:
        say(f"plan: looks of releases that are over stay as they are until the next plan: {error}")
    if looks:
        say(f"plan: {looks} looks of releases that are over are packed in the record")


def _needed(record: Record, ended: Release) -> bool:
    """Whether something is still to be done of a release that has ended.

    A word that it owes whoever owns the values, unless a later promotion has overruled it; its claim, which `finish` gives
    back, unless a later release has had the service since.
    """
    is_owed = owed(record, ended.id)
    if not is_owed and (ended.token is None or Journal(record, ended.id).finished()):
        return False
    later = [release for release in alike(record, ended) if release.created > ended.created]
    if is_owed and not any(release.outcome == Phase.PROMOTED for release in later):
        return True
    return not any(release.token is not None for release in later)
