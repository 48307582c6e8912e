"""A simulated stable version's pods, each counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from bench.judges.world import Array, Counts, counts
from glidepath.judge import ArmCounts


def name_of(pod: int) -> str:
    """A stable pod's name."""
    return f"stable-{pod}"


@dataclass(frozen=True)
class Pods:
    """Some scrapes' counts of each pod: requests and errors shaped (scrapes, pods), buckets (scrapes, pods, edges + 1)."""

    requests: Counts
    errors: Counts
    buckets: Counts

    def of(self, names: frozenset[str], scrapes: slice) -> ArmCounts:
        """What these pods counted in some scrapes."""
        places = [pod for pod in range(self.requests.shape[1]) if name_of(pod) in names]
        requests, errors = (int(one[scrapes, places].sum()) for one in (self.requests, self.errors))
        return counts(requests, errors, self.buckets[scrapes, places].sum(axis=(0, 1)), len(places))


def pods_of(pods: int, requests: Counts, errors: Array, buckets: Array, random: Generator) -> Pods:
    """Draw them.

    Args:
        pods: How many there are.
        requests: Of all, shaped (scrapes,).
        errors: Each pod's probability of an error, shaped (scrapes, pods or 1).
        buckets: Its successful requests' probabilities of each bucket, shaped (scrapes, pods or 1, edges + 1).
        random: Randomness.
    """
    each = random.multinomial(requests, np.full(pods, 1.0 / pods))
    failed = random.binomial(each, errors)
    return Pods(each, failed, random.multinomial(each - failed, buckets))
