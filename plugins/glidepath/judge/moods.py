"""Moods of pods: how much the pods of one version differ, and for how long a pod stays as it is.

A pod in a mood (a noisy node, a cold cache, a heavy user) has a multiple of its version's rate of events, and after a
while another. The model: a pod's multiple is lognormal with mean 1, and is drawn anew at random times, so that it lasts so
many seconds on average. What its logarithm's sigma and the time may be is weighed by what the stable's pods did, each
against the others, by the very filter that later judges (`glidepath.judge.latent`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from glidepath.judge.evalue import Array

# The prior's grid: each pair is as likely as any other before something was seen.
SIGMAS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.65, 0.9, 1.3)
LASTING_S = (10.0, 30.0, 100.0, 300.0, 1000.0, 10000.0)
# Pairs this much less likely than the likeliest are left out.
LEAST_LIKELY = 1e-3
# So many times likelier than alike the pods have to be with moods. Of pods that are alike it is reached at most once in so
# many times (Markov's inequality), in truth less often; where moods are believed, harm takes far longer to prove.
TIMES_LIKELIER = 10.0
MOST_PODS = 12
# The grid of log ratios: so many standard deviations of the widest kind to either side, and its points.
WIDTH, POINTS, FINE_POINTS = 4.0, 161, 321
UNDERFLOW = 1e-300
# While a mood lasts, counts tell the ratio to this part of the grid's step and no further.
RESOLVED = 0.5
# A mood that lasts longer than this is as one that ends: a release is over then.
LONGEST_S = 1800.0


@dataclass(frozen=True)
class Mood:
    """One possible kind of moods.

    Attributes:
        sigma: Standard deviation of the logarithm of a pod's multiple.
        lasts_s: Mean time between two draws, seconds.
        weight: How likely it is, among all kinds that are weighed.
    """

    sigma: float
    lasts_s: float
    weight: float

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Mood:
        """Back from `asdict`."""
        return cls(float(values["sigma"]), float(values["lasts_s"]), float(values["weight"]))


# Pods that are alike: on any grid all of its mass is on the ratio 1.
ALIKE = Mood(1e-3, LASTING_S[-1], 1.0)


class Hidden:
    """A log ratio of two groups of pods that nobody sees, as several hypotheses about the ratio's cause think of it.

    A forward filter on a grid, for each hypothesis and each kind of moods.

    Args:
        moods: The kinds.
        hypotheses: How many hypotheses are followed.
        pods: How many pods the two groups have.
        points: Of the grid.

    Attributes:
        grid: The log ratios, shaped (points,).
        log_mass: Log likelihood of all that was seen, shaped (hypotheses, kinds).
    """

    def __init__(self, moods: Sequence[Mood], hypotheses: int, pods: tuple[int, int], points: int = POINTS) -> None:
        self._sigmas = np.array([mood.sigma for mood in moods])
        self._lasting = np.array([mood.lasts_s for mood in moods])
        widest = math.sqrt(float(contrast(self._sigmas, *pods)[1].max()))
        self.grid: Array = np.linspace(-WIDTH * widest, WIDTH * widest, points)
        self._pods = pods
        self._fresh = self._stationary(*pods)
        self._weights = np.repeat(self._fresh[None], hypotheses, axis=0)
        weights = np.array([mood.weight for mood in moods])
        self._looks_s = min(LONGEST_S, float((weights * self._lasting).sum() / weights.sum()))
        self.log_mass: Array = np.repeat(np.log(weights)[None], hypotheses, axis=0)

    def pods(self, first: int, second: int) -> None:
        """So many pods are in the two groups now: more of them differ less, once their moods have changed."""
        if (first, second) != self._pods:
            self._pods, self._fresh = (first, second), self._stationary(first, second)

    def see(
        self, n: Array | float, m: Array | float, x: Array, y: Array | float, ratios: Array, seconds: float
    ) -> None:
        """Take in an interval.

        Args:
            n, m: Requests of the first and second group, more than none.
            x, y: Their events; x shaped (hypotheses, 1), as all that is an array.
            ratios: By what each hypothesis multiplies the first group's rate of events.
            seconds: How long the interval lasted.
        """
        odds = np.log(n * ratios / m) + self.grid
        against = np.maximum(odds, 0.0) + np.log1p(np.exp(-np.abs(odds)))  # minus the logarithm of 1 - share
        share = np.exp(odds - against)
        log = x * odds - (x + y) * against
        # Of more events than the grid can tell apart while a mood lasts only a part counts.
        step = self.grid[1] - self.grid[0]
        excess = (
            float(((x + y) * share * (1.0 - share)).max())
            * (RESOLVED * step) ** 2
            * max(1.0, self._looks_s / max(seconds, 1.0))
        )
        log = log / max(1.0, excess)
        top = log.max(axis=1, keepdims=True)
        self._weights *= np.exp(log - top)[:, None, :]
        sums = self._weights.sum(axis=2)
        self.log_mass += np.log(np.maximum(sums, UNDERFLOW)) + top
        if sums.min() < UNDERFLOW:  # a kind of moods that can't be: as if it had just begun
            self._weights = np.where(sums[..., None] < UNDERFLOW, self._fresh, self._weights)
            sums = np.where(sums < UNDERFLOW, 1.0, sums)
        self.pass_time(seconds, sums)

    def pass_time(self, seconds: float, sums: Array | float = 1.0) -> None:
        """Some moods change.

        Args:
            seconds: How long it was.
            sums: What the weights add up to.
        """
        stays = np.exp(-seconds / self._lasting)
        self._weights *= (stays / sums)[..., None]
        self._weights += (1.0 - stays)[:, None] * self._fresh

    def log_likelihood(self) -> Array:
        """Of each hypothesis, over all kinds of moods."""
        return np.asarray(np.logaddexp.reduce(self.log_mass, axis=1))

    def _stationary(self, first: int, second: int) -> Array:
        mean, variance = contrast(self._sigmas, first, second)
        density = np.exp(-((self.grid - mean[:, None]) ** 2) / (2.0 * variance[:, None]))
        return np.asarray(density / density.sum(axis=1, keepdims=True))


def contrast(sigma: Array, first: int, second: int) -> tuple[Array, Array]:
    """Mean and variance of the log ratio of two groups' mean multiples, so many pods each.

    A mean of lognormals taken as a lognormal of the same mean and variance (Fenton and Wilkinson).
    """
    ours, theirs = (np.log1p(np.expm1(sigma**2) / pods) for pods in (first, second))
    return (theirs - ours) / 2.0, ours + theirs


def moods(pieces: Sequence[tuple[Array, Array, float]]) -> tuple[Mood, ...]:
    """Weigh the kinds of moods by what a version's own pods did.

    Each pod is compared with all others in the same block, so what hits all at once counts for nothing. Pods' comparisons
    overlap; P of them tell as much as P - 1.

    Args:
        pieces: Stretches of time: requests and events, shaped (blocks, pods), and a block's length in seconds.

    Returns:
        The kinds that are left, likeliest first; their weights sum to 1. Empty when nothing could be compared, or when it
        does not speak for moods: all kinds together are less than `TIMES_LIKELIER` times as likely as that the pods are alike.
    """
    every = [ALIKE, *(Mood(sigma, lasts, 1.0) for sigma in SIGMAS for lasts in LASTING_S)]
    log = np.zeros(len(every))
    seen = False
    for requests, events, block_s in pieces:
        some = _busiest(requests)
        if len(some) < 2:
            continue
        seen = True
        log += _weighed(every, requests[:, some], events[:, some], block_s)
    alike, every, log = log[0], every[1:], log[1:]
    if not seen or np.logaddexp.reduce(log) - math.log(len(log)) - alike < math.log(TIMES_LIKELIER):
        return ()
    weights = np.exp(log - log.max())
    weights = np.where(weights >= LEAST_LIKELY, weights, 0.0)
    weights /= weights.sum()
    kinds = [Mood(mood.sigma, mood.lasts_s, float(weight)) for mood, weight in zip(every, weights, strict=True)]
    return tuple(sorted((mood for mood in kinds if mood.weight > 0), key=lambda mood: -mood.weight))


def _busiest(requests: Array) -> Array:
    """The pods that answered most: enough of them to learn from."""
    order = np.argsort(-requests.sum(axis=0), kind="stable")[:MOST_PODS]
    return np.asarray(order[requests.sum(axis=0)[order] > 0])


def _weighed(every: Sequence[Mood], requests: Array, events: Array, block_s: float) -> Array:
    pods = requests.shape[1]
    hidden = Hidden(every, pods, (1, pods - 1), FINE_POINTS)
    for n, x in zip(requests, events, strict=True):
        rest, others = n.sum() - n, x.sum() - x
        compared = (n > 0) & (rest > 0)
        if x.sum() == 0 or not compared.any():
            hidden.pass_time(block_s)
            continue
        # A pod that can't be compared: as if nothing had happened in it.
        seen = [
            np.where(compared, count, idle)[:, None] for count, idle in ((n, 1.0), (rest, 1.0), (x, 0.0), (others, 0.0))
        ]
        hidden.see(seen[0], seen[1], seen[2], seen[3], np.ones((pods, 1)), block_s)
    return np.asarray(hidden.log_mass.sum(axis=0) * (pods - 1) / pods)


def spread_of(kinds: Sequence[Mood], first: int, second: int) -> tuple[float, float]:
    """Variance of the log ratio of two groups of pods, and how long a mood lasts in seconds: means over the kinds."""
    weights = np.array([mood.weight for mood in kinds])
    variances = contrast(np.array([mood.sigma for mood in kinds]), max(1, first), max(1, second))[1]
    return float((weights * variances).sum()), float((weights * [mood.lasts_s for mood in kinds]).sum())


def slowed(rate: float, kinds: Sequence[Mood], effect: float, first: int, second: int, needed: float) -> float:
    """How fast evidence grows where pods have moods.

    In one mood an effect can't be told from it by more than effect^2 / (2 variance), however many requests are counted.

    Args:
        rate: Log evidence a second, were there no moods.
        kinds: The moods.
        effect: Logarithm of the ratio that is to be told from 1.
        first, second: How many pods each arm has.
        needed: Log evidence that is needed.
    """
    if not kinds or rate <= 0 or effect == 0:
        return rate
    variance, lasts = spread_of(kinds, first, second)
    most = effect**2 / (2.0 * variance)
    over_many = 1.0 / (1.0 / rate + lasts / most)
    # Within the first mood, if that can be enough.
    return max(over_many, rate * (1.0 - needed / most)) if needed < most else over_many


def told(kinds: Sequence[Mood]) -> str:
    """The moods for people."""
    weights = np.array([mood.weight for mood in kinds])
    sigma = float((weights * [mood.sigma for mood in kinds]).sum())
    lasts = math.exp(float((weights * np.log([mood.lasts_s for mood in kinds])).sum()))
    return f"a pod's rate is off by x{math.exp(sigma):.2g} or /{math.exp(sigma):.2g} for {_time(lasts)} at a time"


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
