"""Whether a change of the traffic shows in the counts."""

from __future__ import annotations

import itertools
import time

from glidepath.errors import EvidenceError
from glidepath.evidence.prometheus import Prometheus
from glidepath.evidence.source import Source


def requests_of(prometheus: Prometheus, source: Source, version: str, window_s: float) -> tuple[int, int]:
    """Requests a version got in the last `window_s` seconds, and how many of its pods had at least two samples.

    Raises:
        EvidenceError: Prometheus did not answer.
    """
    total, pods = 0.0, set()
    for one in prometheus.range_vector(source.requests, window_s, prometheus.now()):
        if one.labels.get(source.version_label) != version or len(one.samples) < 2:
            continue
        pods.add(one.labels.get("pod", ""))
        values = [value for _, value in one.samples]
        total += sum(b - a if b >= a else b for a, b in itertools.pairwise(values))
    return round(total), len(pods)


def wait_silent(
    prometheus: Prometheus, source: Source, version: str, scrape_s: float, timeout_s: float = 60.0
) -> float:
    """Wait until two scrapes in a row show no new request of a version; seconds it took.

    A version whose pods are gone is silent.

    Raises:
        EvidenceError: It still had requests after `timeout_s`, or Prometheus did not answer.
    """
    started = time.monotonic()
    while True:
        count, _ = requests_of(prometheus, source, version, 2.2 * scrape_s)
        elapsed = time.monotonic() - started
        if count == 0 and elapsed >= scrape_s:
            return elapsed
        if elapsed > timeout_s:
            raise EvidenceError(f"{version} still got {count} requests in {2.2 * scrape_s:.0f} s after {elapsed:.0f} s")
        time.sleep(min(1.0, scrape_s / 2))
