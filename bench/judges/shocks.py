"""Worlds where luck or a sick pod speaks: shocks that pass, each pod scraped at its own times, and pods that stay sick.

The collector ends an interval when each pod has a newer sample, and counts each up to its own last one. So a shock that
is over in seconds falls into the intervals pod by pod, by other parts of each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from bench.judges.world import BASE_ERRORS, CANARY_PODS, SCRAPE_S, STABLE_PODS, Array, Conditions, calm

ALL_FAIL = 1.0 / BASE_ERRORS


@dataclass(frozen=True)
class Shock:
    """A stretch of time in which requests fail more often, at a time drawn for each release.

    Attributes:
        lasts_s: For how long, seconds.
        errors: By what the error share is multiplied.
        first_s, last_s: Between which times it begins, from the canary's first traffic.
        every_s: It comes again so often; 0 for once.
        pod: The one stable pod that it hits; -1 for all pods of both arms.
        own_times: Whether each pod is scraped at its own times.
    """

    lasts_s: float
    errors: float = ALL_FAIL
    first_s: float = 65.0
    last_s: float = 120.0
    every_s: float = 0.0
    pod: int = -1
    own_times: bool = True

    def __call__(self, random: Generator, scrapes: int) -> Conditions:
        """The conditions of so many scrapes."""
        begins = random.uniform(self.first_s, self.last_s)
        if not self.own_times:
            begins = round(begins / SCRAPE_S) * SCRAPE_S
        times = np.arange(begins, scrapes * SCRAPE_S, self.every_s) if self.every_s else np.array([begins])
        stable, canary = (self._errors(random, scrapes, times, pods) for pods in (STABLE_PODS, CANARY_PODS))
        if self.pod >= 0:
            stable[:, np.arange(STABLE_PODS) != self.pod], canary[:] = 1.0, 1.0
        return replace(calm(random, scrapes), errors=stable, canary_errors=canary)

    def _errors(self, random: Generator, scrapes: int, times: Array, pods: int) -> Array:
        """Each pod's multiplier, by the part of what it counts for a scrape that lies in the shock."""
        late = random.uniform(0.0, SCRAPE_S, pods) if self.own_times else np.zeros(pods)
        start = np.arange(scrapes)[:, None] * SCRAPE_S - late
        hit = np.zeros((scrapes, pods))
        for begins in times:
            shared = np.minimum(start + SCRAPE_S, begins + self.lasts_s) - np.maximum(start, begins)
            hit += np.clip(shared, 0.0, None) / SCRAPE_S
        return np.asarray(1.0 + (self.errors - 1.0) * np.minimum(hit, 1.0))


@dataclass(frozen=True)
class Sick:
    """Some of the stable's pods always have so many times the errors of the others, or are slower; the past knows them."""

    pods: int = 20
    sick: int = 1
    errors: float = 20.0
    slower: float = 1.0

    @property
    def mean(self) -> float:
        """The stable version's errors, as a multiple of a healthy pod's."""
        return (self.pods - self.sick + self.sick * self.errors) / self.pods

    def __call__(self, random: Generator, scrapes: int) -> Conditions:
        """The conditions of so many scrapes."""
        errors, slower = np.ones((scrapes, self.pods)), np.ones((scrapes, self.pods))
        errors[:, : self.sick], slower[:, : self.sick] = self.errors, self.slower
        return replace(calm(random, scrapes), errors=errors, slower=slower)
