"""What `plan` says to people: what is fixed for the release, and what the policy can see at its traffic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glidepath.evidence.bins import usable
from glidepath.judge import ArmCounts, Plan
from glidepath.release.observation import Observation


def plan_lines(plan: Plan, counts: ArmCounts, seconds: float) -> Iterator[str]:
    """What was frozen at plan time, and what the policy can see at this traffic."""
    rate = counts.errors / counts.requests if counts.requests else 0.0
    yield (
        f"plan: stable over the last {seconds:.0f} s: {counts.requests} requests, {100 * rate:.2f} % errors, "
        f"{counts.pods} pods"
    )
    for pod in plan.apart:
        yield (
            f"plan: {pod.told}, for as long as is known: it is set apart; harm is judged against all pods, safety "
            "against the others"
        )
    for metric in plan.metrics:
        yield f"plan: {metric.settings.name}: {metric.dispersion}"
    for line in plan.feasibility.lines():
        yield f"plan: {line}"
    for warning in plan.feasibility.warnings:
        yield f"plan: WARNING: {warning}"


def blind_lines(blind: Sequence[float], plan: Plan, unit_s: float) -> Iterator[str]:
    """Edges that are there and are not asked about, because Envoy can't tell them apart, and those that it can.

    Args:
        blind: The edges, seconds; `unit_s`: how many of them one of Envoy's units is.
        plan: What was planned without them.
    """
    if blind:
        yield (
            f"plan: WARNING: {len(blind)} latency edges are not asked about, such as {blind[0] / unit_s:g} ms: Envoy keeps "
            "latencies in bins of two digits, and can't tell them from their neighbours"
        )
    for metric in plan.metrics:
        if blind and metric.edge >= 0 and metric.settings.quantile:
            near = usable(plan.edges[metric.edge] / unit_s, metric.settings.tolerance)
            listed = ", ".join(f"{edge:g}" for edge in near)
            yield f"plan: {metric.settings.name}: edges that Envoy tells apart, to configure: {listed} ms"


def observation_lines(observed: Observation | None, stable: str) -> Iterator[str]:
    """What is kept after the promotion, and what that is good for."""
    if observed is None:
        return
    yield f"plan: after the promotion {stable} stays warm for {observed.warm_s:.0f} s with {100 - observed.weight} %"
    if not observed.judged:
        yield "plan: WARNING: without a holdback nothing is judged in that time; a person can take the version back"
