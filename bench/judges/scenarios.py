"""What is judged: GATE.md's cases, and the world's worse habits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator

from bench.judges.service import (
    CANARY_PODS,
    PROMETHEUS,
    SCRAPE_S,
    STABLE_PODS,
    Array,
    Conditions,
    Fault,
    Service,
    Shape,
    calm,
)
from glidepath.judge import StepSettings

RAMP = (StepSettings(5, 60, 100), StepSettings(25, 60, 100), StepSettings(50, 60, 100))
SLOW_RAMP = (StepSettings(1, 60, 100), *RAMP)
SINGLE = (StepSettings(10, 60, 100),)
LONG = (StepSettings(10, 7200, 100),)
HORIZON_S = 3600.0
# The truth about a canary: within its margins (SAME), beyond harm (HARM), or between harm and safety (BETWEEN).
SAME, HARM, BETWEEN = "same", "harm", "between"


@dataclass(frozen=True)
class Scenario:
    """One case.

    Attributes:
        name: As tables show it.
        truth: SAME, HARM or BETWEEN.
        service: The service, its world and its fault.
        steps: The weights.
        rivals: Whether the rivals play it too; they watch one weight.
        quantiles: Latency quantiles that the policy judges.
        warmup_s: First traffic that is left out.
    """

    name: str
    truth: str
    service: Service = field(default_factory=Service)
    steps: tuple[StepSettings, ...] = RAMP
    rivals: bool = False
    quantiles: tuple[float, ...] = (0.95,)
    warmup_s: float = 0.0


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
    since = np.arange(scrapes) * SCRAPE_S
    return replace(calm(random, scrapes), canary_slower=(1 + 2.0 * np.round(np.exp(-since / 20), 2))[:, None])


def step_change(random: Generator, scrapes: int) -> Conditions:
    """A dependency changes after five minutes: 40 % slower, three times the errors, in both arms."""
    after = (np.arange(scrapes) * SCRAPE_S >= 300)[:, None]
    return _both(calm(random, scrapes), errors=np.where(after, 3.0, 1.0), slower=np.where(after, 1.4, 1.0))


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
    """One scrape in which every request of an arm fails; `both`: of both arms."""

    both: bool

    def __call__(self, random: Generator, scrapes: int) -> Conditions:
        """The conditions of so many scrapes."""
        errors = np.ones((scrapes, 1))
        errors[random.integers(2, 60)] = 1000.0
        world = calm(random, scrapes)
        return _both(world, errors=errors) if self.both else replace(world, canary_errors=errors)


def _both(world: Conditions, **values: Array) -> Conditions:
    same = {f"canary_{name}": value for name, value in values.items() if name != "rate"}
    return replace(world, **values, **same)


BIMODAL = Shape(((0.85, 0.05, 0.4), (0.15, 0.3, 0.4)))
TAILED = Shape(((0.98, 0.05, 0.5), (0.02, 0.15, 0.5)))
CASES = {
    "same version": (SAME, Fault()),
    "p95 +5 %": (SAME, Fault(slower=1.05)),
    "p95 +10 % (boundary)": (SAME, Fault(slower=1.099)),
    "p95 -10 %": (SAME, Fault(slower=0.9)),
    "errors x1.5": (HARM, Fault(errors=1.5)),
    "errors x2": (HARM, Fault(errors=2.0)),
    "errors x10": (HARM, Fault(errors=10.0)),
    "p95 +15 %": (HARM, Fault(slower=1.15)),
    "p95 +30 %": (HARM, Fault(slower=1.30)),
    "total outage": (HARM, Fault(errors=1000.0)),
}
WORLDS: dict[str, Callable[[Generator, int], Conditions]] = {
    "bursts": bursts,
    "daily drift": drift,
    "noisy neighbour": neighbour,
    "restarts, counter resets": restarts,
    "missing scrapes": missing,
    "step change in both": step_change,
    "moods of pods, 30 s": Moods(30),
    "moods of pods, 10 min": Moods(600),
    "blip of one scrape": Blip(False),
    "blip in both arms": Blip(True),
}


def _plain() -> list[Scenario]:
    return [Scenario(name, truth, Service(fault=fault)) for name, (truth, fault) in CASES.items()]


def _turning() -> list[Scenario]:
    late = [
        Scenario(f"x{factor} from the 50 % step", HARM, Service(fault=Fault(errors=factor, from_weight=50)))
        for factor in (2, 10)
    ]
    inside = [
        Scenario(f"x{factor} 60 s into the last step", HARM, Service(fault=Fault(errors=factor, into_step_s=60)))
        for factor in (2, 10)
    ]
    return [*late, *inside]


def _worlds(steps: tuple[StepSettings, ...]) -> list[Scenario]:
    single = steps is SINGLE
    made = [Scenario(name, SAME, Service(world=world), steps, rivals=single) for name, world in WORLDS.items()]
    if single:
        return made
    both = [
        Scenario(f"{name}, errors x10", HARM, Service(world=WORLDS[name], fault=Fault(errors=10.0)), steps)
        for name in ("bursts", "noisy neighbour", "missing scrapes", "moods of pods, 10 min")
    ]
    start = Scenario("slow start, warm-up 90 s", SAME, Service(world=slow_start), steps, warmup_s=90.0)
    drifting = Scenario("ramp 1-5-25-50, daily drift", SAME, Service(world=drift), SLOW_RAMP)
    return [*made, *both, start, drifting]


def _shapes() -> list[Scenario]:
    tail = Service(shape=TAILED, fault=Fault(tail=4.0))
    return [
        Scenario("bimodal, same version", SAME, Service(shape=BIMODAL)),
        Scenario("bimodal, p95 +30 %", HARM, Service(shape=BIMODAL, fault=Fault(slower=1.3))),
        Scenario("tail only (p99), same version", SAME, Service(shape=TAILED), quantiles=(0.95, 0.99)),
        Scenario("tail only (p99) x4", HARM, tail, quantiles=(0.95, 0.99)),
        Scenario("Prometheus' buckets, same version", SAME, Service(edges=PROMETHEUS)),
        Scenario("Prometheus' buckets, p95 x2", HARM, Service(edges=PROMETHEUS, fault=Fault(slower=2.0))),
        Scenario("Prometheus' buckets, errors x10", HARM, Service(edges=PROMETHEUS, fault=Fault(errors=10.0))),
    ]


def _quiet() -> list[Scenario]:
    return [
        Scenario(f"{rate:g} requests/s, {name}", CASES[name][0], Service(per_second=rate, fault=CASES[name][1]))
        for rate in (1.0, 10.0)
        for name in ("same version", "errors x10")
    ]


def _single() -> list[Scenario]:
    plain = [
        Scenario(name, truth, Service(fault=fault), SINGLE, rivals=True)
        for name, (truth, fault) in CASES.items()
        if name != "total outage"
    ]
    late = Service(fault=Fault(errors=10.0, from_s=1800))
    quiet = [
        Scenario(f"{rate:g} requests/s, same version", SAME, Service(per_second=rate), SINGLE, rivals=True)
        for rate in (1.0, 10.0)
    ]
    return [*plain, Scenario("x10 after 30 good minutes", HARM, late, LONG, rivals=True), *quiet, *_worlds(SINGLE)]


def scenarios() -> dict[str, list[Scenario]]:
    """All of them, by table."""
    ramp = [*_plain(), *_turning(), *_worlds(RAMP), *_shapes(), *_quiet()]
    return {"ramp": ramp, "single": _single()}
