"""A Prometheus in memory, of raw samples."""

from __future__ import annotations

from dataclasses import dataclass, field

from glidepath.evidence import app_source
from glidepath.evidence.prometheus import NotAnsweredError
from glidepath.evidence.series import Histogram, Series

SOURCE = app_source("sms-app", "model-service", ["v1", "v2"])
EDGES = ("0.05", "0.1", "+Inf")


@dataclass
class Scraped:
    """Every series' samples, answered as a range selector does; a counter by its name, `requests` and `latency` too."""

    series: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def add(self, at: float, value: float, **labels: str) -> None:
        self.series.setdefault(tuple(sorted(labels.items())), []).append((at, value))

    def pod(self, at: float, version: str, pod: str, good: int, bad: int = 0, buckets: tuple[int, ...] = ()) -> None:
        """One scrape of a pod: its counters, and cumulative buckets (all good requests quick unless said)."""
        self.add(at, good, name="requests", version=version, pod=pod, status="success")
        if bad:
            self.add(at, bad, name="requests", version=version, pod=pod, status="error")
        for edge, count in zip(EDGES, buckets or (good, good, good), strict=True):
            self.add(at, count, name="latency", version=version, pod=pod, status="success", le=edge)

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        assert step_s is None or step_s > 0
        self.asked.append(selector)
        ours = {SOURCE.requests: "requests", SOURCE.latency: "latency"}
        wanted = ours.get(selector, selector.split("{")[0])
        found = []
        for labels, samples in self.series.items():
            inside = tuple(sample for sample in samples if at - window_s < sample[0] <= at)
            if dict(labels)["name"] == wanted and inside:
                found.append(Series({k: v for k, v in labels if k != "name"}, inside))
        return found

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        return []

    def vector(self, expression: str, at: float) -> list[Series]:
        """Sums of counters are Prometheus' to work out; what reads them goes by samples then."""
        raise NotAnsweredError(f"no PromQL here: {expression} at {at}")

    def now(self) -> float:
        return max((samples[-1][0] for samples in self.series.values()), default=0.0)
