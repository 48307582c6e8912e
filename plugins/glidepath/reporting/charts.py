"""Drawings as SVG: their colours are classes, so that light, dark and paper have their own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from glidepath.judge.units import UNITS

WIDTH, HEIGHT = 720.0, 190.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 12.0, 10.0, 24.0
Points = Sequence[tuple[float, float | None]]
Scale = Callable[[float], float]


@dataclass(frozen=True)
class Line:
    """A line over time; `style` is its class."""

    points: Points
    style: str = "line"


@dataclass(frozen=True)
class Drawing:
    """What is drawn.

    Attributes:
        title: Read aloud.
        lines: Over seconds; a value that is not known ends a piece.
        band: Lower and upper bound over seconds; one that is not known reaches the edge.
        levels: Horizontal lines, by class.
        marks: Upright lines, seconds.
        log: Whether values are drawn by their logarithm.
        unit: That of a metric, `percent` or empty.
    """

    title: str
    lines: Sequence[Line]
    band: Sequence[tuple[float, float | None, float | None]] = ()
    levels: Sequence[tuple[float, str]] = ()
    marks: Sequence[float] = ()
    log: bool = False
    unit: str = ""


def svg(drawing: Drawing) -> str:
    """The drawing."""
    times = [at for line in drawing.lines for at, _ in line.points] or [0.0, 1.0]
    x0, x1 = min(times), max(max(times), min(times) + 1.0)
    y0, y1 = _range(drawing)

    def x(at: float) -> float:
        return LEFT + (at - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        place = (min(max(_scaled(value, drawing.log), y0), y1) - y0) / ((y1 - y0) or 1.0)
        return TOP + (1 - place) * (HEIGHT - TOP - BOTTOM)

    parts = [*_axes(drawing, (x0, x1), (y0, y1), x, y)]
    if drawing.band:
        upper = [f"{x(at):.1f},{TOP if top is None else y(top):.1f}" for at, _, top in drawing.band]
        lower = [f"{x(at):.1f},{HEIGHT - BOTTOM if end is None else y(end):.1f}" for at, end, _ in drawing.band]
        parts.append(f'<polygon class="band" points="{" ".join([*upper, *reversed(lower)])}"/>')
    for at in drawing.marks:
        parts.append(f'<line class="mark" x1="{x(at):.1f}" x2="{x(at):.1f}" y1="{TOP:g}" y2="{HEIGHT - BOTTOM:g}"/>')
    for value, style in drawing.levels:
        if y0 <= _scaled(value, drawing.log) <= y1:
            parts.append(
                f'<line class="{style}" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
            )
    for line in drawing.lines:
        for run in _runs(line.points):
            drawn = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in run)
            parts.append(f'<polyline class="{line.style}" points="{drawn}"/>')
    title = escape(drawing.title)
    return f'<svg viewBox="0 0 {WIDTH:g} {HEIGHT:g}" role="img" aria-label="{title}"><title>{title}</title>{"".join(parts)}</svg>'


def _scaled(value: float, log: bool) -> float:
    return math.log10(max(value, 1e-3)) if log else value


def _range(drawing: Drawing) -> tuple[float, float]:
    """The values between which it shows: what is known, and the levels nearby."""
    known = [value for line in drawing.lines for _, value in line.points if value is not None]
    known += [value for _, low, high in drawing.band for value in (low, high) if value is not None][-40:]
    known += [value for value, _ in drawing.levels]
    scaled = [_scaled(value, drawing.log) for value in known if math.isfinite(value)] or [0.0, 1.0]
    low, high = min(scaled), max(scaled)
    room = (high - low) * 0.1 or abs(high) * 0.1 or 1.0
    return (0.0, 100.0) if drawing.unit == "percent" else (low - room, high + room)


def _axes(drawing: Drawing, xs: tuple[float, float], ys: tuple[float, float], x: Scale, y: Scale) -> Iterator[str]:
    for value in _grid(*ys, whole=drawing.log):
        shown = 10**value if drawing.log else value
        at = y(shown)
        yield f'<line class="grid" x1="{LEFT:g}" x2="{WIDTH - RIGHT:g}" y1="{at:.1f}" y2="{at:.1f}"/>'
        yield f'<text class="label" x="{LEFT - 6:g}" y="{at + 4:.1f}" text-anchor="end">{_number(shown, drawing.unit)}</text>'
    minutes = xs[1] - xs[0] > 240
    for value in _grid(xs[0] / (60 if minutes else 1), xs[1] / (60 if minutes else 1), 6):
        at = x(value * (60 if minutes else 1))
        yield f'<text class="label" x="{at:.1f}" y="{HEIGHT - 6:g}" text-anchor="middle">{value:g} {"min" if minutes else "s"}</text>'


def _grid(low: float, high: float, wanted: int = 4, whole: bool = False) -> list[float]:
    """Round values between two: some `wanted` of them."""
    rough = (high - low) / wanted
    if not rough > 0 or not math.isfinite(rough):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    step = max(1.0, round(step)) if whole else step
    first = math.ceil(low / step)
    return [round(place * step, 10) for place in range(first, math.floor(high / step) + 1)]


def _number(value: float, unit: str) -> str:
    if unit in UNITS:
        return UNITS[unit].brief(value)
    return f"{value:.0f} %" if unit == "percent" else f"{value:,.3g}"


def _runs(points: Points) -> Iterator[list[tuple[float, float]]]:
    """Pieces of a line in which all values are known."""
    run: list[tuple[float, float]] = []
    for at, value in points:
        if value is None or not math.isfinite(value):
            if run:
                yield run
            run = []
        else:
            run.append((at, value))
    if run:
        yield run
