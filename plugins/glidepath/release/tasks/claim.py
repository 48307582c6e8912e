"""The task `claim`: the service is this release's. Run again, it finds nothing to do."""

from __future__ import annotations

from functools import partial

from glidepath.claim import ClaimState
from glidepath.claim.state import ABANDONED
from glidepath.deploy import values as chart
from glidepath.errors import PreflightError, ReleaseFinishedError
from glidepath.kube import GROUP
from glidepath.release.cleanup import leaves_nothing
from glidepath.release.events import Claimed
from glidepath.release.gitops import hand_back_others, pause
from glidepath.release.holding import lease
from glidepath.release.phases import Phase
from glidepath.release.run import Run, releases_of
from glidepath.traffic.handling import take


@leaves_nothing
def claim(run: Run, url: str = "") -> None:
    """Take the service's lease, stamp its objects with the token, and take over its routes.

    Args:
        run: The release.
        url: Where a person finds this run; shown to whoever wants the service meanwhile.

    Raises:
        ClaimHeldError: Another release holds the service.
        PreflightError: Another version has become the stable one since this release was planned, or it was refused before.
        ClusterError: The API failed; run again.
        BusyError: The watchdog is just making the service safe; run again.
        HandoverError: Who owns the values could not be told that an earlier release was taken back; run again.
    """
    release = run.release
    if release.outcome == Phase.REFUSED:  # a run whose tasks are cleared must not turn green without a release
        raise PreflightError(f"release {run.id} was refused: {release.reason}. Start a new run")
    if run.ended():
        return
    ports, spec = run.ports, run.spec
    lease(run)
    still, after = partial(_as_planned, run), (ABANDONED,) if unbegun(run) else ()
    wanted = run.claim_for(run.stable, ports.fence.state().newest)
    routing = ports.traffic.read().routing
    held = ports.claims.acquire(wanted, url, after, still, routing.to_text())
    ports.record.set_token(run.id, held.token)
    beside = sorted(ports.traffic.around(run.fresh).leading)
    run.note(Claimed(held.token, spec.lease, routing.to_dict(), beside))
    take(ports.traffic, ports.fence, held)
    pause(run)
    _close_lost(run, held.token)
    hand_back_others(run)
    if run.release.phase == Phase.PLANNED:
        run.move(Phase.CLAIMED)
    run.say(f"claim: {spec.namespace}/{spec.service} held with token {held.token}, lease {spec.lease:.0f} s")


def unbegun(run: Run) -> bool:
    """Whether nothing was done yet: then a claim that ran out before its task could note it may be taken again."""
    return run.release.phase == Phase.PLANNED and run.journal.fate() is None


def _as_planned(run: Run, state: ClaimState | None) -> None:
    """Make sure that the release has not gone on without this task, and that what it was planned against still holds.

    Raises:
        ReleaseFinishedError: The release has ended, or the watchdog took it back when it had begun.
        PreflightError: Another release has promoted meanwhile.
    """
    was_ours = state is not None and state.annotations.get(f"{GROUP}/last-run") == run.id
    if run.release.outcome is not None or (was_ours and not unbegun(run)):
        raise ReleaseFinishedError(f"release {run.id} has gone on or ended without this task; nothing was touched")
    deployed, routed = chart.roles(run.ports.helm.effective_values())[0], run.ports.traffic.read().split.stable
    if not deployed == routed == run.stable:
        raise PreflightError(
            f"planned against {run.stable} as the stable version, but Helm now says {deployed} and the routes say {routed}: "
            "another release was first; nothing was touched. Start a new run"
        )


def _close_lost(run: Run, token: int) -> None:
    """Close what the record has open of this service with an older token: its run was lost, and this one cleans up."""
    for release in releases_of(run.ports.record, run.spec):
        if release.outcome is None and 0 < (release.token or 0) < token:
            outcome = Phase.PROMOTED if release.canary == run.stable else Phase.ROLLED_BACK
            reason = f"its run was lost before it had cleaned up; {run.id} holds the service since"
            if run.ports.record.close(release.id, outcome, reason, run.now()):
                run.say(f"claim: release {release.id} is closed: {outcome}: {reason}")
