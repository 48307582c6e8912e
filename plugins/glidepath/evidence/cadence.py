"""How often pods are really scraped, and how much later than it was taken a sample can be read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from glidepath.evidence.series import Series

# So far is looked back, seconds, and so many intervals it takes to know one.
WINDOW_S = 300.0
LEAST_SAMPLES = 3
# Up to so many intervals after its time a sample may be just between two scrapes.
BETWEEN = 1.5


@dataclass(frozen=True)
class Cadence:
    """What was measured on raw samples, seconds.

    Attributes:
        interval: Between two scrapes of a pod; of the pod with the longest.
        lag: How old the newest sample of a pod was, if that is more than the interval explains; else 0.
    """

    interval: float
    lag: float


def cadence(series: Iterable[Series], now: float) -> Cadence | None:
    """The cadence of some counters; None where there are too few samples.

    Args:
        series: Their raw samples.
        now: When they were read, epoch seconds on Prometheus' clock.
    """
    longest: dict[str, Series] = {}
    for counter in series:
        pod = counter.labels.get("pod", "")
        if pod not in longest or len(counter.samples) > len(longest[pod].samples):
            longest[pod] = counter
    known = [counter for counter in longest.values() if len(counter.samples) > LEAST_SAMPLES]
    if not known:
        return None
    intervals = [median(b[0] - a[0] for a, b in pairwise(counter.samples)) for counter in known]
    interval = max(intervals)
    # Of pods that are gone the newest sample is old.
    late = min(max(0.0, now - counter.samples[-1][0]) for counter in known)
    return Cadence(interval, late if late > BETWEEN * interval else 0.0)
