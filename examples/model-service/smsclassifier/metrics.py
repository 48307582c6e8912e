"""The service's metrics. They are by version, since a release compares versions, not pods."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics

TOLERANCE = 1.10
FIRST_EDGE_S, LAST_EDGE_S = 0.005, 10.0


def edges(tolerance: float = TOLERANCE, first: float = FIRST_EDGE_S, last: float = LAST_EDGE_S) -> tuple[float, ...]:
    """Bucket edges that are spaced by the latency tolerance of a release.

    A release asks whether the canary's share of requests slower than tolerance * l exceeds the stable's share slower
    than l. With edges first * tolerance^k both are edges, so the question is answered by counts, without interpolating.

    Args:
        tolerance: Factor from an edge to the next, above 1.
        first: The first edge, seconds.
        last: Where the edges end at the latest, seconds.

    Returns:
        Edges in seconds, ascending, to 6 significant digits.
    """
    made, edge = [], first
    while edge <= last * (1 + 1e-9):
        made.append(float(f"{edge:.6g}"))
        edge = first * tolerance ** len(made)
    return tuple(made)


class Metrics:
    """Counters, latency histogram and gauges of one version.

    A request that is the caller's fault (4xx) is neither a success nor an error of the version: it is counted by its
    reason in app_rejected_requests_total only, or a caller gone wrong would roll back a release, and quick refusals
    would make a version look fast.
    """

    def __init__(self, version: str, model: str) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        predictions = Counter(
            "app_predictions", "Requests that were answered", ["status", "result", "version"], registry=self.registry
        )
        latency = Histogram(
            "app_prediction_latency_seconds",
            "Time from a request to its answer",
            ["source", "status", "version"],
            buckets=edges(),
            registry=self.registry,
        )
        self._rejected = Counter(
            "app_rejected_requests",
            "Requests refused with a 4xx, by reason",
            ["reason", "version"],
            registry=self.registry,
        )
        in_flight = Gauge("app_requests_in_flight", "Requests being answered", ["version"], registry=self.registry)
        Gauge("app_model_info", "The model that answers", ["version", "model"], registry=self.registry).labels(
            version, model
        ).set(1)
        self._version = version
        self.in_flight = in_flight.labels(version)
        # Made before the first request, so that the first error is an increase from 0 and not a new series.
        self._results = {
            result: predictions.labels("error" if result == "none" else "success", result, version)
            for result in ("spam", "ham", "none")
        }
        self._latency = {status: latency.labels("predict", status, version) for status in ("success", "error")}

    def answered(self, result: str, seconds: float) -> None:
        """Count an answer: spam or ham, or none when the version failed."""
        self._results[result].inc()
        self._latency["error" if result == "none" else "success"].observe(seconds)

    def rejected(self, reason: str) -> None:
        """Count a request that was the caller's fault."""
        self._rejected.labels(reason, self._version).inc()
