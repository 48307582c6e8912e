"""Looks and decisions as lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from glidepath.judge import Look, MetricLook
from glidepath.replay.decisions import Change, Decision


def number(value: float | None, unit: str) -> str:
    """An effect or a limit; a dot when it is not known."""
    if value is None:
        return "."
    return f"{100 * value:+.3f}" if unit == "points" else f"{value:.3f}"


def metric(one: MetricLook) -> str:
    """One metric: effect, interval, evidence of harm and of safety."""
    effect, low, high = (number(value, one.unit) for value in (one.effect, one.low, one.high))
    return (
        f"{one.name} {effect} [{low}, {high}] harm {one.harm_e:.4g}/{one.harm_threshold:.0f} "
        f"safe {one.safety_e:.4g}/{one.safety_threshold:.0f}"
    )


def look_line(count: int, look: Look, start: float) -> str:
    """A look in a line."""
    numbers = " | ".join(metric(one) for one in look.metrics)
    return (
        f"{count:4d} {look.at - start:7.0f} s {look.weight:3d} % {look.verdict:9} {look.reason:16} "
        f"canary {look.canary_requests} stable {look.stable_requests} | {numbers}"
    )


def legend(look: Look) -> Iterator[str]:
    """What the columns are, with the limits."""
    yield "look, seconds since the first, weight, verdict, reason, requests so far | each metric: effect [interval], evidence"
    for one in look.metrics:
        unit = "percentage points" if one.unit == "points" else "ratio of the quantiles"
        harm, safe = number(one.limit, one.unit), number(one.safe_limit, one.unit)
        yield f"{one.name}: {unit}; harm beyond {harm}, comparable below {safe}" + (f"; {one.note}" if one.note else "")


def decision(one: Decision) -> str:
    """A decision in words."""
    return f"{one.word} after {one.after_s:.0f} s ({one.reason})"


def change(one: Change) -> str:
    """One release of a backtest in a line."""
    mark = "CHANGED" if one.changed else "same"
    return f"{mark:7} {one.name}: {decision(one.recorded)} -> {decision(one.judged)}"
