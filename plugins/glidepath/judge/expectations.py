"""What to expect of a release: how long things take, and what stands in its way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

DAY = 86400.0


@dataclass(frozen=True)
class Expectation:
    """How long something takes at this traffic: `seconds` is a mean, None when it won't be found."""

    what: str
    seconds: float | None


@dataclass(frozen=True)
class Feasibility:
    """What to expect of a release, and what stands in its way."""

    requests_per_second: float
    limits: tuple[str, ...]
    expectations: tuple[Expectation, ...]
    warnings: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """One fact a line."""
        yield from self.limits
        yield f"at {self.requests_per_second:.1f} requests a second, expected times:"
        for expectation in self.expectations:
            yield f"  {expectation.what}: {duration(expectation.seconds)}"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Feasibility:
        """Back from `asdict`."""
        expectations = tuple(Expectation(**expectation) for expectation in values["expectations"])
        return cls(values["requests_per_second"], tuple(values["limits"]), expectations, tuple(values["warnings"]))


def duration(seconds: float | None) -> str:
    """Seconds as people say them."""
    if seconds is None or seconds > 30 * DAY:
        return "not within a month"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 2 * DAY else f"{seconds / DAY:.1f} days"
