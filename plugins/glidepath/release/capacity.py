"""How many replicas a version needs for its share of the traffic, and who scales it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glidepath.deploy import values as chart
from glidepath.errors import NotReadyError
from glidepath.release.run import Run


def see_to(run: Run, values: Mapping[str, Any], version: str, needed: int) -> None:
    """Ask for so many replicas of a version whose replicas Helm leaves to somebody else.

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


def expected_replicas(run: Run, values: Mapping[str, Any], enough: Mapping[str, int]) -> dict[str, int]:
    """The least number of replicas that each version has while nobody interferes; 1 for what is scaled elsewhere."""
    last, expected = run.journal.replicas(), {**enough}
    before = last.versions.get(run.stable, 0) if last else 0
    expected[run.stable] = before or max(
        1, min(chart.stable_replicas(values), run.ports.workloads.readiness(run.stable).wanted)
    )
    if chart.most_replicas(values) is not None:
        return expected | {run.stable: chart.stable_replicas(values)}
    for version in expected:
        shape = run.ports.workloads.shape(version)
        if chart.scaled_elsewhere(values) or (shape is not None and shape.autoscaled):
            expected[version] = 1
    return expected


def replicas_like_stable(run: Run, values: Mapping[str, Any]) -> int:
    """How many replicas take the whole traffic: Helm's number, or what an autoscaler or a person has made of it by now."""
    replicas, most = chart.stable_replicas(values), chart.most_replicas(values)
    now = run.ports.workloads.readiness(run.stable).wanted
    if most is not None:
        return min(max(replicas, now), max(most, replicas))
    return max(1, now) if chart.scaled_elsewhere(values) else max(replicas, now)
