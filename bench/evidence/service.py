"""A large service's counters, written into a real Prometheus by remote write.

Pods, routes and buckets as asked; each pod is scraped every 5 s at a time of its own. The stable's counters are there all
along; the canary's pods are new when the looks begin, and their error counters are born one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import requests

SCRAPE_S = 5.0
NAMESPACE, SERVICE, STABLE, CANARY = "sms-app", "model-service", "v1", "v2"
# So long before the first look the canary's pods are there, seconds.
READY_S = 60.0
ERRORS, SERIES_A_REQUEST = 0.01, 500
Labels = dict[str, str]


@dataclass(frozen=True)
class Size:
    """How large the service is, and how much of it there is.

    Attributes:
        pods: Of the stable version; the canary has a tenth as many.
        routes: That each pod counts apart.
        buckets: Finite latency buckets.
        past_s: Seconds before the first look.
        looks: Scrapes after it.
    """

    pods: int = 30
    routes: int = 10
    buckets: int = 15
    past_s: float = 1800.0
    looks: int = 40

    @property
    def edges(self) -> np.ndarray:
        """Finite bucket edges, seconds."""
        return 0.005 * 1.5 ** np.arange(self.buckets)


def series(size: Size, first_look: float) -> Iterator[tuple[Labels, np.ndarray, np.ndarray]]:
    """Every series: labels, times in epoch seconds, values; `first_look` is the time of the first look."""
    random = np.random.default_rng(17)
    end = first_look + size.looks * SCRAPE_S
    for version, pods in ((STABLE, size.pods), (CANARY, max(1, size.pods // 10))):
        for pod in range(pods):
            start = first_look - (size.past_s if version == STABLE else READY_S)
            times = np.arange(start + random.uniform(0, SCRAPE_S), end, SCRAPE_S).round(3)
            yield from _pod(size, random, version, pod, times)


def _pod(
    size: Size, random: np.random.Generator, version: str, pod: int, times: np.ndarray
) -> Iterator[tuple[Labels, np.ndarray, np.ndarray]]:
    target = {
        "namespace": NAMESPACE, "pod": f"{SERVICE}-{version}-6c4f9d8b7{pod % 10}-x{pod:03d}z", "version": version,
        "instance": f"10.42.{pod // 250}.{pod % 250}:8081", "job": "model-service", "node": f"node-{pod % 5}",
        "container": "model-service", "endpoint": "http",
    }  # fmt: skip
    before = 100_000 if version == STABLE else 0
    yield target | {"__name__": "process_start_time_seconds"}, times, np.full(len(times), times[0] - before / 10)
    for route in range(size.routes):
        labels = target | {"route": f"/api/v1/resource-{route}"}
        latency = 0.05 * np.exp(0.5 * random.standard_normal((len(times), 5)))
        place = np.searchsorted(size.edges, latency)
        counts = np.stack([(place <= edge).sum(axis=1) for edge in range(size.buckets + 1)], axis=1)
        below = before * np.linspace(0.05, 1, size.buckets + 1).round(3) + counts.cumsum(axis=0)
        failed = before * ERRORS + random.binomial(5, ERRORS, len(times)).cumsum()
        name = {"__name__": "app_predictions_total"}
        yield labels | name | {"status": "success"}, times, below[:, -1]
        there = failed > 0
        yield labels | name | {"status": "error"}, times[there], failed[there]
        name = {"__name__": "app_prediction_latency_seconds_bucket", "status": "success"}
        for number, edge in enumerate([*(f"{edge:.6g}" for edge in size.edges), "+Inf"]):
            yield labels | name | {"le": edge}, times, below[:, number]


def write(url: str, told: Iterable[tuple[Labels, np.ndarray, np.ndarray]]) -> int:
    """Send series to a Prometheus' remote write receiver: labels, times in epoch seconds, values; how many there were."""
    count, waiting = 0, []
    for labels, times, values in told:
        if len(times):
            waiting.append(_field(1, _series(labels, times, values)))
            count += 1
        if len(waiting) == SERIES_A_REQUEST:
            _send(url, b"".join(waiting))
            waiting = []
    _send(url, b"".join(waiting))
    return count


def _send(url: str, body: bytes) -> None:
    if not body:
        return
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
    answer = requests.post(f"{url}/api/v1/write", data=_snappy(body), headers=headers, timeout=60)
    if not answer.ok:
        raise RuntimeError(f"Prometheus at {url} did not take the samples: {answer.status_code} {answer.text.strip()}")


def _series(labels: Labels, times: np.ndarray, values: np.ndarray) -> bytes:
    """A TimeSeries of remote write 1.0: labels by name, and samples of (double value, int64 milliseconds)."""
    told = b"".join(
        _field(1, _field(1, name.encode()) + _field(2, text.encode())) for name, text in sorted(labels.items())
    )
    # Today's milliseconds take six bytes as a varint, so each sample is as long as any other.
    rows = np.zeros((len(times), 18), dtype=np.uint8)
    rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 11] = 0x12, 16, 0x09, 0x10
    rows[:, 3:11] = values.astype("<f8").reshape(-1, 1).view(np.uint8)
    left = np.round(times * 1000).astype(np.int64)
    for byte in range(6):
        rows[:, 12 + byte] = (left & 0x7F) | (0x80 if byte < 5 else 0)
        left >>= 7
    return told + rows.tobytes()


def _field(number: int, body: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    told = bytearray()
    while value > 0x7F:
        told.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*told, value])


def _snappy(body: bytes) -> bytes:
    """Snappy's block format with one literal: nothing is compressed."""
    return _varint(len(body)) + bytes([63 << 2]) + (len(body) - 1).to_bytes(4, "little") + body
