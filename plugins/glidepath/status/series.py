"""Looks over time as columns, with as many points as a chart can show."""

from __future__ import annotations

from collections.abc import Sequence

from glidepath.judge import Look
from glidepath.status.form import Series, Track
from glidepath.status.timeline import turning

# A chart is some 600 pixels wide.
POINTS = 240
DIGITS = 4


def series(looks: Sequence[tuple[int, Look]], after: int = 0, before: Look | None = None) -> Series:
    """The columns of looks, in order.

    Args:
        looks: Number and look of each; at most some hundreds after thinning, whatever there are.
        after: The number that all are after.
        before: The look before the first of them.
    """
    kept = thinned(looks)
    names = list(dict.fromkeys(metric.name for _, look in kept for metric in look.metrics))
    return Series(
        after=after,
        seq=[seq for seq, _ in kept],
        at=[round(look.at, 1) for _, look in kept],
        weight=[look.weight for _, look in kept],
        stable=[look.stable_requests for _, look in kept],
        canary=[look.canary_requests for _, look in kept],
        metrics={name: _track(name, kept) for name in names},
        moments=list(turning(looks, before)),
    )


def thinned(looks: Sequence[tuple[int, Look]], points: int = POINTS) -> list[tuple[int, Look]]:
    """Every so many-th look, and all that begin or end a step or change the verdict: a chart shows each turn."""
    every = max(1, -(-len(looks) // points))
    kept = []
    for place, (seq, look) in enumerate(looks):
        edge = place in (0, len(looks) - 1)
        turn = not edge and (_turns(looks[place - 1][1], look) or looks[place + 1][1].step != look.step)
        if edge or turn or place % every == 0:
            kept.append((seq, look))
    return kept


def _turns(before: Look, look: Look) -> bool:
    return (before.step, before.verdict) != (look.step, look.verdict)


def _track(name: str, looks: Sequence[tuple[int, Look]]) -> Track:
    metrics = [next((metric for metric in look.metrics if metric.name == name), None) for _, look in looks]
    return Track(
        effect=[_short(metric.effect) if metric else None for metric in metrics],
        low=[_short(metric.low) if metric else None for metric in metrics],
        high=[_short(metric.high) if metric else None for metric in metrics],
    )


def _short(value: float | None) -> float | None:
    """A value with as many digits as a chart shows."""
    return None if value is None else float(f"{value:.{DIGITS}g}")
