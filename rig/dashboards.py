"""The queries of a Grafana dashboard, as Prometheus can run them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

# What Grafana fills in by itself.
BUILT_IN = {"__rate_interval": "1m", "__interval": "15s", "__range": "5m"}
REFERENCE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)|\[\[(\w+)\]\]")


def panels(dashboard: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The panels that show something, those in collapsed rows too."""
    for panel in dashboard["panels"]:
        if panel["type"] == "row":
            yield from panel.get("panels", [])
        else:
            yield panel


def substituted(text: str, variables: Mapping[str, str]) -> str:
    """A query with the dashboard's variables filled in.

    Raises:
        ValueError: It names a variable that has no value; says which.
    """
    values = BUILT_IN | dict(variables)

    def value(found: re.Match[str]) -> str:
        name = next(group for group in found.groups() if group)
        if name not in values:
            raise ValueError(f"{text!r} names the variable {name!r}, expected one of {', '.join(sorted(values))}")
        return values[name]

    return REFERENCE.sub(value, text)


def dashboard_queries(path: Path | str, variables: Mapping[str, str]) -> list[tuple[str, str]]:
    """Every query of a dashboard as (title of its panel, PromQL).

    Args:
        path: The dashboard's JSON.
        variables: Values of its variables, such as namespace and service.

    Raises:
        ValueError: A query names a variable without a value.
    """
    dashboard = json.loads(Path(path).read_text(encoding="utf-8"))
    return [
        (panel["title"], substituted(target["expr"], variables))
        for panel in panels(dashboard)
        for target in panel["targets"]
    ]


def cells(panel: Mapping[str, Any]) -> set[tuple[int, int]]:
    """The cells of the board's grid that a panel takes."""
    place = panel["gridPos"]
    return {
        (x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])
    }
