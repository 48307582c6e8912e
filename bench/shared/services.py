"""Many services' counters, written into a real Prometheus beforehand: a sample is there from its own time on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bench.evidence.service import Labels

SCRAPE_S = 5.0
STABLE, CANARY = "v1", "v2"
PODS = {STABLE: 2, CANARY: 1}
EDGES = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


def namespace(number: int) -> str:
    """That of a service."""
    return f"team-{number // 20}"


def service(number: int) -> str:
    """The name of a service."""
    return f"shop-{number}"


def series(count: int, first: float, last: float) -> Iterator[tuple[Labels, np.ndarray, np.ndarray]]:
    """The series of so many services from a time to another, epoch seconds; each pod is scraped at a time of its own."""
    random = np.random.default_rng(21)
    for number in range(count):
        for version, pods in PODS.items():
            for pod in range(pods):
                yield from _pod(random, number, version, pod, first, last)


def _pod(
    random: np.random.Generator, number: int, version: str, pod: int, first: float, last: float
) -> Iterator[tuple[Labels, np.ndarray, np.ndarray]]:
    times = np.arange(first + random.uniform(0, SCRAPE_S), last, SCRAPE_S).round(3)
    target = {
        "namespace": namespace(number), "version": version, "job": service(number), "instance": f"10.42.{number}.{pod}:8081",
        "pod": f"{service(number)}-{version}-6c4f9d8b7{pod}-x{pod:03d}z",
    }  # fmt: skip
    served = random.poisson(100, len(times)).cumsum() + 10_000
    name = {"__name__": "app_predictions_total"}
    yield target | name | {"status": "success"}, times, served.astype(float)
    yield target | name | {"status": "error"}, times, (served // 200).astype(float)
    name = {"__name__": "app_prediction_latency_seconds_bucket", "status": "success"}
    for place, edge in enumerate([*map(str, EDGES), "+Inf"]):
        yield target | name | {"le": edge}, times, np.floor(served * min(1.0, (place + 1) / 10))
