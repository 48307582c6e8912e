"""What tasks share: Helm under the claim, a version seen without requests, and only one version left."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict

from glidepath.deploy import HelmRelease
from glidepath.deploy import values as chart
from glidepath.deploy.overlay import short
from glidepath.errors import GlidepathError
from glidepath.kube import FIELD_MANAGER
from glidepath.release.events import HelmUpgrade, LastSeen, Silent
from glidepath.release.run import Run


def given_values(run: Run) -> dict[str, object]:
    """The values that Helm's release was given by its users."""
    current = run.ports.helm.status()
    return dict(current.values) if current else {}


def rendered_token(run: Run) -> str:
    """The token that Helm puts on the objects; empty for none."""
    release = given_values(run).get("release")
    return str(release.get("token") or "") if isinstance(release, Mapping) else ""


def upgrade(run: Run, values: Mapping[str, object]) -> HelmRelease:
    """Bring Helm's release to these values, as long as the claim is this release's.

    What a release has opened again is not fenced any more: a task that was stopped until then must not have Helm undo
    how it ended, and one that was stopped while Helm ran must not go on.

    Raises:
        ClaimLostError: The claim was given back, or is another's.
    """
    run.ports.claims.renew(run.claim)
    # Announced first: the guard takes a revision it was not told of for somebody else's.
    run.note(HelmUpgrade(None))
    run.ports.fence.free_writes()
    done = run.ports.helm.upgrade(values, write=run.ports.fence.state().write + 1)
    run.note(HelmUpgrade(done.revision))
    for field in done.laid:
        if not field.owner.startswith(f"{FIELD_MANAGER} "):
            run.say(f"helm: {field}, Helm has {short(field.rendered)}: {'taken over' if field.taken else 'left so'}")
    run.ports.claims.renew(run.claim)
    return done


def see_silent(run: Run, version: str) -> None:
    """Wait until the counts say that a version gets no more requests, and write down how long that took."""
    started = time.monotonic()
    try:
        evidence = run.spec.evidence
        seconds = run.ports.evidence.silent(run.source(), version, evidence.scrape, evidence.lag)
    except GlidepathError as error:
        # The mesh has been read back; that telemetry can't confirm it must not keep a rollback from ending.
        run.say(f"{version}: traffic could not be seen to end: {error}")
        return
    run.note(Silent(version, time.monotonic() - started))
    run.say(f"{version}: no more requests in the counts, seen after {seconds:.0f} s")


def see_last(run: Run, version: str) -> None:
    """Write down what a version's pods are like before they are removed, and say it. Whatever fails keeps nobody waiting."""
    lines = run.spec.last_logs
    try:
        seen = run.ports.workloads.last_seen(version, lines)
        if not seen.pods and not seen.missing:
            return
        run.note(LastSeen(version, [asdict(pod) for pod in seen.pods], seen.missing))
    except GlidepathError as error:
        run.say(f"{version}: its pods could not be looked at a last time: {error}")
        return
    for pod in seen.pods:
        for event in pod.events:
            run.say(f"{pod.name}: event: {event}")
        for container in pod.containers:
            run.say(
                f"{pod.name} ({pod.phase}), container {container.name}: {container.state}, {container.restarts} restarts"
            )
            for line in container.log:
                run.say(f"{pod.name} {container.name} | {line}")
    if seen.missing:
        run.say(f"{version}: not all of its pods could be looked at a last time: {seen.missing}")


def leave_only(run: Run, version: str) -> HelmRelease:
    """Have Helm give a version everything and remove every other one, those of earlier releases too. They are opened first.

    A version that was promoted keeps the replicas that it was given, if they are more than its new role's.
    """
    ports = run.ports
    alone = chart.without_replicas(chart.with_canary(given_values(run), version, None, 0, run.claim.token), *run.fresh)
    if version == run.canary:
        alone = chart.with_replicas(
            chart.without_replicas(alone, run.stable), version, _more_than_its_role(run, version)
        )
    alone = chart.without_image(alone, run.stable if version == run.canary else run.canary)
    gone = ports.fence.state().versions - {version}
    for other in sorted(gone):
        ports.fence.let_go(run.claim, other)
    done = upgrade(run, alone)
    for other in sorted(gone):
        if ports.workloads.remove_forgotten(other, ports.helm.release):
            run.say(f"{other}: an upgrade that was cut off had left its pods to nobody; removed")
        ports.workloads.wait_gone(other, run.spec.deploy_timeout)
    return done


def _more_than_its_role(run: Run, version: str) -> int | None:
    """A version's replicas, if they are more than the stable role's and nobody scales it by himself; else None."""
    values = run.ports.helm.effective_values()
    if chart.most_replicas(values) is not None or chart.scaled_elsewhere(values):
        return None
    has = run.ports.workloads.readiness(version).wanted
    return has if has > chart.role_replicas(values) else None
