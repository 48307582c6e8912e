"""What a look says to people: one fact a line, with its number and its limit."""

from __future__ import annotations

from glidepath.judge import Look, MetricLook, Verdict
from glidepath.text.numbers import bare, limits, number


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
