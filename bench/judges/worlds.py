"""What a simulated service's world may do: bursts, drift, neighbours, restarts, moods, blips."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator

from bench.judges.world import BASE_ERRORS, CANARY_PODS, SCRAPE_S, STABLE_PODS, Array, Conditions, calm


def bursts(random: Generator, scrapes: int) -> Conditions:
    """Ten times the traffic for 10 s every minute or so, with four times the errors, in both arms."""
    on = np.repeat(random.random((scrapes + 1) // 2) < 1 / 6, 2)[:scrapes]
    errors = np.where(on, 4.0, 1.0)[:, None]
    slower = np.where(on, 1.3, 1.0)[:, None]
    return _both(calm(random, scrapes), rate=np.where(on, 10.0, 1.0), errors=errors, slower=slower)


def drift(random: Generator, scrapes: int) -> Conditions:
    """A day squeezed into two hours: traffic and errors by a factor of three, latency by a fifth, in both arms."""
    phase = 2 * np.pi * (np.arange(scrapes) * SCRAPE_S / 7200 + random.random())
    errors, slower = np.exp(0.55 * np.sin(phase))[:, None], np.exp(0.18 * np.round(np.sin(phase), 1))[:, None]
    return _both(calm(random, scrapes), rate=np.exp(0.55 * np.cos(phase)), errors=errors, slower=slower)


def neighbour(random: Generator, scrapes: int) -> Conditions:
    """A noisy neighbour: now and then a minute of half as slow again and five times the errors, in both arms."""
    on = np.repeat(random.random(scrapes // 12 + 1) < 0.15, 12)[:scrapes]
    return _both(calm(random, scrapes), errors=np.where(on, 5.0, 1.0)[:, None], slower=np.where(on, 1.5, 1.0)[:, None])


def restarts(random: Generator, scrapes: int) -> Conditions:
    """A pod of either arm restarts every three minutes; what it counted since the last scrape is gone."""
    pods = np.array([STABLE_PODS, CANARY_PODS])
    hit = random.random((scrapes, 2)) < SCRAPE_S / 180
    return replace(calm(random, scrapes), seen=1.0 - hit * random.random((scrapes, 2)) / pods)


def missing(random: Generator, scrapes: int) -> Conditions:
    """One scrape in ten fails; its counts come with the next."""
    return replace(calm(random, scrapes), lost=random.random(scrapes) < 0.1)


def slow_start(random: Generator, scrapes: int) -> Conditions:
    """The canary's first minute is three times as slow, fading."""
    fading = np.round(np.exp(-np.arange(scrapes, dtype=np.float64) * (SCRAPE_S / 20)), 2)
    return replace(calm(random, scrapes), canary_slower=(1 + 2.0 * fading)[:, None])


def step_change(random: Generator, scrapes: int) -> Conditions:
    """A dependency changes after five minutes: 40 % slower, three times the errors, in both arms."""
    after = (np.arange(scrapes) * SCRAPE_S >= 300)[:, None]
    return _both(calm(random, scrapes), errors=np.where(after, 3.0, 1.0), slower=np.where(after, 1.4, 1.0))


@dataclass(frozen=True)
class Jump:
    """Both versions become so many times slower at once, a scrape after the first traffic, and stay so."""

    slower: float

    def __call__(self, random: Generator, scrapes: int) -> Conditions:
        """The conditions of so many scrapes."""
        after = (np.arange(scrapes) >= 1)[:, None]
        return _both(
            calm(random, scrapes),
            errors=np.ones_like(after, dtype=np.float64),
            slower=np.where(after, self.slower, 1.0),
        )


@dataclass(frozen=True)
class Moods:
    """Pods of either version have moods that last so long: errors by a lognormal of 0.7, latency by one of 0.05."""

    seconds: float

    def __call__(self, random: Generator, scrapes: int) -> Conditions:
        """The conditions of so many scrapes."""
        each = max(1, round(self.seconds / SCRAPE_S))
        groups = -(-scrapes // each)

        def drawn(pods: int, sigma: float) -> Array:
            mood = np.exp(sigma * random.standard_normal((groups, pods)) - sigma**2 / 2)
            return np.asarray(np.repeat(np.round(mood, 3), each, axis=0)[:scrapes])

        return replace(
            calm(random, scrapes),
            errors=drawn(STABLE_PODS, 0.7), canary_errors=drawn(CANARY_PODS, 0.7),
            slower=drawn(STABLE_PODS, 0.05), canary_slower=drawn(CANARY_PODS, 0.05),
        )  # fmt: skip


@dataclass(frozen=True)
class Blip:
    """All requests of 5 s fail in an arm: in one scrape, or shared by two; `both`: in both arms."""

    both: bool = False
    shared: bool = False

    def __call__(self, random: Generator, scrapes: int) -> Conditions:
        """The conditions of so many scrapes."""
        errors = np.ones((scrapes, 1))
        at = random.integers(2, 60)
        errors[at : at + 1 + self.shared] = 0.5 / BASE_ERRORS if self.shared else 1.0 / BASE_ERRORS
        world = calm(random, scrapes)
        return _both(world, errors=errors) if self.both else replace(world, canary_errors=errors)


def _both(world: Conditions, errors: Array, slower: Array | None = None, rate: Array | None = None) -> Conditions:
    slower = world.slower if slower is None else slower
    rate = world.rate if rate is None else rate
    return replace(world, rate=rate, errors=errors, canary_errors=errors, slower=slower, canary_slower=slower)
