"""What is judged: harms of every kind, and the world's worse habits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from numpy.random import Generator

from bench.judges.service import (
    Fault,
    Service,
)
from bench.judges.shocks import Shock, Sick
from bench.judges.world import (
    ALIGNED,
    BASE_ERRORS,
    BIMODAL,
    COARSE,
    NORMAL,
    PROMETHEUS,
    SCRAPE_S,
    STOCK,
    STOCK_SHAPES,
    TAILED,
    Conditions,
    calm,
)
from bench.judges.worlds import (
    Blip,
    Jump,
    Moods,
    bursts,
    drift,
    missing,
    neighbour,
    restarts,
    slow_start,
    step_change,
)
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
# The latency leaves the edges behind that the release was planned at: a world, and how much slower the canary is.
JUMPS = {
    "both 10x slower, p95 +12 %": (Jump(10.0), 1.12),
    "both 3x quicker, p95 +30 %": (Jump(1 / 3), 1.30),
    "both 3x slower, p95 +15 %": (Jump(3.0), 1.15),
}
WORST, SLOW = "a sick pod of 20", "a slow pod of 8"
SICK = {
    WORST: Sick(),
    SLOW: Sick(8, errors=1.0, slower=2.0),
    "a sick pod of 4": Sick(4, errors=3.0),
    "a sick pod of 2": Sick(2),
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
    for name, (world, slower) in JUMPS.items():
        shape = Service(world=world, past=calm, fault=Fault(slower=slower))
        made.append(Scenario(name, HARMFUL, shape, HALF))
        made.append(Scenario(f"{name}, Prometheus' buckets", HARMFUL, replace(shape, edges=PROMETHEUS), HALF))
    made.append(Scenario("same version, a bake of 21 min", WITHIN, steps=LONG_BAKE))
    made += [
        Scenario(f"{name}, same version", WITHIN, Service(world=world, past=calm)) for name, world in STORMS.items()
    ]
    return [*made, *_sick()]


def _stock() -> list[Scenario]:
    """On layouts that nobody configured; where these services are, Istio's edges are Prometheus'."""
    made = []
    for layout in ("Prometheus", "OpenTelemetry"):
        edges = STOCK[layout]
        for name, shape in STOCK_SHAPES.items():
            own = Service(shape=shape, edges=edges)
            made.append(Scenario(f"{layout}: {name}, same version", WITHIN, own, part=0.5))
            for told, slower in (("+15 %", 1.15), ("+30 %", 1.30), ("x2", 2.0)):
                bad = replace(own, fault=Fault(slower=slower))
                made.append(Scenario(f"{layout}: {name}, p95 {told}", HARMFUL, bad, part=0.5))
    return made


def _sick() -> list[Scenario]:
    made = []
    for name, world in SICK.items():
        service = Service(world=world, stable_pods=world.pods, by_pod=True)
        five = replace(service, fault=Fault(errors=5 * world.mean))
        made += [Scenario(f"{name}, same version", WITHIN, service), Scenario(f"{name}, errors x5", HARMFUL, five)]
    every = Service(world=SICK[WORST], stable_pods=SICK[WORST].pods, by_pod=True)
    slow = Service(world=SICK[SLOW], stable_pods=SICK[SLOW].pods, by_pod=True, fault=Fault(slower=1.6))
    return [
        *made,
        Scenario(f"{WORST}, errors on the harm margin", WITHIN, every, margin=HARM_MARGIN),
        Scenario(f"{WORST}, errors on the safety margin", HARMFUL, every, margin=SAFETY_MARGIN),
        Scenario(f"{SLOW}, p95 x1.6", HARMFUL, slow),
    ]


def scenarios() -> dict[str, list[Scenario]]:
    """All of them, by table: on the default ramp, where only ours plays, and on one step, where the rivals play too.

    And two where only ours plays: luck and sick pods; and stock buckets.
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
    return {"ramp": ramp, "single": single, "luck": _luck(), "stock": _stock()}


def _endless(one: Scenario) -> bool:
    """Whether its releases mostly end undecided after an hour."""
    low = one.service.per_second <= 10 and one.truth == WITHIN
    return one.margin in (LATENCY_MARGIN, SAFETY_MARGIN) or low or one.service.per_second < 10
