"""Drift: what is in the cluster in mid-release and was not put there by the release."""

from __future__ import annotations

from glidepath.errors import SetupError, TrafficDriftError
from glidepath.kube import DELETED, FIELD_MANAGER
from glidepath.release import reach
from glidepath.release.events import Pods
from glidepath.release.phases import UNGIVEN
from glidepath.release.run import Run
from glidepath.release.stages import stages
from glidepath.traffic import Surroundings, TrafficState


def routes_drift(run: Run, step: int) -> str | None:
    """How the routes differ from the step's, and who wrote it; None when it doesn't.

    Once the step is decided the next weight is none: its shift may be under way.

    Args:
        run: The release.
        step: The step in force, from 1.
    """
    state = _routes(run)
    return state if isinstance(state, str) else _split_drift(run, step, state) or state.since


def early_drift(run: Run) -> str | None:
    """What gives the canary requests before its first weight; None for nothing, or from the first weight on.

    Callers whose routes are gone reach the pods of every version: those of the canary as soon as they are ready.
    """
    if run.release.phase not in UNGIVEN or run.journal.fate() is not None:
        return None
    state = _routes(run)
    if isinstance(state, str):
        drift: str | None = state
    else:
        drift = state.since if state.all_on(run.stable) else _routes_read(state, f"{run.stable} 100 %")
    # A shift that has just begun is in its own phase before it writes.
    return drift if run.release.phase in UNGIVEN else None


def _routes(run: Run) -> TrafficState | str:
    """The routes, compared with what the claim found; or why they can't be read as such."""
    try:
        return run.ports.traffic.read(run.routing, run.fresh)
    except (TrafficDriftError, SetupError) as error:
        return str(error)


def _routes_read(state: TrafficState, expected: object) -> str:
    return f"{state.name} reads {state.split}, expected {expected}; written by {state.edited_by}"


def _split_drift(run: Run, step: int, state: TrafficState) -> str | None:
    expected, *following = stages(run)[step : step + 2]
    decided = run.journal.word_on(step) is not None
    if any(state.carries(allowed.routes) for allowed in (expected, *(following if decided else ()))):
        return None
    text = _routes_read(state, expected.routes)
    token = run.claim.token
    # The watchdog writes as Glidepath, too.
    return (
        text
        if state.token <= token
        else f"{text}, with token {state.token}; this release's is {token}: its claim was lost"
    )


def own_brake(run: Run) -> str | None:
    """Says that the release's own brake put all traffic on stable, although its record does not.

    A brake is pulled even when the record is away; what is seen of it later is no edit. None when it is not that.
    """
    try:
        state = run.ports.traffic.read()
    except (TrafficDriftError, SetupError):
        return None
    ours = state.token == run.claim.token and state.edited_by.startswith(f"{FIELD_MANAGER} ")
    if not ours or not state.all_on(run.stable):
        return None
    return (
        f"{run.stable} was given all traffic by {state.edited_by}: this release's own brake, which could not be written "
        "down then; the logs of the guard and of the tasks say why"
    )


def objects_drift(run: Run) -> str | None:
    """What else a version needs and somebody changed: the way to its pods, replicas, pods, Helm's release; None when nothing."""
    shapes = _shapes(run)
    around = run.ports.traffic.around(run.fresh, reach.pods(shapes))
    return (
        _others_drift(run, around)
        or reach.drift(run, shapes, around)
        or _versions_drift(run, shapes)
        or _helm_drift(run)
    )


def _others_drift(run: Run, around: Surroundings) -> str | None:
    """Other routes that the mesh goes by instead, or that lead to the canary since the claim."""
    if around.outdone:
        return f"the routes of this release are not in force, {around.outdone}"
    before = run.beside
    new = [] if before is None else [words for name, words in sorted(around.leading.items()) if name not in before]
    if not new:
        return None
    return (
        f"{'; '.join(new)} beside the weights, since the claim. It is not this release's to write: its callers are served by "
        "the canary until its pods are gone"
    )


def _versions_drift(run: Run, shapes: reach.Shapes) -> str | None:
    replicas, pods = run.journal.replicas(), run.journal.pods()
    for version, now in shapes.items():
        if now is None:
            return f"what runs the pods of {version} is gone; removed by {DELETED}"
        least = replicas.versions.get(version, 0) if replicas else 0
        if now.wanted < least:
            return f"{version} was scaled to {now.wanted} replicas, expected at least {least}; by {now.replicas_by}"
        deployed = pods.versions.get(version) if pods else None
        if deployed is not None and now.pods != deployed:
            return f"the pods of {version} were changed; by {now.pods_by}"
    return None


def _helm_drift(run: Run) -> str | None:
    """A `helm upgrade` by somebody else: its values would be released with ours, and nobody judged them.

    An upgrade of our own is announced in the record before it begins, so the record is read again after the cluster.
    """
    ours = run.journal.upgrade()
    if ours is None or ours.revision is None:
        return None
    newest = run.ports.workloads.helm_revision(run.spec.helm.release)
    if newest is None or newest.number <= ours.revision:
        return None
    if run.journal.upgrade() != ours:
        return None
    return (
        f"helm release {run.spec.helm.release} is at revision {newest.number} ({newest.status}), expected "
        f"{ours.revision}; written by {newest.by}"
    )


def note_pods(run: Run) -> None:
    """Write down what the versions' pods are, and how callers are led to them, once they are what was asked for."""
    shapes = _shapes(run)
    pods = {version: shape.pods for version, shape in shapes.items() if shape is not None}
    ways = run.ports.traffic.around(run.fresh, reach.pods(shapes)).ways
    run.note(Pods(pods, {version: way.digest for version, way in ways.items()}))


def _shapes(run: Run) -> reach.Shapes:
    return {version: run.ports.workloads.shape(version) for version in (run.stable, *run.fresh)}
