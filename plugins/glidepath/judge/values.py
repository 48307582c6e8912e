"""What comes out of the judge: frozen, and JSON-safe both ways without losing a bit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from glidepath.judge.units import unit_of


class Verdict(StrEnum):
    """The four answers."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNDECIDED = "UNDECIDED"
    NO_DATA = "NO_DATA"


@dataclass(frozen=True)
class MetricLook:
    """One metric at one look.

    Attributes:
        effect: Canary minus stable (a share) or canary's quantile or mean over stable's, at this weight.
        low, high: Where the effect lies, valid however often it is looked at; None when nothing is known on that side.
        limit: Beyond this the canary is harmful.
        safe_limit: Below this it counts as comparable.
        unit: The name of its unit (`judge.units`).
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
    def judged(self) -> bool:
        """Whether anything is asked of it, or it is told only."""
        return unit_of(self.unit).limited

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
        metrics = tuple(vars(metric).copy() for metric in self.metrics)
        return {**vars(self), "verdict": str(self.verdict), "metrics": metrics}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Look:
        """Back from `to_dict`."""
        metrics = tuple(MetricLook(**metric) for metric in values["metrics"])
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
