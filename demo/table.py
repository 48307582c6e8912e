"""The closing table, as text."""

from __future__ import annotations

from typing import Any

from glidepath.text.numbers import limit, number

COLUMNS = (
    "version", "outcome", "verdict", "decided by", "estimate", "interval", "limit",
    "time", "requests", "failed", "verdict to last request",
)  # fmt: skip


def cells(one: dict[str, Any]) -> tuple[str, ...]:
    """One release's cells, in the order of COLUMNS."""
    unit = one["unit"] or ""
    interval = "-"
    if one["interval"] is not None:
        interval = "[" + ", ".join(number(bound, unit) for bound in one["interval"]) + "]"
    return (
        one["version"],
        str(one["outcome"]),
        one["verdict"] or "-",
        one["metric"] or "-",
        number(one["estimate"], unit) if one["estimate"] is not None else "-",
        interval,
        limit(one["limit"], unit, one["sides"]) if one["limit"] is not None else "-",
        f"{one['seconds']:.0f} s" if one["seconds"] is not None else "-",
        f"{one['canary_requests']:,}",
        f"{one['failed_requests']:,}",
        f"{one['brake_seconds']:.2f} s" if one["brake_seconds"] is not None else "-",
    )


def shown(rows: list[dict[str, Any]]) -> str:
    """The table, columns aligned."""
    table = [COLUMNS, *(cells(one) for one in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(COLUMNS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]])
