"""Looks and decisions as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from glidepath.judge import Look, MetricLook
from glidepath.judge.units import unit_of
from glidepath.replay.decisions import Change, Ruling
from glidepath.text.numbers import bare, limits


def metric(metric_look: MetricLook) -> str:
    """One metric: effect, interval, evidence of harm and of safety."""
    effect, low, high = (
        bare(value, metric_look.unit) for value in (metric_look.effect, metric_look.low, metric_look.high)
    )
    if not metric_look.judged:
        return f"{metric_look.name} {effect}"
    return (
        f"{metric_look.name} {effect} [{low}, {high}] harm {metric_look.harm_e:.4g}/{metric_look.harm_threshold:.0f} "
        f"safe {metric_look.safety_e:.4g}/{metric_look.safety_threshold:.0f}"
    )


def look_line(count: int, look: Look, start: float) -> str:
    """A look in a line."""
    numbers = " | ".join(metric(metric_look) for metric_look in look.metrics)
    return (
        f"{count:4d} {look.at - start:7.0f} s {look.weight:3d} % {look.verdict:9} {look.reason:16} "
        f"canary {look.canary_requests} stable {look.stable_requests} | {numbers}"
    )


def legend(look: Look) -> Iterator[str]:
    """What the columns are, with the limits."""
    yield "look, seconds since the first, weight, verdict, reason, requests so far | each metric: effect [interval], evidence"
    for metric_look in look.metrics:
        told = "; ".join(limits(metric_look)) if metric_look.judged else "told only"
        note = f"; {metric_look.note}" if metric_look.note else ""
        yield f"{metric_look.name}: {unit_of(metric_look.unit).means}; {told}{note}"


def decision(outcome: Ruling) -> str:
    """A decision in words."""
    return f"{outcome.word} after {outcome.after_s:.0f} s ({outcome.reason})"


def change(row: Change) -> str:
    """One release of a backtest in a line."""
    mark = "CHANGED" if row.changed else "same"
    return f"{mark:7} {row.name}: {decision(row.recorded)} -> {decision(row.judged)}"
