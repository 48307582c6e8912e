"""What a simulated service is normally like, and what its world does to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import gammainc, ndtr  # type: ignore[import-untyped]

from glidepath.judge import ArmCounts

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

SCRAPE_S = 5.0
BASE_ERRORS = 0.005
STABLE_PODS, CANARY_PODS = 4, 2
MEDIAN_S, SIGMA = 0.05, 0.5
ALIGNED = tuple(float(f"{0.005 * 1.10**step:.6g}") for step in range(15, 58))
COARSE = tuple(float(f"{0.005 * 1.25**step:.6g}") for step in range(6, 26))
PROMETHEUS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ISTIO = (0.0005, 0.001, *PROMETHEUS, 30.0, 60.0, 300.0, 600.0, 1800.0, 3600.0)
OPENTELEMETRY = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)


@dataclass(frozen=True)
class Shape:
    """Latency as a mixture of lognormals.

    Attributes:
        parts: (share, median in seconds, sigma) of each part; the last one is the tail.
    """

    parts: tuple[tuple[float, float, float], ...] = ((1.0, MEDIAN_S, SIGMA),)

    def buckets(self, edges: Array, slower: Array, tail: float = 1.0) -> Array:
        """Probability of each bucket.

        Args:
            edges: Finite edges, seconds.
            slower: Multipliers of the latency, any shape.
            tail: Multiplies the last part alone.
        """
        below = self.below(edges, slower, tail)
        ones, zeros = np.ones((*slower.shape, 1)), np.zeros((*slower.shape, 1))
        return np.diff(np.concatenate([zeros, below, ones], axis=-1), axis=-1)

    def below(self, edges: Array, slower: Array, tail: float = 1.0) -> Array:
        """Probability of being as quick as each edge; arguments as `buckets`'."""
        below = np.zeros((*slower.shape, len(edges)))
        for number, (share, median, sigma) in enumerate(self.parts):
            own = slower * (tail if number == len(self.parts) - 1 else 1.0)
            below += share * ndtr(np.log(edges / (median * own[..., None])) / sigma)
        return below


@dataclass(frozen=True)
class Gamma(Shape):
    """Latency as a gamma law.

    Attributes:
        order: Its shape; mean_s: its mean, seconds.
    """

    order: float = 2.0
    mean_s: float = 0.06

    def below(self, edges: Array, slower: Array, tail: float = 1.0) -> Array:  # noqa: D102
        return np.asarray(gammainc(self.order, self.order * edges / (self.mean_s * tail * slower[..., None])))


@dataclass(frozen=True)
class Pareto(Shape):
    """Latency with a tail that falls as a power (Lomax).

    Attributes:
        power: Of the tail; scale_s: seconds.
    """

    power: float = 3.0
    scale_s: float = 0.08

    def below(self, edges: Array, slower: Array, tail: float = 1.0) -> Array:  # noqa: D102
        return np.asarray(1.0 - (1.0 + edges / (self.scale_s * tail * slower[..., None])) ** -self.power)


NORMAL = Shape()
BIMODAL = Shape(((0.85, 0.05, 0.4), (0.15, 0.3, 0.4)))
TRIMODAL = Shape(((0.5, 0.02, 0.3), (0.35, 0.08, 0.3), (0.15, 0.4, 0.4)))
TAILED = Shape(((0.98, 0.05, 0.5), (0.02, 0.15, 0.5)))
# Latencies as services have them, and the buckets that they get if nobody says otherwise.
STOCK_SHAPES = {"lognormal": NORMAL, "bimodal": BIMODAL, "trimodal": TRIMODAL, "gamma": Gamma(), "Pareto": Pareto()}
STOCK = {"Prometheus": PROMETHEUS, "Istio": ISTIO, "OpenTelemetry": OPENTELEMETRY}


@dataclass(frozen=True)
class Conditions:
    """What the world does, scrape by scrape; everything is a multiplier of the service's normal.

    Attributes:
        rate: Requests, shaped (scrapes,).
        errors, slower: Of the stable's pods, shaped (scrapes, pods or 1); canary_errors, canary_slower: of the canary's.
        lost: Scrapes that fail: their counts come with the next one.
        seen: Share of each arm's requests that is counted (a restarted pod loses its counts), shaped (scrapes, 2).
    """

    rate: Array
    errors: Array
    slower: Array
    canary_errors: Array
    canary_slower: Array
    lost: NDArray[np.bool_]
    seen: Array


def calm(random: Generator, scrapes: int) -> Conditions:  # noqa: ARG001
    """Nothing happens."""
    ones = np.ones((scrapes, 1))
    return Conditions(ones[:, 0], ones, ones, ones, ones, np.zeros(scrapes, dtype=bool), np.ones((scrapes, 2)))


def counts(requests: int, errors: int, buckets: Counts, pods: int = 1) -> ArmCounts:
    """As the judge takes them."""
    return ArmCounts(int(requests), int(errors), tuple(buckets.tolist()), pods)
