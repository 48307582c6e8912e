"""The way back, and what closes a release. Each may be run again."""

from __future__ import annotations

from contextlib import suppress
from textwrap import shorten

from glidepath.errors import ClaimLostError, ClusterError, GlidepathError, ReleaseTakenBack
from glidepath.release.brake import brake, committed, fate, leave_alone, surely_taken_back, take_back
from glidepath.release.handing import hand_back, hand_back_or_say, resume
from glidepath.release.holding import hold, lease, ours
from glidepath.release.keep import kept
from glidepath.release.leftovers import FINISHED, leaves_nothing, sweep
from glidepath.release.phases import Phase
from glidepath.release.promotion import conclude, promote
from glidepath.release.run import Run
from glidepath.release.tidy import leave_only, rendered_token, see_silent

__all__ = ["abort", "conclude", "failed", "finish", "promote", "rollback", "settle"]

# The event of a task that failed; and what is said where none did.
FAILED = "failed"
UNDECIDED = "the run, or a task of it, was ended in Airflow or died before anything was decided"
WHY_LENGTH = 400


def failed(run: Run, task: str, error: Exception) -> None:
    """Remember why a task failed: if the release ends for it, that is its reason. Never raises."""
    try:
        if run.release.outcome is None:
            run.note(FAILED, task=task, why=shorten(_why(run, error), WHY_LENGTH, placeholder=" ..."))
    except GlidepathError as error:
        run.say(f"why {task} failed could not be recorded: {error}")


def _why(run: Run, error: Exception) -> str:
    """The error's text; where a token was refused, rather who has the claim, and why, as far as that can be read."""
    told = None
    if isinstance(error, ClaimLostError):
        with suppress(ClusterError):
            told = run.ports.claims.lost(run.claim)
    return told or str(error)


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
    now = fate(run.ports.record, run.id)
    reason = now[1] if now else "taken back"
    with suppress(ClaimLostError):
        brake(run, reason)
    if not hold(run, again=True):
        run.close(Phase.ROLLED_BACK, f"{reason}; the claim was lost, and its next holder has the service")
        return
    with kept(run):
        _rollback(run, reason)


def _rollback(run: Run, reason: str) -> None:
    brake(run, reason)
    run.move(Phase.ROLLING_BACK)
    run.ports.claims.note(run.claim, run.stable)
    untold = hand_back_or_say(run)
    see_silent(run, run.canary)
    leave_alone(run, run.stable)
    done = leave_only(run, run.stable)
    run.say(f"rollback: helm release {done.name} at revision {done.revision}: {run.canary} removed")
    run.close(Phase.ROLLED_BACK, reason + untold)


@leaves_nothing
def settle(run: Run) -> None:
    """Close a release that neither exit closed (a task failed on the way): on stable, or on the new one if committed."""
    if run.release.outcome is None and not _claimed(run):
        run.close(Phase.REFUSED, "the service could not be claimed; nothing was touched")
    if run.release.outcome is not None:
        run.say(f"settle: the release ended {run.release.outcome}; nothing to settle")
        return
    last = run.ports.record.last_event(run.id, FAILED)
    surely_taken_back(run, f"{last.body['task']} failed: {last.body['why']}" if last else UNDECIDED)
    rollback(run)


def _claimed(run: Run) -> bool:
    """Whether the service was claimed; of a claim whose task died the record may not know yet."""
    if run.release.token is None:
        state = lease(run)
        if state is None or not ours(run, state):
            return False
        run.ports.record.set_token(run.id, state.token)
    return True


@leaves_nothing
def finish(run: Run) -> None:
    """Make safe, open the service's objects, give the claim back, and say how it ended.

    Raises:
        ReleaseTakenBack: The release did not promote: turns the run red, with the reason.
        ClusterError: The watchdog took the claim on the way, or the cluster failed; run again, it goes on from there.
        HandoverError: Who owns the values could not be told that the promotion is none; run again. The objects stay held.
    """
    try:
        if run.release.outcome is None:
            settle(run)
        _finish(run)
    except ClaimLostError as error:
        raise ClusterError(f"the claim was lost on the way, try again: {error}") from error


def _finish(run: Run) -> None:
    release = run.release
    if release.token is None:
        run.say("finish: the service was never claimed; nothing to give back")
        if release.outcome in (Phase.DRY_RUN, Phase.NOTHING_TO_DO):
            return
        raise ReleaseTakenBack(f"{run.canary} was not released, {run.stable} has all traffic: {release.reason}")
    outcome, reason = str(release.outcome), str(release.reason)
    if run.ports.record.once(run.id, FINISHED) is None:
        _give_back(run, outcome)
        run.note(FINISHED, once=FINISHED, outcome=outcome)
        sweep(run)
    if outcome != Phase.PROMOTED:
        raise ReleaseTakenBack(f"{run.canary} was taken back, {run.stable} has all traffic: {reason}")
    run.say(f"finish: {run.canary} is the stable version: {reason}")


def _give_back(run: Run, outcome: str) -> None:
    """Nobody renews between the last task and this one: a claim that the watchdog took meanwhile is had again first.

    Helm then has to render the new token: it would be refused with the old one, a person's too.
    """
    if not hold(run, again=True):
        resume(run, own=True)
        return
    stays: ClusterError | None = None
    with kept(run):
        hand_back(run)
        if rendered_token(run) != str(run.claim.token):
            leave_only(run, run.canary if outcome == Phase.PROMOTED else run.stable)
        run.ports.traffic.open(run.claim)
        try:
            resume(run)
        except ClusterError as error:  # a sync that can't be had going must not hold the service
            stays = error
    run.ports.claims.release(run.claim, outcome)
    state = lease(run)
    if state is not None and ours(run, state):
        raise ClaimLostError("the watchdog took it before it was given back, and holds the objects anew")
    run.say(f"finish: the claim on {run.spec.namespace}/{run.spec.service} is given back")
    if stays is not None:
        raise stays


def abort(run: Run, reason: str) -> None:
    """What a killed task or trigger does: note it and brake; never raises, others finish the rollback."""
    try:
        release = run.release
        if release.outcome is None and release.token is not None:
            take_back(run, reason)
    except GlidepathError as error:
        run.say(f"abort: the brake failed: {error}; the cluster's watchdog acts when the lease runs out")
