"""What a policy asks, in the judge's words: frozen, and JSON-safe both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MetricSettings:
    """One question of a policy.

    Attributes:
        name: As people see it: `errors`, `latency_p95`, `spam`.
        kind: `errors`, `share` (any other share of requests), `latency`, `slow` (the share beyond an edge) or `mean`.
        role: `critical` (can fail a release and must be proven safe), `guard` (can fail it) or `advisory` (decides nothing).
        tolerance: errors, share: of the stable's share, widens both margins; latency: the largest ratio of the quantiles.
        harm_margin: errors, share, slow: smallest margin of harm, a share.
        safety_margin: errors, share, slow: smallest margin of safety, a share.
        quantile: latency: which.
        threshold: slow: the edge, seconds.
        sides: Where harm lies: `above` the stable's share, `below` it, or `both`.
        counted: Which of `ArmCounts.shares`, or of its sums, it is about; empty: errors among requests.
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
    threshold: float = 0.0

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
        metrics = tuple(MetricSettings(**metric) for metric in values["metrics"])
        steps = tuple(StepSettings(**step) for step in values["steps"])
        return cls(**{**values, "metrics": metrics, "steps": steps})
