"""What a release says to people: one fact a line, with its number and its limit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from glidepath.evidence.bins import usable
from glidepath.judge import ArmCounts, Look, MetricLook, Plan, Verdict
from glidepath.release.observation import Observation


def number(value: float | None, unit: str) -> str:
    """A number with its unit, as people read it; `points` are percentage points; None is not known."""
    if value is None:
        return "..."
    if unit == "points":
        return f"{100 * value:+.2f} points"
    if unit in ("ratio", "mean"):
        return f"x{value:.3f}"
    return f"{value:.4g} {unit}"


def limit(value: float, unit: str, sides: str) -> str:
    """A limit with the sign of the side it lies on; one on both sides has both."""
    text = number(value, unit)
    return {"below": "-", "both": "±"}[sides] + text.removeprefix("+") if sides != "above" else text


def limits(metric: MetricLook) -> tuple[str, str]:
    """What is harm and what is comparable, in words with the side they lie on."""
    harm, safe = (limit(each, metric.unit, metric.sides) for each in (metric.limit, metric.safe_limit))
    where = {"above": "below", "below": "above", "both": "within"}[metric.sides]
    return f"harm beyond {harm}", f"comparable {where} {safe}"


def bare(value: float | None, unit: str) -> str:
    """A number as `number` has it, without its unit where a neighbour says that."""
    return number(value, unit).removesuffix(" points")


def deciding(look: Look) -> MetricLook | None:
    """The metric that a look names as decisive. For a pass that names none: the critical one that was proven last."""
    named = next((metric for metric in look.metrics if metric.name == look.deciding), None)
    if named is None and look.verdict is Verdict.PASS:
        critical = [metric for metric in look.metrics if metric.role == "critical"]
        return min(critical, key=lambda metric: metric.safety_e, default=None)
    return named


def worst(look: Look) -> MetricLook:
    """The metric that speaks most for harm, of those that may take a canary back."""
    deciders = [metric for metric in look.metrics if metric.role != "advisory"]
    return max(deciders, key=lambda metric: metric.harm_e / metric.harm_threshold)


def finding(metric: MetricLook, harm: bool) -> str:
    """What is found of a metric, where it lies, and the limit that this is about: that of harm, or of what is comparable."""
    beyond, comparable = limits(metric)
    unit = metric.unit
    return (
        f"{metric.name} {number(metric.effect, unit)} in [{bare(metric.low, unit)}, {bare(metric.high, unit)}], "
        f"{beyond if harm else comparable}"
    )


def decisive(look: Look) -> str:
    """What decides a look, with the evidence for it; empty where no metric does."""
    harm = look.verdict is Verdict.FAIL or look.suspicious
    metric = worst(look) if look.suspicious and look.verdict is not Verdict.FAIL else deciding(look)
    if metric is None:
        return ""
    evidence, of = (metric.harm_e, metric.harm_threshold) if harm else (metric.safety_e, metric.safety_threshold)
    return f": {finding(metric, harm)} (evidence {evidence:.3g} of {of:.0f})"


def look_line(look: Look, name: str) -> str:
    """A look in a line: the verdict, what decides, where it stands. `metric_line` has the rest."""
    left = f"; {look.remaining_s[0]:.0f}-{look.remaining_s[1]:.0f} s left if comparable" if look.remaining_s else ""
    return (
        f"{name}: {look.verdict} {look.reason}{decisive(look)}; {look.weight} %: canary {look.canary_requests}, "
        f"stable {look.stable_requests}{left}"
    )


def metric_line(metric: MetricLook) -> str:
    """One metric of one look, with all that is known of it."""
    unit = metric.unit
    if not metric.judged:
        return f"{metric.name}: {number(metric.effect, unit)}; told only" + (f"; {metric.note}" if metric.note else "")
    harm, safe = limits(metric)
    return (
        f"{metric.name}: {number(metric.effect, unit)}, within [{number(metric.low, unit)}, {number(metric.high, unit)}]; "
        f"{harm} (evidence {metric.harm_e:.3g} of {metric.harm_threshold:.0f}), "
        f"{safe} (evidence {metric.safety_e:.3g} of {metric.safety_threshold:.0f})"
        + ("; advisory" if metric.role == "advisory" else "")
        + (f"; {metric.note}" if metric.note else "")
    )


def verdict(look: Look) -> str:
    """A verdict in one sentence: the reason that is recorded with a decision."""
    return f"{look.verdict} {look.reason}{decisive(look)}; after {look.canary_requests} canary requests"


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
