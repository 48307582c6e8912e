"""A Grafana dashboard as a picture and tables: its own queries, run over the time of a release."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from rig.dashboards import panels, substituted
from rig.environment import RigError

STEP_S = 5
# Of the picture: panels a row, inches of one, dots an inch, colours.
COLUMNS, SIZE, DPI, COLOURS = 2, (6.0, 2.6), 110, 64
UNITS = {"percentunit": (100.0, "%"), "s": (1000.0, "ms"), "ms": (1.0, "ms"), "reqps": (1.0, "1/s")}


@dataclass(frozen=True)
class Series:
    """One line of a panel: its labels, and values over epoch seconds."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """One panel with what its queries gave; `kind` is Grafana's, such as `timeseries` or `stat`."""

    title: str
    kind: str
    unit: str
    series: Sequence[Series]


def read(dashboard: Path, variables: Mapping[str, str], prometheus: str, since: float, until: float) -> list[Panel]:
    """All panels of a dashboard, over a time.

    Args:
        dashboard: Its JSON.
        variables: Values of its variables.
        prometheus: Its address.
        since, until: Epoch seconds.

    Raises:
        RigError: Prometheus refused a query.
    """
    values = {**variables, "__range": f"{math.ceil(until - since)}s"}
    found = []
    for panel in panels(json.loads(dashboard.read_text(encoding="utf-8"))):
        series: list[Series] = []
        for target in panel["targets"]:
            start = until if panel["type"] == "stat" else since
            series += _asked(
                prometheus, substituted(target["expr"], values), target.get("legendFormat", ""), start, until
            )
        found.append(Panel(panel["title"], panel["type"], panel["fieldConfig"]["defaults"].get("unit", ""), series))
    return found


def _asked(prometheus: str, query: str, legend: str, since: float, until: float) -> Iterator[Series]:
    said = {"query": query, "start": f"{since:.3f}", "end": f"{until:.3f}", "step": str(STEP_S)}
    answer = requests.get(f"{prometheus}/api/v1/query_range", params=said, timeout=10).json()
    if answer["status"] != "success":
        raise RigError(f"Prometheus refused {query}: {answer.get('error')}")
    for row in answer["data"]["result"]:
        points = [(float(at), float(value)) for at, value in row["values"]]
        yield Series(_named(legend, row["metric"]), [point for point in points if math.isfinite(point[1])])


def _named(legend: str, labels: Mapping[str, str]) -> str:
    """A line's name as Grafana makes it: `{{label}}` filled in, with nothing where a series has no such label."""
    filled = re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), legend)
    return filled.strip() or ", ".join(labels.values())


def table(shown: Sequence[Panel]) -> Iterator[str]:
    """The panels that show one number a version, as a table in Markdown."""
    numbers = {
        panel.title: {one.name: one.points[-1][1] for one in panel.series if one.points}
        for panel in shown
        if panel.kind == "stat"
    }
    names = sorted({name for row in numbers.values() for name in row})
    yield f"| | {' | '.join(names)} |"
    yield f"| --- |{' --- |' * len(names)}"
    for title, row in numbers.items():
        yield f"| {title} | {' | '.join(f'{row[name]:,.0f}' if name in row else '0' for name in names)} |"


def draw(shown: Sequence[Panel], marks: Mapping[str, float], file: Path) -> None:
    """Draw the panels that show lines over time, with an upright line at each mark.

    Args:
        shown: The panels.
        marks: What happened, and when, epoch seconds.
        file: The picture that is written.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from PIL import Image

    drawn = [panel for panel in shown if panel.kind == "timeseries"]
    rows = math.ceil(len(drawn) / COLUMNS)
    figure, axes = pyplot.subplots(rows, COLUMNS, figsize=(SIZE[0] * COLUMNS, SIZE[1] * rows), squeeze=False)
    began = min(point[0] for panel in drawn for one in panel.series for point in one.points[:1])
    for panel, axis in zip(drawn, axes.flat, strict=False):
        _panel(axis, panel, began, marks)
    for axis in axes.flat[len(drawn) :]:
        axis.axis("off")
    figure.tight_layout()
    drawing = io.BytesIO()
    figure.savefig(drawing, dpi=DPI)
    pyplot.close(figure)
    # Lines on white: a palette is a third of the bytes.
    Image.open(drawing).convert("RGB").quantize(COLOURS).save(file, optimize=True)


def _panel(axis: Any, panel: Panel, began: float, marks: Mapping[str, float]) -> None:
    factor, unit = UNITS.get(panel.unit, (1.0, ""))
    for one in panel.series:
        axis.plot([at - began for at, _ in one.points], [factor * value for _, value in one.points], label=one.name)
    for at in marks.values():
        axis.axvline(at - began, color="0.6", linestyle=":", linewidth=1)
    axis.set_title(panel.title, fontsize=10)
    axis.set_ylabel(unit, fontsize=8)
    axis.tick_params(labelsize=8)
    axis.set_ylim(bottom=0)
    if any(one.name for one in panel.series):
        axis.legend(fontsize=7, ncols=3)
