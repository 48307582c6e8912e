"""What goes into the judge: frozen, and JSON-safe both ways without losing a bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from glidepath.judge.settings import MetricSettings


@dataclass(frozen=True)
class ArmCounts:
    """One version's counts in an interval.

    Attributes:
        requests: Answered requests.
        errors: Those that were errors.
        latency: Successful requests per latency bucket, not cumulative; one more than there are finite edges.
        pods: How many pods reported.
        by_pod: Per pod (requests, errors).
        shares: Per counted share (such as that of messages called spam) its events, and what they are a share of.
        apart: What of all this is of pods that the plan sets apart; None where it sets none apart.
        sums: Per mean the microseconds in all, and of how many requests.

    Raises:
        ValueError: A count is negative, or there are more errors than requests, or more events than they are a share of.
    """

    requests: int
    errors: int
    latency: tuple[int, ...]
    pods: int = 0
    by_pod: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    shares: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    apart: ArmCounts | None = None
    sums: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (events, of) in self.shares.items():
            if not 0 <= events <= of:
                raise ValueError(
                    f"share {name}: {events} events of {of}, expected zero or more, and no more than there are"
                )
        if any(min(pair) < 0 for pair in self.sums.values()):
            raise ValueError(f"sums {dict(self.sums)}: expected microseconds and requests of zero or more")
        if not 0 <= self.errors <= self.requests or min(self.latency, default=0) < 0:
            raise ValueError(
                f"{self.requests} requests, {self.errors} errors, buckets {self.latency}: expected counts of zero or more, "
                "and no more errors than requests"
            )

    def plus(self, other: ArmCounts) -> ArmCounts:
        """Both counts together."""
        if len(self.latency) != len(other.latency):
            raise ValueError(f"{len(self.latency)} latency buckets and {len(other.latency)}: expected the same edges")
        latency = tuple(a + b for a, b in zip(self.latency, other.latency, strict=True))
        shares = {name: _added(self.shares.get(name), other.shares.get(name)) for name in {*self.shares, *other.shares}}
        sums = {name: _added(self.sums.get(name), other.sums.get(name)) for name in {*self.sums, *other.sums}}
        apart = self.apart.plus(other.apart) if self.apart and other.apart else self.apart or other.apart
        return ArmCounts(
            self.requests + other.requests, self.errors + other.errors, latency, max(self.pods, other.pods),
            shares=shares, apart=apart, sums=sums,
        )  # fmt: skip

    def without_apart(self) -> ArmCounts:
        """The counts of the other pods; all of them where none is set apart."""
        if (apart := self.apart) is None:
            return self
        latency = tuple(max(0, a - b) for a, b in zip(self.latency, apart.latency, strict=True))
        shares = {name: _less(had, apart.shares.get(name, (0, 0))) for name, had in self.shares.items()}
        sums = {
            name: (max(0, total - less), max(0, of - fewer))
            for name, (total, of) in self.sums.items() for less, fewer in [apart.sums.get(name, (0, 0))]
        }  # fmt: skip
        errors, requests = _less((self.errors, self.requests), (apart.errors, apart.requests))
        return ArmCounts(requests, errors, latency, max(0, self.pods - apart.pods), shares=shares, sums=sums)

    def proportion(self, metric: MetricSettings) -> tuple[int, int]:
        """A rate's events and what they are a share of; zeros for what was not counted."""
        if not metric.counted:
            return self.errors, self.requests
        return self.shares.get(metric.counted, (0, 0))

    def to_dict(self) -> dict[str, Any]:
        """As `asdict` has it, without copies of what nobody changes."""
        pairs = {"by_pod": dict(self.by_pod), "shares": dict(self.shares), "sums": dict(self.sums)}
        return {**vars(self), **pairs, "apart": self.apart.to_dict() if self.apart else None}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ArmCounts:
        """Back from `asdict`, JSON's lists and all."""
        by_pod, shares, sums = (
            {name: (int(pair[0]), int(pair[1])) for name, pair in values.get(key, {}).items()}
            for key in ("by_pod", "shares", "sums")
        )
        latency = tuple(int(count) for count in values["latency"])
        apart = cls.from_dict(values["apart"]) if values.get("apart") else None
        return cls(
            int(values["requests"]), int(values["errors"]), latency, int(values["pods"]), by_pod, shares, apart, sums
        )


def _added(counts: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int]:
    (a, b), (c, d) = counts or (0, 0), other or (0, 0)
    return a + c, b + d


def _less(counts: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    of = max(0, counts[1] - other[1])
    return min(max(0, counts[0] - other[0]), of), of


@dataclass(frozen=True)
class Interval:
    """What happened from `start` to `end` (epoch seconds) while the canary had `weight` percent.

    `stable` is what the canary is compared with: the stable version, or its freshly started baseline. `step` is the number
    of the release's step, from 1; None for the same one as the interval before, or the first. `Numbering` reads old
    recordings, which have no numbers.
    """

    start: float
    end: float
    weight: int
    stable: ArmCounts
    canary: ArmCounts
    step: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """As JSON-safe values."""
        return {**vars(self), "stable": self.stable.to_dict(), "canary": self.canary.to_dict()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Interval:
        """Back from `to_dict`."""
        stable, canary = ArmCounts.from_dict(values["stable"]), ArmCounts.from_dict(values["canary"])
        start, end, weight = float(values["start"]), float(values["end"]), int(values["weight"])
        return cls(start, end, weight, stable, canary, values.get("step"))


class Numbering:
    """Gives each interval the number of its step, in the order in which they were recorded.

    Recordings of older Glidepaths say no numbers. Their policies had weights that ascend, so another weight is the next step.
    Nothing else takes a weight for a step.
    """

    def __init__(self) -> None:
        self._last: Interval | None = None

    def numbered(self, interval: Interval) -> Interval:
        """The next interval with its number; one that says it already as it is."""
        if interval.step is None:
            interval = replace(interval, step=self._next(interval.weight))
        self._last = interval
        return interval

    def _next(self, weight: int) -> int:
        if self._last is None or self._last.step is None:
            return 1
        return self._last.step + (self._last.weight != weight)
