"""The task `deploy`: the canary's pods beside the stable ones, without traffic. Run again, it finds nothing to do."""

from __future__ import annotations

from glidepath.deploy import values as chart
from glidepath.release.brake import back_if_gone, give
from glidepath.release.cleanup import leaves_nothing
from glidepath.release.drift import note_pods
from glidepath.release.events import Deployed
from glidepath.release.holding import renewing
from glidepath.release.phases import Phase
from glidepath.release.run import Run
from glidepath.release.stages import stage
from glidepath.release.versions import given_values, upgrade


@leaves_nothing
def deploy(run: Run) -> None:
    """Put the canary's pods beside the stable ones with weight 0, and wait until they can take traffic.

    Raises:
        HelmError: Helm refused the upgrade.
        NotReadyError: The pods were not ready in time; says what they wait for.
    """
    if run.ended():
        return
    with renewing(run), back_if_gone(run):
        _deploy(run)


def _deploy(run: Run) -> None:
    ports = run.ports
    if ports.traffic.read().split.canary_weight == 0 or run.release.phase == Phase.CLAIMED:
        if not give(run, stage(run, 0).routes):
            return
        for leftover in ports.fence.state().versions - {run.stable, *run.fresh}:
            run.say(f"deploy: {leftover} is left of an earlier release and has no role; helm removes it")
            ports.fence.let_go(run.claim, leftover)
        token = run.claim.token
        values = chart.with_image(given_values(run), run.canary, run.spec.image)
        done = upgrade(run, chart.with_canary(values, run.stable, run.canary, 0, token, baseline=run.baseline))
        for version in run.fresh:
            ports.fence.hold(run.claim, version)
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
        run.note(Deployed(seconds))
    run.say(f"deploy: {' and '.join(run.fresh)} ready after {seconds:.0f} s, weight 0")
