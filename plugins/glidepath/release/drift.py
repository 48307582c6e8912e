"""Drift: what is in the cluster in mid-release and was not put there by the release."""

from __future__ import annotations

from glidepath.errors import PreflightError, TrafficDriftError
from glidepath.release.run import Run
from glidepath.release.steps import fresh
from glidepath.release.window import way


def routes_drift(run: Run, step: int) -> str | None:
    """How the split differs from the step's weight, and who wrote it; None when it doesn't.

    Once the step is decided the next weight is none: its shift may be under way.

    Args:
        run: The release.
        step: The step in force, from 1.
    """
    try:
        state = run.ports.traffic.read()
    except (TrafficDriftError, PreflightError) as error:
        return str(error)
    weights, split = way(run.spec), state.split
    expected = weights[step - 1]
    decided = run.ports.record.once(run.id, f"decision:{step}") is not None
    allowed = weights[step - 1 : step + 1] if decided else [expected]
    if split in [run.split(weight) for weight in allowed]:
        return None
    return f"the VirtualService reads {split}, expected {run.split(expected)}; written by {state.edited_by}"


def objects_drift(run: Run) -> str | None:
    """What else a version needs and has lost: its subset, or replicas; None when nothing."""
    missing = {run.stable, *fresh(run)} - run.ports.traffic.subsets()
    if missing:
        return f"the DestinationRule lacks the subset {', '.join(sorted(missing))}; who changed it: managedFields"
    wanted = run.ports.record.last_event(run.id, "replicas")
    if wanted is None:
        return None
    for version, count in wanted.body["versions"].items():
        now = run.ports.workloads.readiness(version).wanted
        if now < int(count):
            return f"{version} was scaled to {now} replicas, expected at least {count}"
    return None
