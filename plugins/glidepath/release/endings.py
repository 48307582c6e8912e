"""The two exits of a release, promote and rollback, and what closes it. Each may be run again."""

from __future__ import annotations

import time

from glidepath.deploy import values as chart
from glidepath.errors import GlidepathError, ReleaseTakenBack
from glidepath.evidence.effect import wait_silent
from glidepath.release.brake import brake, taken_back
from glidepath.release.phases import Phase
from glidepath.release.run import Run
from glidepath.traffic import Split


def promote(run: Run) -> None:
    """Make the canary the new stable: capacity first, then traffic, then the role; the old version goes last.

    Raises:
        ReleaseTakenBack: The guard found harm in the meantime.
        GlidepathError: An outside system failed; the release then goes back to stable.
    """
    if run.ended():
        return
    if taken_back(run):
        raise ReleaseTakenBack("the guard took this release back after its last gate; it is not promoted")
    ports, new, old = run.ports, run.canary, run.stable
    run.move(Phase.PROMOTING)
    given = _given(run)
    replicas = chart.stable_replicas(ports.helm.effective_values())
    weight = ports.traffic.read().split.canary_weight if ports.traffic.read().split.stable == old else 100
    if weight != 100:
        scaled = chart.with_canary(given, old, new, weight, run.claim.token, replicas)
        ports.helm.upgrade(scaled)
        seconds = ports.workloads.wait_ready(new, run.spec.deploy_timeout_s)
        run.say(f"promote: {new} has {replicas} replicas ready after {seconds:.0f} s, as many as {old} had")
        ports.traffic.shift(run.claim, Split(old, new, 100))
        run.note("promoted_traffic", once="promoted_traffic")
        run.say(f"promote: {new} 100 %, {old} 0 %, read back")
    _see_silent(run, old)
    ports.traffic.shift(run.claim, Split(new, None, 0))
    final = chart.without_replicas(chart.with_canary(_given(run), new, None, 0, run.claim.token), new)
    done = ports.helm.upgrade(final)
    ports.workloads.wait_gone(old, run.spec.deploy_timeout_s)
    run.say(f"promote: helm release {done.name} at revision {done.revision}: {new} is stable, {old} removed")
    run.close(Phase.PROMOTED, f"{new} proved comparable to {old} at every weight and is the stable version")


def rollback(run: Run) -> None:
    """Take the canary back: 100/0, read back, seen at zero by the proxies' counts, then its pods removed.

    Raises:
        GlidepathError: An outside system failed; run again, it goes on where it stopped.
    """
    if run.ended():
        return
    back = run.ports.record.once(run.id, "taken_back")
    reason = str(back.body["reason"]) if back else "taken back by its own tasks"
    run.note("taken_back", once="taken_back", reason=reason)
    brake(run, reason)
    run.move(Phase.ROLLING_BACK)
    _see_silent(run, run.canary)
    run.ports.traffic.shift(run.claim, Split(run.stable, None, 0))
    done = run.ports.helm.upgrade(chart.with_canary(_given(run), run.stable, None, 0, run.claim.token))
    run.ports.workloads.wait_gone(run.canary, run.spec.deploy_timeout_s)
    run.say(f"rollback: helm release {done.name} at revision {done.revision}: {run.canary} removed")
    run.close(Phase.ROLLED_BACK, reason)


def settle(run: Run) -> None:
    """Close a release that neither exit closed (a task failed on the way): it ends on stable."""
    release = run.release
    if release.outcome is not None or release.token is None:
        run.say(f"settle: the release ended {release.outcome or 'before it claimed the service'}; nothing to settle")
        return
    run.note("taken_back", once="taken_back", reason="a task of the release failed; see its log")
    rollback(run)


def finish(run: Run) -> None:
    """Make safe, open the service's objects, give the claim back, and say how it ended.

    Raises:
        ReleaseTakenBack: The release did not promote: turns the run red, with the reason.
    """
    release = run.release
    if release.token is None:
        run.say("finish: the service was never claimed; nothing to give back")
        return
    if release.outcome is None:
        settle(run)
        release = run.release
    outcome, reason = str(release.outcome), str(release.reason)
    if run.note("finished", once="finished", outcome=outcome):
        run.ports.traffic.open(run.claim)
        run.ports.claims.release(run.claim, outcome)
        run.say(f"finish: the claim on {run.spec.namespace}/{run.spec.service} is given back")
    if outcome != Phase.PROMOTED:
        raise ReleaseTakenBack(f"{run.canary} was taken back, {run.stable} has all traffic: {reason}")
    run.say(f"finish: {run.canary} is the stable version: {reason}")


def abort(run: Run, reason: str) -> None:
    """What a killed task or trigger does: note it and brake; never raises, others finish the rollback."""
    try:
        release = run.release
        if release.outcome is None and release.token is not None and release.phase != Phase.PROMOTING:
            run.note("taken_back", once="taken_back", reason=reason)
            brake(run, reason)
    except GlidepathError as error:
        run.say(f"abort: the brake failed: {error}; the cluster's watchdog acts when the lease runs out")


def _given(run: Run) -> dict[str, object]:
    current = run.ports.helm.status()
    return dict(current.values) if current else {}


def _see_silent(run: Run, version: str) -> None:
    """Wait until the counts say that a version gets no more requests, and write down how long that took."""
    started = time.monotonic()
    try:
        seconds = wait_silent(run.ports.prometheus, run.source(), version, run.spec.evidence.scrape_s)
    except GlidepathError as error:
        # The mesh has been read back; that telemetry can't confirm it must not keep a rollback from ending.
        run.say(f"{version}: traffic could not be seen to end: {error}")
        return
    run.note("silent", version=version, waited_s=time.monotonic() - started)
    run.say(f"{version}: no more requests in the counts, seen after {seconds:.0f} s")
