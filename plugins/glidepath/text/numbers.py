"""Numbers with their units, as people read them."""

from __future__ import annotations

from glidepath.judge import MetricLook
from glidepath.judge.units import unit_of

UNKNOWN = "..."


def number(value: float | None, unit: str) -> str:
    """A number with its unit; None is not known."""
    return UNKNOWN if value is None else f"{bare(value, unit)}{unit_of(unit).after}"


def bare(value: float | None, unit: str) -> str:
    """A number without its unit's name, where a neighbour says that."""
    return UNKNOWN if value is None else unit_of(unit).told(value)


def limit(value: float, unit: str, sides: str) -> str:
    """A limit with the sign of the side it lies on; one on both sides has both."""
    text = number(value, unit)
    return {"below": "-", "both": "±"}[sides] + text.removeprefix("+") if sides != "above" else text


def limits(metric: MetricLook) -> tuple[str, str]:
    """What is harm and what is comparable, in words with the side they lie on."""
    harm, safe = (limit(each, metric.unit, metric.sides) for each in (metric.limit, metric.safe_limit))
    where = {"above": "below", "below": "above", "both": "within"}[metric.sides]
    return f"harm beyond {harm}", f"comparable {where} {safe}"
