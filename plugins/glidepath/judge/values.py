"""What goes into the judge and what comes out: frozen, and JSON-safe both ways without losing a bit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """The four answers."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNDECIDED = "UNDECIDED"
    NO_DATA = "NO_DATA"


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

    Raises:
        ValueError: A count is negative, or there are more errors than requests, or more events than they are a share of.
    """

    requests: int
    errors: int
    latency: tuple[int, ...]
    pods: int = 0
    by_pod: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    shares: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, (events, of) in self.shares.items():
            if not 0 <= events <= of:
                raise ValueError(
                    f"share {name}: {events} events of {of}, expected zero or more, and no more than there are"
                )
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
        return ArmCounts(
            self.requests + other.requests, self.errors + other.errors, latency, max(self.pods, other.pods),
            shares=shares,
        )  # fmt: skip

    def proportion(self, metric: MetricSettings) -> tuple[int, int]:
        """A rate's events and what they are a share of; zeros for a share that was not counted."""
        if not metric.counted:
            return self.errors, self.requests
        return self.shares.get(metric.counted, (0, 0))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> ArmCounts:
        """Back from `asdict`, JSON's lists and all."""
        by_pod, shares = (
            {name: (int(pair[0]), int(pair[1])) for name, pair in values.get(key, {}).items()}
            for key in ("by_pod", "shares")
        )
        latency = tuple(int(count) for count in values["latency"])
        return cls(int(values["requests"]), int(values["errors"]), latency, int(values["pods"]), by_pod, shares)


def _added(one: tuple[int, int] | None, other: tuple[int, int] | None) -> tuple[int, int]:
    (a, b), (c, d) = one or (0, 0), other or (0, 0)
    return a + c, b + d


@dataclass(frozen=True)
class Interval:
    """What happened from `start` to `end` (epoch seconds) while the canary had `weight` percent.

    `stable` is what the canary is compared with: the stable version, or its freshly started baseline.
    """

    start: float
    end: float
    weight: int
    stable: ArmCounts
    canary: ArmCounts

    def to_dict(self) -> dict[str, Any]:
        """As JSON-safe values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Interval:
        """Back from `to_dict`."""
        stable, canary = ArmCounts.from_dict(values["stable"]), ArmCounts.from_dict(values["canary"])
        return cls(float(values["start"]), float(values["end"]), int(values["weight"]), stable, canary)


@dataclass(frozen=True)
class MetricSettings:
    """One question of a policy.

    Attributes:
        name: As people see it: `errors`, `latency_p95`, `spam`.
        kind: `errors`, `share` (any other share of requests), or `latency`.
        role: `critical` (can fail a release and must be proven safe), `guard` (can fail it) or `advisory` (is told only).
        tolerance: errors, share: of the stable's share, widens both margins; latency: the largest ratio of the quantiles.
        harm_margin: errors, share: smallest margin of harm, a share.
        safety_margin: errors, share: smallest margin of safety, a share.
        quantile: latency: which.
        sides: Where harm lies: `above` the stable's share, `below` it, or `both`.
        counted: Which of `ArmCounts.shares` is judged; empty: errors among requests.
    """

    name: str
    kind: str
    role: str
    tolerance: float
    harm_margin: float = 0.0
    safety_margin: float = 0.0
    quantile: float = 0.0
    sides: str = "above"
    counted: str = ""

    @property
    def decides(self) -> bool:
        """Whether it can take a canary back."""
        return self.role != "advisory"


@dataclass(frozen=True)
class StepSettings:
    """A weight in percent, its minimum bake in seconds, and the canary requests it takes to leave it."""

    weight: int
    bake_s: float
    min_requests: int


@dataclass(frozen=True)
class Settings:
    """What a policy asks of the judge.

    Attributes:
        metrics: What is judged.
        steps: The planned weights.
        scrape_s: Seconds between scrapes.
        deadline_s: How long the release may take, seconds.
        decision: `non-inferior`, or `superior`: some latency must be proven lower as well.
        alpha, beta: Chances of a false rollback and of a wrong promotion.
        warmup_s: First traffic of the canary that is left out, seconds.
        control: What the canary is compared with: `stable`'s pods, or `fresh` ones that get as much traffic as it does.
    """

    metrics: tuple[MetricSettings, ...]
    steps: tuple[StepSettings, ...]
    scrape_s: float
    deadline_s: float
    decision: str = "non-inferior"
    alpha: float = 0.01
    beta: float = 0.05
    warmup_s: float = 0.0
    control: str = "stable"

    def shares(self, weight: int) -> tuple[float, float]:
        """Which part of all requests the canary and the control get at a weight."""
        canary = weight / 100
        return canary, canary if self.control == "fresh" else 1.0 - canary

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Settings:
        """Back from `asdict`."""
        metrics = tuple(MetricSettings(**one) for one in values["metrics"])
        steps = tuple(StepSettings(**one) for one in values["steps"])
        return cls(**{**values, "metrics": metrics, "steps": steps})


@dataclass(frozen=True)
class MetricLook:
    """One metric at one look.

    Attributes:
        effect: Canary minus stable (a share) or canary's quantile over stable's, at this weight.
        low, high: Where the effect lies, valid however often it is looked at; None when nothing is known on that side.
        limit: Beyond this the canary is harmful.
        safe_limit: Below this it counts as comparable.
        unit: `points` (of a share) or `ratio`.
        harm_e, safety_e: The evidence; `FAIL` when harm_e reaches harm_threshold, safe when safety_e reaches its own.
        better_e: The evidence that the canary is better than stable; proven when it reaches safety_threshold.
        sides: Where harm lies: `above`, `below` or on `both` sides; the limits are told without a sign.
    """

    name: str
    role: str
    estimate_stable: float | None
    estimate_canary: float | None
    effect: float | None
    low: float | None
    high: float | None
    limit: float
    safe_limit: float
    unit: str
    harm_e: float
    harm_threshold: float
    safety_e: float
    safety_threshold: float
    note: str = ""
    better_e: float = 1.0
    sides: str = "above"

    @property
    def proven_better(self) -> bool:
        """Whether the canary is proven better than stable at this weight: faster, or with fewer errors."""
        return self.better_e >= self.safety_threshold

    @property
    def proven_safe(self) -> bool:
        """Whether the canary is proven comparable at this weight."""
        return self.safety_e >= self.safety_threshold


@dataclass(frozen=True)
class Look:
    """What the judge says after an interval.

    Attributes:
        at: End of the interval, epoch seconds.
        step: Number of the step, from 1; 0 before any traffic.
        reason: Why, in a word: harm_proven, canary_silent, proven_safe, warming_up, split_mismatch, low_traffic,
            boundary, resolution_limited, not_counted, evidence_growing; for NO_DATA what is missing.
        suspicious: Some harm evidence is 5 or more: no weight is added.
        may_advance: A step in the middle may be left.
        deciding: The metric that decided, or that is furthest from being proven.
        remaining_s: How long until a comparable canary is proven, as a range; None when that can't be said.
    """

    at: float
    step: int
    weight: int
    verdict: Verdict
    reason: str
    suspicious: bool
    proven_safe: bool
    may_advance: bool
    stable_requests: int
    canary_requests: int
    step_canary_requests: int
    metrics: tuple[MetricLook, ...]
    deciding: str
    remaining_s: tuple[float, float] | None

    @property
    def doubtful(self) -> bool:
        """Whether it forbids a promotion at a deadline: silence, a metric that counted nothing, or a suspicion of harm."""
        return self.verdict is Verdict.NO_DATA or self.reason == "not_counted" or self.suspicious

    def to_dict(self) -> dict[str, Any]:
        """As JSON-safe values: what is not a finite number becomes None."""
        return {**asdict(self), "verdict": str(self.verdict)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Look:
        """Back from `to_dict`."""
        metrics = tuple(MetricLook(**one) for one in values["metrics"])
        left = values["remaining_s"]
        remaining = (float(left[0]), float(left[1])) if left is not None else None
        verdict = Verdict(values["verdict"])
        return cls(**{**values, "verdict": verdict, "metrics": metrics, "remaining_s": remaining})

    def without_data(self, at: float, reason: str) -> Look:
        """The look for a time of silence: what was known stays known, and nothing may go on."""
        return replace(
            self, at=at, verdict=Verdict.NO_DATA, reason=reason, may_advance=False, proven_safe=False, deciding=""
        )


def finite(value: float) -> float | None:
    """The value, or None for one that JSON does not know."""
    return value if math.isfinite(value) else None
