"""What effects and limits of metrics are in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Unit:
    """A unit: how two versions are compared by it, and how its numbers are told.

    Attributes:
        name: As a look has it, in the record and for pages.
        means: What it is, in words.
        ratio: Whether an effect is the canary's value over the stable's; else it is the one minus the other.
        limited: Whether there are limits to it; without any a metric is told only.
        factor: What a value is multiplied with before it is told.
        form, short: How Python formats the digits; the same where there is little room.
        before, after: What stands before the digits, and the unit's name behind them.
    """

    name: str
    means: str
    ratio: bool
    limited: bool = True
    factor: float = 1.0
    form: str = ".3f"
    short: str = ".3g"
    before: str = ""
    after: str = ""

    def told(self, value: float) -> str:
        """A value without the unit's name."""
        return f"{self.before}{self.factor * value:{self.form}}"

    def brief(self, value: float) -> str:
        """The same where there is little room."""
        return f"{self.before}{self.factor * value:{self.short}}"


POINTS = Unit("points", "percentage points", False, factor=100.0, form="+.2f", short="+.3g", after=" points")
RATIO = Unit("ratio", "ratio of the quantiles", True, before="x")
MEAN = Unit("mean", "ratio of the means", True, limited=False, before="x")
UNITS = {unit.name: unit for unit in (POINTS, RATIO, MEAN)}


def unit_of(name: str) -> Unit:
    """The unit of a name; of one that a newer Glidepath has recorded nothing else is known."""
    return UNITS.get(name) or Unit(name, name, False, form=".4g", after=f" {name}")
