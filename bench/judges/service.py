"""A simulated service: a stable and a canary version behind a weight, seen as the collector sees them, scrape by scrape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped]

from glidepath.judge import ArmCounts, Interval

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

SCRAPE_S = 5.0
# Scrapes drawn at once.
CHUNK = 36
BASE_ERRORS = 0.005
STABLE_PODS, CANARY_PODS = 4, 2
MEDIAN_S, SIGMA = 0.05, 0.5
ALIGNED = tuple(float(f"{0.005 * 1.10**step:.6g}") for step in range(15, 58))
COARSE = tuple(float(f"{0.005 * 1.25**step:.6g}") for step in range(6, 26))
PROMETHEUS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


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
        below = np.zeros((*slower.shape, len(edges)))
        for number, (share, median, sigma) in enumerate(self.parts):
            own = slower * (tail if number == len(self.parts) - 1 else 1.0)
            below += share * ndtr(np.log(edges / (median * own[..., None])) / sigma)
        ones, zeros = np.ones((*slower.shape, 1)), np.zeros((*slower.shape, 1))
        return np.diff(np.concatenate([zeros, below, ones], axis=-1), axis=-1)


NORMAL = Shape()


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


@dataclass(frozen=True)
class Fault:
    """What is wrong with the canary, while it is.

    Attributes:
        errors, slower, tail: Multipliers of the error share, of the latency, and of the latency's tail part alone.
        more: Added to the error share.
        from_s: Since when, seconds from the canary's first traffic; until_s: until when.
        from_weight: Only at this weight and above.
        into_step_s: Only so long after the last weight began.
    """

    errors: float = 1.0
    slower: float = 1.0
    tail: float = 1.0
    more: float = 0.0
    from_s: float = 0.0
    until_s: float = np.inf
    from_weight: int = 0
    into_step_s: float = -1.0

    @property
    def late(self) -> bool:
        """Whether it is not there from the first request on."""
        return self.from_s > 0 or self.from_weight > 0 or self.into_step_s >= 0

    def active(self, at: Array, weight: int, since_step: Array) -> NDArray[np.bool_]:
        """Whether it is there, scrape by scrape."""
        there: NDArray[np.bool_] = (at >= self.from_s) & (at < self.until_s) & (weight >= self.from_weight)
        return there & (since_step >= self.into_step_s)


@dataclass(frozen=True)
class Service:
    """The service and its world.

    Attributes:
        per_second: Requests a second, both arms together.
        edges: The histogram's finite edges, seconds.
        world: Draws the conditions of so many scrapes; past: those of the stable's past, where they are others.
        stable_pods: How many pods the stable version has.
        by_pod: Whether intervals tell each stable pod's counts.
    """

    per_second: float = 100.0
    shape: Shape = field(default_factory=Shape)
    edges: tuple[float, ...] = ALIGNED
    world: Callable[[Generator, int], Conditions] = calm
    fault: Fault = field(default_factory=Fault)
    past: Callable[[Generator, int], Conditions] | None = None
    stable_pods: int = STABLE_PODS
    by_pod: bool = False


@dataclass(frozen=True)
class Scrapes:
    """Some scrapes' counts of both arms; arms are 0 stable, 1 canary.

    Attributes:
        requests, errors: Shaped (scrapes, 2); failed: the errors there were, counted or not.
        buckets: Shaped (scrapes, 2, edges + 1).
        lost: Whose counts come with the next one; at the end of what was drawn at once they are gone.
        bad: Whether the fault was there.
        by_pod: Requests and errors of the stable's pods, shaped (2, scrapes, pods); none when they are not told.
    """

    requests: Counts
    errors: Counts
    failed: Counts
    buckets: Counts
    lost: NDArray[np.bool_]
    bad: NDArray[np.bool_]
    by_pod: Counts | None = None


def draw(service: Service, world: Conditions, random: Generator, at: slice, weight: int, since_step: Array) -> Scrapes:
    """Draw the counts of some scrapes at one weight.

    Args:
        service: Which.
        world: The conditions of the whole release.
        random: Randomness.
        at: Which scrapes.
        weight: The canary's, percent.
        since_step: Seconds since this step began, a scrape each; -1 before the last step.
    """
    times = np.arange(at.start, at.stop) * SCRAPE_S
    bad = service.fault.active(times, weight, since_step)[:, None]
    total = random.poisson(world.rate[at] * service.per_second * SCRAPE_S)
    canary = random.binomial(total, weight / 100)
    requests = np.stack([total - canary, canary], axis=1)
    fault = service.fault
    error_rate = np.stack(
        [
            world.errors[at].mean(axis=1),
            (world.canary_errors[at] * np.where(bad, fault.errors, 1.0)).mean(axis=1),
        ],
        axis=1,
    )
    chance = BASE_ERRORS * error_rate
    chance[:, 1] += fault.more * bad[:, 0]
    failed = random.binomial(requests, np.minimum(1.0, chance))
    by_pod = None
    if service.by_pod:
        by_pod = _by_pod(service, world.errors[at], requests[:, 0], random)
        failed[:, 0] = by_pod[1].sum(axis=1)
    edges = np.array(service.edges)
    chances = [_latency(service.shape, edges, world.slower[at], 1.0)]
    canary_slower = world.canary_slower[at] * np.where(bad, fault.slower, 1.0)
    chances.append(_latency(service.shape, edges, canary_slower, 1.0))
    if fault.tail != 1.0:
        chances[1] = np.where(bad, _latency(service.shape, edges, canary_slower, fault.tail), chances[1])
    buckets = random.multinomial(requests - failed, np.stack(np.broadcast_arrays(*chances), axis=1))
    seen = world.seen[at]
    if np.all(seen == 1.0):
        return Scrapes(requests, failed, failed, buckets, world.lost[at], bad[:, 0], by_pod)
    buckets = random.binomial(buckets, seen[..., None])
    counted = random.binomial(failed, seen)
    return Scrapes(buckets.sum(axis=2) + counted, counted, failed, buckets, world.lost[at], bad[:, 0])


def _by_pod(service: Service, errors: Array, requests: Counts, random: Generator) -> Counts:
    """The stable's pods' requests and errors, shaped (2, scrapes, pods)."""
    pods = service.stable_pods
    each = random.multinomial(requests, np.full(pods, 1.0 / pods))
    return np.stack([each, random.binomial(each, np.minimum(1.0, BASE_ERRORS * errors))])


class Traffic:
    """A release's traffic, an interval at a time, at whatever weight is asked for.

    Args:
        service: Which.
        random: Randomness.
        scrapes: How many there are at most.
        drawn: All of them, already drawn at the only weight that will be asked for.

    Attributes:
        at: Scrapes so far; onset: when the fault began, None before.
        failed, requests: The canary's, since it began for the failed.
    """

    def __init__(self, service: Service, random: Generator, scrapes: int, drawn: Scrapes | None = None) -> None:
        self._service, self._random, self._scrapes = service, random, scrapes
        self._world = service.world(random, scrapes)
        self._drawn, self._from, self._weight, self._step_from = drawn, 0, 0, 0
        self._until = scrapes if drawn else 0
        self.at = self.failed = self.requests = 0
        self.onset: int | None = None

    def interval(self, weight: int, last: bool) -> Interval | None:
        """The next interval at this weight; None when the time is over.

        Args:
            weight: The canary's, percent.
            last: Whether this is the last step.
        """
        if weight != self._weight:
            self._weight, self._step_from = weight, self.at
            self._until = min(self._until, self.at) if self.at else self._until
        first = self.at
        while self.at < self._scrapes:
            drawn = self._at_hand(last)
            here = self.at - self._from
            if drawn.bad[here] and self.onset is None:
                self.onset = self.at
            self.requests += int(drawn.requests[here, 1])
            self.failed += int(drawn.failed[here, 1]) if self.onset is not None or not self._service.fault.late else 0
            self.at += 1
            if not drawn.lost[here]:
                return self._made(drawn, max(0, first - self._from), here + 1, first)
        return None

    def _at_hand(self, last: bool) -> Scrapes:
        if self._drawn is None or self.at >= self._until:
            self._from, self._until = self.at, min(self.at + CHUNK, self._scrapes)
            since: Array = (np.arange(self._from, self._until) - self._step_from).astype(np.float64) * SCRAPE_S
            span = slice(self._from, self._until)
            self._drawn = draw(
                self._service,
                self._world,
                self._random,
                span,
                self._weight,
                since if last else np.full_like(since, -1.0),
            )
        return self._drawn

    def _made(self, drawn: Scrapes, start: int, stop: int, first: int) -> Interval:
        arms = []
        for arm, pods in enumerate((self._service.stable_pods, CANARY_PODS)):
            if stop - start == 1:
                seen = drawn.requests[start, arm], drawn.errors[start, arm], drawn.buckets[start, arm]
            else:
                span = slice(start, stop)
                seen = (
                    drawn.requests[span, arm].sum(),
                    drawn.errors[span, arm].sum(),
                    drawn.buckets[span, arm].sum(axis=0),
                )
            arms.append(counts(*seen, pods))
        if drawn.by_pod is not None:
            arms[0] = replace(arms[0], by_pod=named(drawn.by_pod[:, start:stop].sum(axis=1)))
        return Interval(first * SCRAPE_S, self.at * SCRAPE_S, self._weight, *arms)


def counts(requests: int, errors: int, buckets: Counts, pods: int = 1) -> ArmCounts:
    """As the judge takes them."""
    return ArmCounts(int(requests), int(errors), tuple(buckets.tolist()), pods)


def named(by_pod: Counts) -> dict[str, tuple[int, int]]:
    """The stable's pods' requests and errors, by the pods' names."""
    return {f"stable-{pod}": (int(n), int(y)) for pod, (n, y) in enumerate(by_pod.T)}


def _latency(shape: Shape, edges: Array, slower: Array, tail: float) -> Array:
    """Bucket probabilities, shaped (scrapes or 1, buckets), averaged over pods; computed once for each different value."""
    values, place = np.unique(slower, return_inverse=True)
    if len(values) == 1:
        return shape.buckets(edges, values, tail)
    return np.asarray(shape.buckets(edges, values, tail)[place.reshape(slower.shape)].mean(axis=1))
