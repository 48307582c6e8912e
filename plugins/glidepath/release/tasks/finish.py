"""The task `finish`: makes safe, lets the service go, and says how the release ended. It may be run again."""

from __future__ import annotations

from glidepath.errors import BusyError, ClaimLostError, ClusterError, ReleaseTakenBack
from glidepath.release.brake import leave_alone
from glidepath.release.cleanup import leaves_nothing, sweep
from glidepath.release.events import Finished
from glidepath.release.gitops import hand_back, resume
from glidepath.release.holding import has_claim, lease, ours, renewing
from glidepath.release.phases import Phase
from glidepath.release.run import Run
from glidepath.release.summary import summary
from glidepath.release.tasks.settle import settle
from glidepath.release.versions import leave_only, rendered_token
from glidepath.traffic.handling import let_go


@leaves_nothing
def finish(run: Run) -> None:
    """Make safe, open the service's objects, give the claim back, and say how it ended.

    Raises:
        ReleaseTakenBack: The release did not promote: turns the run red, with the reason.
        BusyError: The watchdog took the claim on the way; run again, it goes on from there.
        ClusterError: The cluster failed; run again.
        HandoverError: Who owns the values could not be told that the promotion is none; run again. The objects stay held.
    """
    try:
        if run.release.outcome is None:
            settle(run)
        _finish(run)
    except ClaimLostError as error:
        raise BusyError(f"the claim was lost on the way, try again: {error}") from error


def _finish(run: Run) -> None:
    release = run.release
    if release.token is None:
        run.say("finish: the service was never claimed; nothing to give back")
        if release.outcome in (Phase.DRY_RUN, Phase.NOTHING_TO_DO):
            return
        raise ReleaseTakenBack(f"{run.canary} was not released, {run.stable} has all traffic: {release.reason}")
    outcome, reason = str(release.outcome), str(release.reason)
    if not run.journal.finished():
        _give_back(run, outcome)
        run.note(Finished(outcome))
        sweep(run)
    if outcome != Phase.PROMOTED:
        raise ReleaseTakenBack(f"{run.canary} was taken back, {run.stable} has all traffic: {reason}")
    run.say(f"finish: {run.canary} is the stable version: {reason}")


def _give_back(run: Run, outcome: str) -> None:
    """Nobody renews between the last task and this one: a claim that the watchdog took meanwhile is reclaimed first.

    Helm then has to render the new token: it would be refused with the old one, a person's too.
    """
    if not has_claim(run, again=True):
        resume(run, own=True)
        return
    stays: ClusterError | None = None
    with renewing(run):
        hand_back(run)
        safe = run.canary if outcome == Phase.PROMOTED else run.stable
        leave_alone(run, safe)  # routes that were deleted since are made anew: open, nobody would
        if rendered_token(run) != str(run.claim.token):
            leave_only(run, safe)
        let_go(run.ports.traffic, run.ports.fence, run.claim)
        try:
            resume(run)
        except ClusterError as error:  # a sync that can't be had going must not hold the service
            stays = error
    run.ports.claims.end(run.claim, outcome, summary(run))
    state = lease(run)
    if state is not None and ours(run, state):
        raise ClaimLostError("the watchdog took it before it was given back, and holds the objects anew")
    run.say(f"finish: the claim on {run.spec.namespace}/{run.spec.service} is given back")
    if stays is not None:
        raise stays
