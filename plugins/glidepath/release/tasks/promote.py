"""Promotion: capacity first, then traffic, then, past the point of no return, the role; the old version goes last.

With an observation (`after_promotion` in the policy) the point of no return lies at its end: `promote` gives the new version
its traffic and keeps the old one warm; `observe` does the rest once the guard has given its word.
"""

from __future__ import annotations

from collections.abc import Callable

from glidepath.deploy import values as chart
from glidepath.errors import ReleaseTakenBack
from glidepath.release.brake import committed, give, leave_alone, taken_back, taken_back_meanwhile
from glidepath.release.capacity import replicas_like_stable, see_to
from glidepath.release.cleanup import leaves_nothing
from glidepath.release.events import Committed, WeightGiven
from glidepath.release.gitops import hand_over
from glidepath.release.holding import has_claim, renewing
from glidepath.release.observation import Observation, observation
from glidepath.release.phases import Phase
from glidepath.release.run import Run
from glidepath.release.stages import Stage, stage, stages
from glidepath.release.versions import given_values, leave_only, see_silent, upgrade


@leaves_nothing
def promote(run: Run) -> None:
    """Make the canary the new stable, at once or, with an observation, as far as it can be taken back within seconds.

    Raises:
        ReleaseTakenBack: The guard found harm in the meantime.
        GlidepathError: An outside system failed; the release then goes back to stable, or on when it was committed.
    """
    observed = observation(run.spec)
    if observed is None or committed(run):
        under_claim(run, complete)
    elif run.journal.answer_on(observed.number) is not None and not run.ended() and not taken_back(run):
        run.say("promote: the observation is over already; nothing is done")
    else:
        under_claim(run, lambda run: _open(run, observed))


def under_claim(run: Run, do: Callable[[Run], None]) -> None:
    """Do it under the claim, unless the release is over, taken back, or another one's."""
    if run.ended():
        return
    if taken_back(run):
        raise ReleaseTakenBack("this release was taken back after its last gate; it is not promoted")
    if not has_claim(run, again=committed(run)):
        if not committed(run):
            raise ReleaseTakenBack("the claim was lost before the release was promoted")
        _passed_on(run)
        return
    with renewing(run):
        do(run)


def _passed_on(run: Run) -> None:
    """Close a release that was committed and whose service another one has since: as what Helm says it came to."""
    if chart.roles(run.ports.helm.effective_values())[0] == run.canary:
        run.close(Phase.PROMOTED, f"{run.canary} is the stable version; its next holder has the service")
    else:
        run.close(Phase.ROLLED_BACK, "the claim was lost while it was promoted, and its next holder has the service")


def _open(run: Run, observed: Observation) -> None:
    if run.release.phase != Phase.OBSERVING:
        run.move(Phase.PROMOTING)
    started = run.now()
    _carry(run, stage(run, observed.number))
    seconds = run.now() - started
    run.note(WeightGiven(observed.number, observed.weight, seconds, window=True))
    run.move(Phase.OBSERVING)
    run.say(
        f"promote: {run.stable} stays warm with {100 - observed.weight} % for {observed.warm_s:.0f} s; until then "
        f"{run.canary} can be taken back: mark the task `observe` failed, or annotate the Lease"
    )


def complete(run: Run) -> None:
    """All traffic, the point of no return, the role; then the old version goes. Call under the claim."""
    ports, new, old = run.ports, run.canary, run.stable
    if run.release.phase != Phase.OBSERVING:
        run.move(Phase.PROMOTING)
    if not committed(run):
        _carry(run, stages(run)[-1])
        see_silent(run, old)
        hand_over(run)
        _commit(run)
    # Only now: a watchdog told earlier would put a canary that is taken back at the last moment on all traffic again.
    ports.claims.mark_safe(run.claim, new)
    leave_alone(run, new)
    done = leave_only(run, new)
    run.say(f"promote: helm release {done.name} at revision {done.revision}: {new} is stable, {old} removed")
    run.close(Phase.PROMOTED, f"{new} was proven comparable to {old} and is the stable version")


def _carry(run: Run, target: Stage) -> None:
    """Give the canary as many replicas as stable has, then its weight in a stage, unless it has more already."""
    ports, new, old = run.ports, run.canary, run.stable
    split = ports.traffic.read().split
    if (split.stable, split.canary) == (old, new) and split.canary_weight >= target.weight:
        _go_on(run)
        return
    values = ports.helm.effective_values()
    replicas = replicas_like_stable(run, values)
    if ports.workloads.readiness(new).wanted < replicas:
        if not chart.scaled_elsewhere(values):
            token, beside = run.claim.token, split.baseline
            upgrade(run, chart.with_canary(given_values(run), old, new, split.canary_weight, token, replicas, beside))
            _go_on(run)
        see_to(run, values, new, replicas)
    seconds = ports.workloads.wait_ready(new, run.spec.deploy_timeout, least=replicas)
    run.say(f"promote: {new} has {replicas} replicas ready after {seconds:.0f} s, as many as {old}")
    _go_on(run)
    if give(run, target.routes):
        run.say(f"promote: {new} {target.weight} %, {old} {100 - target.weight} %, read back")
    else:
        _go_on(run)


def _go_on(run: Run) -> None:
    """Stop if the brake was pulled meanwhile: weight that was just written is taken back first.

    Raises:
        ReleaseTakenBack: It was.
    """
    if taken_back_meanwhile(run):
        raise ReleaseTakenBack("this release was taken back while it was being promoted")


def _commit(run: Run) -> None:
    """The point of no return: from here on the new version is the safe side."""
    if not run.note(Committed()):
        _go_on(run)
