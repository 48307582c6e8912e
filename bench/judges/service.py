"""A simulated service: a stable and a canary version behind a weight, seen as the collector sees them, scrape by scrape."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from bench.judges.pods import Pods, pods_of
from bench.judges.world import (
    ALIGNED,
    BASE_ERRORS,
    CANARY_PODS,
    SCRAPE_S,
    STABLE_PODS,
    Array,
    Conditions,
    Counts,
    Shape,
    calm,
    counts,
)
from glidepath.judge import Interval

# Scrapes drawn at once.
CHUNK = 36


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
        by_pod: Whether each stable pod is counted, so that the plan can set some apart.
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
        pods: The stable's pods; none where they are not counted.
    """

    requests: Counts
    errors: Counts
    failed: Counts
    buckets: Counts
    lost: NDArray[np.bool_]
    bad: NDArray[np.bool_]
    pods: Pods | None = None


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
    buckets = random.multinomial(requests - failed, _chances(service, world, at, bad))
    pods = None
    if service.by_pod:
        edges = np.array(service.edges)
        each = np.minimum(1.0, BASE_ERRORS * world.errors[at]), service.shape.buckets(edges, world.slower[at])
        pods = pods_of(service.stable_pods, requests[:, 0], *each, random)
        failed[:, 0], buckets[:, 0] = pods.errors.sum(axis=1), pods.buckets.sum(axis=1)
    seen = world.seen[at]
    if np.all(seen == 1.0):
        return Scrapes(requests, failed, failed, buckets, world.lost[at], bad[:, 0], pods)
    buckets = random.binomial(buckets, seen[..., None])
    counted = random.binomial(failed, seen)
    return Scrapes(buckets.sum(axis=2) + counted, counted, failed, buckets, world.lost[at], bad[:, 0])


def _chances(service: Service, world: Conditions, at: slice, bad: NDArray[np.bool_]) -> Array:
    """How likely a request of either arm falls into each bucket, shaped (scrapes, 2, edges + 1)."""
    edges, fault = np.array(service.edges), service.fault
    slower = world.canary_slower[at] * np.where(bad, fault.slower, 1.0)
    stable, canary = (_latency(service.shape, edges, each, 1.0) for each in (world.slower[at], slower))
    if fault.tail != 1.0:
        canary = np.where(bad, _latency(service.shape, edges, slower, fault.tail), canary)
    return np.stack(np.broadcast_arrays(stable, canary), axis=1)


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
        apart: The stable's pods that the plan sets apart.
    """

    def __init__(self, service: Service, random: Generator, scrapes: int, drawn: Scrapes | None = None) -> None:
        self._service, self._random, self._scrapes = service, random, scrapes
        self._world = service.world(random, scrapes)
        self._drawn, self._from, self._weight, self._step_from = drawn, 0, 0, 0
        self._until = scrapes if drawn else 0
        self.at = self.failed = self.requests = 0
        self.onset: int | None = None
        self.apart: frozenset[str] = frozenset()

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
        if drawn.pods is not None and self.apart:
            arms[0] = replace(arms[0], apart=drawn.pods.of(self.apart, slice(start, stop)))
        return Interval(first * SCRAPE_S, self.at * SCRAPE_S, self._weight, *arms)


def _latency(shape: Shape, edges: Array, slower: Array, tail: float) -> Array:
    """Bucket probabilities, shaped (scrapes or 1, buckets), averaged over pods; computed once for each different value."""
    values, place = np.unique(slower, return_inverse=True)
    if len(values) == 1:
        return shape.buckets(edges, values, tail)
    return np.asarray(shape.buckets(edges, values, tail)[place.reshape(slower.shape)].mean(axis=1))
