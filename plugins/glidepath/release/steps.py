"""The actions of a release up to its last gate: claim, deploy, shift. Run again, each finds nothing to do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from glidepath.claim import ClaimState
from glidepath.claim.state import ABANDONED
from glidepath.deploy import values as chart
from glidepath.errors import NotReadyError, PreflightError, ReleaseFinishedError
from glidepath.kube import GROUP
from glidepath.release.brake import TAKEN_BACK, fate, give, taken_back, taken_back_meanwhile
from glidepath.release.drift import note_pods
from glidepath.release.handing import hand_back_others, pause
from glidepath.release.holding import lease
from glidepath.release.keep import kept
from glidepath.release.leftovers import leaves_nothing
from glidepath.release.orphans import releases_of
from glidepath.release.phases import Decision, Phase
from glidepath.release.run import Run
from glidepath.release.tidy import given, upgrade
from glidepath.traffic import Split


@leaves_nothing
def claim(run: Run, url: str = "") -> None:
    """Take the service's lease, stamp its objects with the token, and take over the VirtualService's routes.

    Args:
        run: The release.
        url: Where a person finds this run; shown to whoever wants the service meanwhile.

    Raises:
        ClaimHeldError: Another release holds the service.
        PreflightError: Another version has become the stable one since this release was planned, or it was refused before.
        ClusterError: The API failed, or the watchdog is just making the service safe; run again.
        HandoverError: Who owns the values could not be told that an earlier release was taken back; run again.
    """
    release = run.release
    if release.outcome == Phase.REFUSED:  # a run whose tasks are cleared must not turn green without a release
        raise PreflightError(f"release {run.id} was refused: {release.reason}. Start a new run")
    if run.ended():
        return
    ports, spec = run.ports, run.spec
    lease(run)
    still, after = partial(_as_planned, run), (ABANDONED,) if _unbegun(run) else ()
    wanted = run.claim_for(run.stable, ports.traffic.newest_token())
    routing = ports.traffic.routing()
    held = ports.claims.acquire(wanted, url, after, still, routing.to_text())
    ports.record.set_token(run.id, held.token)
    beside = sorted(ports.traffic.others(run.fresh).leading)
    run.note("claim", once="claim", token=held.token, lease_s=spec.lease, routes=routing.to_dict(), beside=beside)
    ports.traffic.take(held)
    pause(run)
    _close_lost(run, held.token)
    hand_back_others(run)
    if run.release.phase == Phase.PLANNED:
        run.move(Phase.CLAIMED)
    run.say(f"claim: {spec.namespace}/{spec.service} held with token {held.token}, lease {spec.lease:.0f} s")


def _unbegun(run: Run) -> bool:
    """Whether nothing was done yet: a claim that ran out before its task could note it may then be had again."""
    return run.release.phase == Phase.PLANNED and fate(run.ports.record, run.id) is None


def _as_planned(run: Run, state: ClaimState | None) -> None:
    """Make sure that the release has not gone on without this task, and that what it was planned against still holds.

    Raises:
        ReleaseFinishedError: The release has ended, or the watchdog took it back when it had begun.
        PreflightError: Another release has promoted meanwhile.
    """
    was_ours = state is not None and state.annotations.get(f"{GROUP}/last-run") == run.id
    if run.release.outcome is not None or (was_ours and not _unbegun(run)):
        raise ReleaseFinishedError(f"release {run.id} has gone on or ended without this task; nothing was touched")
    said, routed = chart.roles(run.ports.helm.effective_values())[0], run.ports.traffic.read().split.stable
    if not said == routed == run.stable:
        raise PreflightError(
            f"planned against {run.stable} as the stable version, but Helm now says {said} and the routes say {routed}: "
            "another release was first; nothing was touched. Start a new run"
        )


def _close_lost(run: Run, token: int) -> None:
    """Close what the record has open of this service with an older token: its run was lost, and this one cleans up."""
    for one in releases_of(run.ports.record, run.spec):
        if one.outcome is None and 0 < (one.token or 0) < token:
            outcome = Phase.PROMOTED if one.canary == run.stable else Phase.ROLLED_BACK
            reason = f"its run was lost before it had cleaned up; {run.id} holds the service since"
            if run.ports.record.close(one.id, outcome, reason, run.now()):
                run.say(f"claim: release {one.id} is closed: {outcome}: {reason}")


@leaves_nothing
def deploy(run: Run) -> None:
    """Put the canary's pods beside the stable ones with weight 0, and wait until they can take traffic.

    Raises:
        HelmError: Helm refused the upgrade.
        ClusterError: The pods were not ready in time; says what they wait for.
    """
    if run.ended():
        return
    with kept(run):
        _deploy(run)


def _deploy(run: Run) -> None:
    ports = run.ports
    if ports.traffic.read().split.canary_weight == 0 or run.release.phase == Phase.CLAIMED:
        if not give(run, Split(run.stable, run.canary, 0)):
            return
        for leftover in ports.traffic.deployed_versions() - {run.stable, run.canary, run.baseline}:
            run.say(f"deploy: {leftover} is left of an earlier release and has no role; helm removes it")
            ports.traffic.open_version(run.claim, leftover)
        token = run.claim.token
        done = upgrade(run, chart.with_canary(given(run), run.stable, run.canary, 0, token, baseline=run.baseline))
        for version in run.fresh:
            ports.traffic.hold_version(run.claim, version)
        beside = " and ".join(run.fresh)
        run.say(f"deploy: helm release {done.name} is at revision {done.revision}: {beside} beside {run.stable}")
    seconds = max(
        ports.workloads.wait_ready(
            version,
            run.spec.deploy_timeout,
            lambda now: run.say(f"deploy: {now.version}: {now.ready} of {now.wanted} ready; {now.why}"),
        )
        for version in run.fresh
    )
    if run.release.phase == Phase.CLAIMED:
        note_pods(run)
        run.move(Phase.DEPLOYED)
        run.note("deployed", once="deployed", seconds=seconds)
    run.say(f"deploy: {' and '.join(run.fresh)} ready after {seconds:.0f} s, weight 0")


@leaves_nothing
def shift(run: Run, number: int) -> None:
    """Give the canary the weight of step `number` (from 1), unless the release has been taken back.

    Raises:
        ClaimLostError: The release no longer holds the service.
    """
    if run.ended():
        return
    weight = run.spec.steps[number - 1].weight
    if taken_back(run):
        run.say(f"shift: the release was taken back; step {number} gets no weight")
        return
    if run.step().number >= number:
        run.say(f"shift: step {number} was given its weight already; nothing is done")
        return
    with kept(run):
        _make_room(run, weight)
    if taken_back_meanwhile(run):
        return
    run.move(Phase.BAKING)
    started, split = run.now(), run.split(weight)

    def still() -> bool:
        return run.step().number < number

    def written() -> None:
        seconds = run.now() - started
        run.note("weight", once=f"weight:{number}", step=number, weight=weight, seconds=seconds)
        run.say(f"shift: step {number} of {len(run.spec.steps)}: {split}, read back after {seconds:.2f} s")

    give(run, split, still, written=written)


def _make_room(run: Run, weight: int) -> None:
    """See to it that the canary, and its baseline, have the ready replicas for their share: as stable has for each percent.

    Raises:
        ClusterError: They were not ready in time; the weight is not given.
    """
    ports = run.ports
    values = ports.helm.effective_values()
    needed = max(1, math.ceil(replicas_like_stable(run, values) * weight / 100))
    scales, elsewhere = chart.most_replicas(values) is not None, chart.scaled_elsewhere(values)
    have = {version: ports.workloads.readiness(version) for version in run.fresh}
    # What an autoscaler made of its own accord it may take away again: its minimum has to be enough.
    sure = {version: chart.least_replicas(values, version) if scales else one.wanted for version, one in have.items()}
    if any(count < needed for count in sure.values()) and not elsewhere:
        now, token = ports.traffic.read().split.canary_weight, run.claim.token
        upgrade(run, chart.with_canary(given(run), run.stable, run.canary, now, token, needed, run.baseline))
    for version, one in have.items():
        if one.wanted < needed or not one.complete:
            see_to(run, values, version, needed)
            seconds = ports.workloads.wait_ready(version, run.spec.deploy_timeout, least=needed)
            run.say(f"shift: {version} has the {needed} replicas that {weight} % takes, ready after {seconds:.0f} s")
    enough = {version: max(needed, count) for version, count in sure.items()}
    run.note("replicas", versions=_expected(run, values, enough))


def see_to(run: Run, values: Mapping[str, Any], version: str, needed: int) -> None:
    """See to it that a version is to have so many replicas, though Helm leaves them to somebody else.

    Whoever scales it by himself goes on from there. What a person has scaled down stays so.

    Raises:
        NotReadyError: A person has.
    """
    shape = None if chart.most_replicas(values) is not None else run.ports.workloads.shape(version)
    if shape is None or shape.wanted >= needed:
        return
    if not chart.scaled_elsewhere(values) and not shape.autoscaled:
        raise NotReadyError(
            f"{version} was scaled to {shape.wanted} replicas by {shape.replicas_by}; it needs {needed}"
        )
    if run.ports.workloads.at_least(version, needed):
        run.say(f"{version} is scaled by {shape.replicas_by}: begun with {needed} replicas, for its share")


def _expected(run: Run, values: Mapping[str, Any], enough: Mapping[str, int]) -> dict[str, int]:
    """How many replicas each version has at least while nobody interferes; one of what scales by itself."""
    last, found = run.ports.record.last_event(run.id, "replicas"), {**enough}
    before = int(last.body["versions"].get(run.stable, 0)) if last else 0
    found[run.stable] = before or max(
        1, min(chart.stable_replicas(values), run.ports.workloads.readiness(run.stable).wanted)
    )
    if chart.most_replicas(values) is not None:
        return found | {run.stable: chart.stable_replicas(values)}
    for version in found:
        shape = run.ports.workloads.shape(version)
        if chart.scaled_elsewhere(values) or (shape is not None and shape.autoscaled):
            found[version] = 1
    return found


def replicas_like_stable(run: Run, values: Mapping[str, Any]) -> int:
    """How many replicas take the whole traffic: Helm's number, or what an autoscaler or a person has made of it by now."""
    replicas, most = chart.stable_replicas(values), chart.most_replicas(values)
    now = run.ports.workloads.readiness(run.stable).wanted
    if most is not None:
        return min(max(replicas, now), max(most, replicas))
    return max(1, now) if chart.scaled_elsewhere(values) else max(replicas, now)


def decision(run: Run, number: int) -> tuple[Decision, str] | None:
    """The guard's word on a step and why, or None while there is none."""
    now = fate(run.ports.record, run.id)
    if now is not None and now[0] == TAKEN_BACK:
        return Decision.ROLLBACK, now[1]
    word = run.ports.record.once(run.id, f"decision:{number}")
    if word is None:
        return None
    return Decision(word.body["decision"]), str(word.body["reason"])
