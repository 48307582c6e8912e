"""What is judged: GATE.md's cases, and the world's worse habits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.random import Generator

from bench.judges.service import (
    ALIGNED,
    BASE_ERRORS,
    CANARY_PODS,
    COARSE,
    NORMAL,
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
from bench.judges.shocks import Shock, Sick
from glidepath.judge import StepSettings

RAMP = (StepSettings(5, 60, 100), StepSettings(25, 60, 100), StepSettings(50, 60, 100))
SLOW_RAMP = (StepSettings(1, 60, 100), *RAMP)
SINGLE = (StepSettings(10, 60, 100),)
LONG = (StepSettings(10, 7200, 100),)
HALF = (StepSettings(50, 60, 100),)
LONG_BAKE = (StepSettings(50, 1260, 100),)
HORIZON_S = 3600.0
# The truth about a canary. Within its margins: a rollback is wrong. Harmful: a promotion is. On the margin where harm and
# safety meet: both are. Between harm and comparable, or bad for a moment only: neither is.
WITHIN, HARMFUL, EDGE, BETWEEN = "within", "harmful", "on the margin", "between"
HARM_MARGIN, SAFETY_MARGIN, LATENCY_MARGIN = "harm", "safety", "latency"


@dataclass(frozen=True)
class Scenario:
    """One case.

    Attributes:
        name: As tables show it.
        truth: WITHIN, HARMFUL, EDGE or BETWEEN.
        service: The service, its world and its fault.
        steps: The weights.
        margin: Which of the plan's margins the canary lies exactly on; empty for none.
        quantiles: Latency quantiles that the policy judges.
        warmup_s: First traffic that is left out.
        part: Of the runs asked for, how many are played; hours without a decision cost the most and tell the least.
    """

    name: str
    truth: str
    service: Service = field(default_factory=Service)
    steps: tuple[StepSettings, ...] = RAMP
    margin: str = ""
    quantiles: tuple[float, ...] = (0.95,)
    warmup_s: float = 0.0
    part: float = 1.0


World = Callable[[Generator, int], Conditions]
Steps = tuple[StepSettings, ...]


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


BIMODAL = Shape(((0.85, 0.05, 0.4), (0.15, 0.3, 0.4)))
TAILED = Shape(((0.98, 0.05, 0.5), (0.02, 0.15, 0.5)))
FAULTS = {
    "same version": (WITHIN, Fault()),
    "p95 -10 %": (WITHIN, Fault(slower=0.9)),
    "p95 +5 %": (WITHIN, Fault(slower=1.05)),
    "p95 +15 %": (HARMFUL, Fault(slower=1.15)),
    "p95 +30 %": (HARMFUL, Fault(slower=1.30)),
    "errors x1.2": (BETWEEN, Fault(errors=1.2)),
    "errors x1.5": (HARMFUL, Fault(errors=1.5)),
    "errors x2": (HARMFUL, Fault(errors=2.0)),
    "errors x10": (HARMFUL, Fault(errors=10.0)),
    "total outage": (HARMFUL, Fault(errors=1.0 / BASE_ERRORS)),
}
MARGINS = {
    "errors on the harm margin": (WITHIN, HARM_MARGIN),
    "errors on the safety margin": (HARMFUL, SAFETY_MARGIN),
    "p95 +10 %: on the margin": (EDGE, LATENCY_MARGIN),
}
WORLDS: dict[str, World] = {
    "bursts": bursts,
    "daily drift": drift,
    "noisy neighbour": neighbour,
    "restarts, counter resets": restarts,
    "missing scrapes": missing,
    "step change in both": step_change,
    "moods of pods, 30 s": Moods(30),
    "moods of pods, 10 min": Moods(600),
    "blip in both arms": Blip(both=True),
}
SHOCKS = {
    "a stable pod fails for 5 s": Shock(5.0, pod=0),
    "all fail for 10 s": Shock(10.0),
}
STORMS: dict[str, World] = {
    "a minute of errors x30": Shock(60.0, 30.0, 60.0, 240.0, own_times=False),
    "a minute of errors x30, own scrape times": Shock(60.0, 30.0, 60.0, 240.0),
    "5 s of errors x30 a minute": Shock(SCRAPE_S, 30.0, 0.0, 60.0, every_s=60.0, own_times=False),
    "5 s of errors x30 a minute, own scrape times": Shock(SCRAPE_S, 30.0, 0.0, 60.0, every_s=60.0),
}
BLIPS = {"blip of one scrape": Blip(), "blip shared by two scrapes": Blip(shared=True)}


def _plain(steps: Steps) -> list[Scenario]:
    faults = [Scenario(name, truth, Service(fault=fault), steps) for name, (truth, fault) in FAULTS.items()]
    margins = [Scenario(name, truth, steps=steps, margin=margin) for name, (truth, margin) in MARGINS.items()]
    return [*faults, *margins]


def _turning() -> list[Scenario]:
    made = []
    for factor in (2, 10):
        late, inside = Fault(errors=factor, from_weight=50), Fault(errors=factor, into_step_s=60)
        made.append(Scenario(f"x{factor} from the 50 % step", HARMFUL, Service(fault=late)))
        made.append(Scenario(f"x{factor} 60 s into the last step", HARMFUL, Service(fault=inside)))
    return made


def _worlds(steps: Steps) -> list[Scenario]:
    worlds = [Scenario(name, WITHIN, Service(world=world), steps) for name, world in WORLDS.items()]
    blips = [Scenario(name, BETWEEN, Service(world=world), steps) for name, world in BLIPS.items()]
    start = Scenario("slow start, warm-up 90 s", WITHIN, Service(world=slow_start), steps, warmup_s=90.0)
    tenfold = [
        Scenario(f"{name}, errors x10", HARMFUL, Service(world=WORLDS[name], fault=Fault(errors=10.0)), steps)
        for name in ("bursts", "daily drift", "noisy neighbour", "missing scrapes", "moods of pods, 10 min")
    ]
    margins = [
        Scenario(f"daily drift, {name}", truth, Service(world=drift), steps, margin=margin)
        for name, (truth, margin) in MARGINS.items()
    ]
    return [*worlds, *blips, start, *tenfold, *margins]


def _slow_ramp() -> list[Scenario]:
    same = Scenario("ramp 1-5-25-50, daily drift", WITHIN, Service(world=drift), SLOW_RAMP)
    margins = [
        Scenario(f"{same.name}, {name}", truth, same.service, SLOW_RAMP, margin=margin)
        for name, (truth, margin) in MARGINS.items()
    ]
    return [same, *margins]


def _moody() -> list[Scenario]:
    name = "moods of pods, 10 min"
    return [
        Scenario(f"{name}, {margin}", truth, Service(world=WORLDS[name]), RAMP, margin=kind, part=0.25)
        for margin, (truth, kind) in MARGINS.items()
    ]


def _shapes(steps: Steps) -> list[Scenario]:
    tail = Service(shape=TAILED, fault=Fault(tail=4.0))
    made = []
    for name, shape, edges in (
        ("bimodal", BIMODAL, ALIGNED),
        ("Prometheus' buckets", NORMAL, PROMETHEUS),
        ("coarse buckets", NORMAL, COARSE),
    ):
        own = Service(shape=shape, edges=edges)
        made.append(Scenario(f"{name}, same version", WITHIN, own, steps))
        for factor in (1.3, 2.0):
            slower = replace(own, fault=Fault(slower=factor))
            made.append(Scenario(f"{name}, p95 x{factor:g}", HARMFUL, slower, steps))
    return [
        *made,
        Scenario("tail only (p99), same version", WITHIN, Service(shape=TAILED), steps, quantiles=(0.95, 0.99)),
        Scenario("tail only (p99) x4", HARMFUL, tail, steps, quantiles=(0.95, 0.99)),
    ]  # fmt: skip


def _quiet(steps: Steps) -> list[Scenario]:
    return [
        Scenario(
            f"{rate:g} requests/s, {name}", FAULTS[name][0], Service(per_second=rate, fault=FAULTS[name][1]), steps
        )
        for rate in (1.0, 10.0)
        for name in ("same version", "errors x10")
    ]


def _luck() -> list[Scenario]:
    """Where luck or a sick pod speaks; the past was calm but for the pods that are known to be sick."""
    lasting = {"errors x2": FAULTS["errors x2"], "same version": FAULTS["same version"]}
    made = []
    for name, world in SHOCKS.items():
        service = Service(world=world, past=calm)
        made += [
            Scenario(f"{name}, {what}", truth, replace(service, fault=fault), HALF)
            for what, (truth, fault) in lasting.items()
        ]
        made.append(Scenario(f"{name}, errors on the safety margin", HARMFUL, service, HALF, margin=SAFETY_MARGIN))
        made.append(Scenario(f"{name}, p95 +10 %: on the margin", EDGE, service, HALF, margin=LATENCY_MARGIN, part=0.5))
    for before in (300, 120):
        for what, fault in (("p95 +15 %", Fault(slower=1.15)), ("errors x2", Fault(errors=2.0))):
            late = Service(fault=replace(fault, from_s=LONG_BAKE[0].bake_s - before))
            made.append(Scenario(f"{what} {before / 60:.0f} min before the end of 21", HARMFUL, late, LONG_BAKE))
    made.append(Scenario("same version, a bake of 21 min", WITHIN, steps=LONG_BAKE))
    made += [
        Scenario(f"{name}, same version", WITHIN, Service(world=world, past=calm)) for name, world in STORMS.items()
    ]
    return [*made, *_sick()]


def _sick() -> list[Scenario]:
    world = Sick()
    name, service = "a sick pod of 20", Service(world=world, stable_pods=world.pods, by_pod=True)
    five = replace(service, fault=Fault(errors=5 * world.mean))
    return [
        Scenario(f"{name}, same version", WITHIN, service),
        Scenario(f"{name}, errors x5", HARMFUL, five),
        Scenario(f"{name}, errors on the harm margin", WITHIN, service, margin=HARM_MARGIN),
        Scenario(f"{name}, errors on the safety margin", HARMFUL, service, margin=SAFETY_MARGIN),
    ]


def scenarios() -> dict[str, list[Scenario]]:
    """All of them, by table: on the default ramp, where only ours plays, and on one step, where the rivals play too.

    And a third, where only ours plays: luck and sick pods.
    """
    late = Scenario("x10 after 30 good minutes", HARMFUL, Service(fault=Fault(errors=10.0, from_s=1800)), LONG)
    quarter = 0.25
    both = {
        table: [*_plain(steps), *_worlds(steps), *_shapes(steps), *_quiet(steps)]
        for table, steps in (("ramp", RAMP), ("single", SINGLE))
    }
    ramp = [
        replace(one, part=quarter) if _endless(one) else one
        for one in [*both["ramp"], *_turning(), *_slow_ramp(), *_moody()]
    ]
    single = [replace(one, part=quarter) for one in [*both["single"], late]]
    return {"ramp": ramp, "single": single, "luck": _luck()}


def _endless(one: Scenario) -> bool:
    """Whether its releases mostly end undecided after an hour."""
    low = one.service.per_second <= 10 and one.truth == WITHIN
    coarse = one.service.edges is not ALIGNED and (one.truth == WITHIN or one.service.edges is PROMETHEUS)
    return one.margin in (LATENCY_MARGIN, SAFETY_MARGIN) or low or coarse or one.service.per_second < 10
