"""The two exits of a release, promote and rollback, and what closes it. Each may be run again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from glidepath.claim.lease import ABANDONED, WATCHDOG, ClaimState
from glidepath.deploy import HelmRelease
from glidepath.deploy import values as chart
from glidepath.errors import ClaimError, ClaimLostError, ClusterError, GlidepathError, ReleaseTakenBack
from glidepath.evidence.effect import wait_silent
from glidepath.kube import GROUP
from glidepath.release.brake import COMMITTED, FATE, brake, committed, fate, note_taken_back, take_back, taken_back
from glidepath.release.keep import kept
from glidepath.release.phases import Phase
from glidepath.release.run import Run
from glidepath.traffic import Split


def promote(run: Run) -> None:
    """Make the canary the new stable: capacity first, then traffic, then the role; the old version goes last.

    Raises:
        ReleaseTakenBack: The guard found harm in the meantime.
        GlidepathError: An outside system failed; the release then goes back to stable, or on when it was committed.
    """
    if run.ended():
        return
    if taken_back(run):
        raise ReleaseTakenBack("this release was taken back after its last gate; it is not promoted")
    if not _hold(run, again=committed(run)):
        if not committed(run):
            raise ReleaseTakenBack("the claim was lost before the release was promoted")
        _passed_on(run)
        return
    with kept(run):
        _promote(run)


def _passed_on(run: Run) -> None:
    """Close a release that was committed and whose service another one has since: as what Helm says it came to."""
    if chart.roles(run.ports.helm.effective_values())[0] == run.canary:
        run.close(Phase.PROMOTED, f"{run.canary} is the stable version; its next holder has the service")
    else:
        run.close(Phase.ROLLED_BACK, "the claim was lost while it was promoted, and its next holder has the service")


def _promote(run: Run) -> None:
    ports, new, old = run.ports, run.canary, run.stable
    run.move(Phase.PROMOTING)
    if not committed(run):
        _carry_all(run)
        _see_silent(run, old)
        _commit(run)
    # Only now: a watchdog told earlier would put a canary that is taken back at the last moment on all traffic again.
    ports.claims.note(run.claim, new)
    ports.traffic.shift(run.claim, Split(new, None, 0))
    final = chart.without_replicas(chart.with_canary(_given(run), new, None, 0, run.claim.token), new)
    done = _leave_only(run, new, final)
    run.say(f"promote: helm release {done.name} at revision {done.revision}: {new} is stable, {old} removed")
    run.close(Phase.PROMOTED, f"{new} was proven comparable to {old} and is the stable version")


def _carry_all(run: Run) -> None:
    """Give the canary as many replicas as stable has, then all the traffic."""
    ports, new, old = run.ports, run.canary, run.stable
    split = ports.traffic.read().split
    if split == Split(old, new, 100):
        return
    replicas = chart.stable_replicas(ports.helm.effective_values())
    token = run.claim.token
    ports.helm.upgrade(chart.with_canary(_given(run), old, new, split.canary_weight, token, replicas))
    _go_on(run)
    seconds = ports.workloads.wait_ready(new, run.spec.deploy_timeout)
    run.say(f"promote: {new} has {replicas} replicas ready after {seconds:.0f} s, as many as {old}")
    _go_on(run)
    ports.traffic.shift(run.claim, Split(old, new, 100))
    _go_on(run)
    run.say(f"promote: {new} 100 %, {old} 0 %, read back")


def _go_on(run: Run) -> None:
    """Stop if the brake was pulled meanwhile: weight that was just written is taken back first.

    Raises:
        ReleaseTakenBack: It was.
    """
    if taken_back(run):
        brake(run, "the release was taken back while it was being promoted")
        raise ReleaseTakenBack("this release was taken back while it was being promoted")


def _commit(run: Run) -> None:
    """The point of no return: from here on the new version is the safe side."""
    if not run.note(COMMITTED, once=FATE):
        _go_on(run)


def rollback(run: Run) -> None:
    """Take the canary back: 100/0, read back, seen at zero by the counts, then its pods removed.

    Raises:
        GlidepathError: An outside system failed; run again, it goes on where it stopped.
    """
    if run.ended():
        return
    note_taken_back(run, "taken back by its own tasks")
    if committed(run):
        promote(run)
        return
    now = fate(run.ports.record, run.id)
    reason = now[1] if now else "taken back"
    with suppress(ClaimLostError):
        brake(run, reason)
    if not _hold(run, again=True):
        run.close(Phase.ROLLED_BACK, f"{reason}; the claim was lost, and its next holder has the service")
        return
    with kept(run):
        _rollback(run, reason)


def _rollback(run: Run, reason: str) -> None:
    brake(run, reason)
    run.move(Phase.ROLLING_BACK)
    run.ports.claims.note(run.claim, run.stable)
    _see_silent(run, run.canary)
    run.ports.traffic.shift(run.claim, Split(run.stable, None, 0))
    final = chart.with_canary(_given(run), run.stable, None, 0, run.claim.token)
    done = _leave_only(run, run.stable, chart.without_replicas(final, run.canary))
    run.say(f"rollback: helm release {done.name} at revision {done.revision}: {run.canary} removed")
    run.close(Phase.ROLLED_BACK, reason)


def _leave_only(run: Run, version: str, values: Mapping[str, object]) -> HelmRelease:
    """Have Helm remove every other version, what an earlier release left included: held ones it could not."""
    ports = run.ports
    gone = ports.traffic.deployed_versions() - {version}
    for other in sorted(gone):
        ports.traffic.open_version(run.claim, other)
    done = ports.helm.upgrade(values)
    for other in sorted(gone):
        ports.workloads.wait_gone(other, run.spec.deploy_timeout)
    return done


def _hold(run: Run, again: bool) -> bool:
    """Whether this release has the claim. With `again`, one that the watchdog took is claimed once more, to clean up."""
    try:
        run.ports.claims.renew(run.claim)
        return True
    except ClaimLostError as error:
        run.say(f"the claim was lost: {error}")
        if not again:
            return False
    spec, safe = run.spec, run.canary if committed(run) else run.stable
    _lease(run)
    still = partial(_still_ours, run)
    try:
        held = run.ports.claims.acquire(run.id, safe, run.canary, spec.service, spec.lease, again=True, still=still)
    except ClaimError as error:
        run.say(f"the claim can't be had again: {error}")
        return False
    run.ports.record.set_token(run.id, held.token)
    run.ports.traffic.take(held)
    run.say(f"claimed again with token {held.token}, to clean up after the watchdog")
    return True


def _lease(run: Run) -> ClaimState | None:
    """The Lease as it is.

    Raises:
        ClusterError: The watchdog is just making the service safe; run again.
    """
    state = run.ports.claims.read()
    if state is not None and state.holder == WATCHDOG:
        raise ClusterError(f"the watchdog is making {run.spec.namespace}/{run.spec.service} safe; try again after it")
    return state


def _ours(run: Run, state: ClaimState) -> bool:
    """Whether the claim is this release's, or was until the watchdog freed it, and nobody has had it since."""
    left = (state.annotations.get(f"{GROUP}/last-run"), state.annotations.get(f"{GROUP}/last-outcome"))
    return state.holder == run.id or (not state.holder and left == (run.id, ABANDONED))


def _still_ours(run: Run, state: ClaimState | None) -> None:
    if state is not None and not _ours(run, state):
        raise ClaimLostError(f"{state.holder or 'another release'} has had it since")


def settle(run: Run) -> None:
    """Close a release that neither exit closed (a task failed on the way): on stable, or on the new one if committed."""
    if run.release.outcome is None and not _claimed(run):
        run.close(Phase.REFUSED, "the service could not be claimed; nothing was touched")
    if run.release.outcome is not None:
        run.say(f"settle: the release ended {run.release.outcome}; nothing to settle")
        return
    note_taken_back(run, "a task of the release failed; see its log")
    rollback(run)


def _claimed(run: Run) -> bool:
    """Whether the service was claimed; of a claim whose task died the record may not know yet."""
    if run.release.token is None:
        state = _lease(run)
        if state is None or not _ours(run, state):
            return False
        run.ports.record.set_token(run.id, state.token)
    return True


def finish(run: Run) -> None:
    """Make safe, open the service's objects, give the claim back, and say how it ended.

    Raises:
        ReleaseTakenBack: The release did not promote: turns the run red, with the reason.
    """
    if run.release.outcome is None:
        settle(run)
    release = run.release
    if release.token is None:
        run.say("finish: the service was never claimed; nothing to give back")
        return
    outcome, reason = str(release.outcome), str(release.reason)
    if run.ports.record.once(run.id, "finished") is None:
        _give_back(run, outcome)
        run.note("finished", once="finished", outcome=outcome)
    if outcome != Phase.PROMOTED:
        raise ReleaseTakenBack(f"{run.canary} was taken back, {run.stable} has all traffic: {reason}")
    run.say(f"finish: {run.canary} is the stable version: {reason}")


def _give_back(run: Run, outcome: str) -> None:
    """Nobody renews between the last task and this one: a claim that the watchdog took meanwhile is had again first."""
    if not _hold(run, again=True):
        return
    run.ports.traffic.open(run.claim)
    run.ports.claims.release(run.claim, outcome)
    run.say(f"finish: the claim on {run.spec.namespace}/{run.spec.service} is given back")


def abort(run: Run, reason: str) -> None:
    """What a killed task or trigger does: note it and brake; never raises, others finish the rollback."""
    try:
        release = run.release
        if release.outcome is None and release.token is not None:
            take_back(run, reason)
    except GlidepathError as error:
        run.say(f"abort: the brake failed: {error}; the cluster's watchdog acts when the lease runs out")


def _given(run: Run) -> dict[str, object]:
    current = run.ports.helm.status()
    return dict(current.values) if current else {}


def _see_silent(run: Run, version: str) -> None:
    """Wait until the counts say that a version gets no more requests, and write down how long that took."""
    started = time.monotonic()
    try:
        seconds = wait_silent(run.ports.prometheus, run.source(), version, run.spec.evidence.scrape)
    except GlidepathError as error:
        # The mesh has been read back; that telemetry can't confirm it must not keep a rollback from ending.
        run.say(f"{version}: traffic could not be seen to end: {error}")
        return
    run.note("silent", version=version, waited_s=time.monotonic() - started)
    run.say(f"{version}: no more requests in the counts, seen after {seconds:.0f} s")
