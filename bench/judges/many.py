"""Thousands of releases at once, for rates too small for the tournament: how often is one that must not be wrong, wrong?

The bets, e-values, mixtures and budgets are the judge's own, fed with arrays of releases; only the loop around them is
another, and a test holds it against the judge. The weights change by the clock, so that all releases share one.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator
from scipy.stats import beta as beta_law  # type: ignore[import-untyped]

from bench.judges.ours import planned
from bench.judges.past import past
from bench.judges.scenarios import RAMP, SINGLE, SLOW_RAMP, Scenario
from bench.judges.service import Service
from bench.judges.world import BASE_ERRORS, SCRAPE_S, Array
from glidepath.judge import Plan, StepSettings
from glidepath.judge.base import Base
from glidepath.judge.bets import HARM_SPREAD_S, SAFETY_SPREAD_S, SAFETY_WEIGHTS, Bets, harm_shares, spread
from glidepath.judge.cap import Cap
from glidepath.judge.edges import Nulls, cornered
from glidepath.judge.gains import gained
from glidepath.judge.judge import SUSPICIOUS
from glidepath.judge.metrics import kind_of
from glidepath.judge.mixture import Mixture
from glidepath.judge.plan import MetricPlan
from glidepath.judge.process import SAFETY_LATER, SAFETY_START, safety_ceiling

CHUNK = 500
LEVEL = 0.95


@dataclass(frozen=True)
class Null:
    """One way of being where a word is wrong.

    Attributes:
        errors: Which error margin the canary lies on: harm, safety, or none.
        slower: Whether its latency lies on the margin.
        drift: Whether a day of traffic, errors and latency is squeezed into two hours.
        steps: The weights.
        rollback, promotion: Which words are wrong.
    """

    name: str
    errors: str
    slower: bool
    drift: bool
    steps: tuple[StepSettings, ...]
    rollback: bool
    promotion: bool


@dataclass(frozen=True)
class Told:
    """How often it was wrong, with the upper end of a 95 % interval (Clopper and Pearson); None where it can't be."""

    name: str
    releases: int
    rolled_back: float | None
    rolled_back_most: float | None
    promoted: float | None
    promoted_most: float | None


class Metric:
    """One metric of many releases; MetricProcess for arrays."""

    def __init__(self, plan: MetricPlan, alpha: float, beta: float, changes: int, releases: int) -> None:
        self.plan, self.bets = plan, Bets(plan)
        self.shape = (releases, len(plan.questions))
        self.start, self.changed, self.spread = harm_shares(changes)
        self.harm = Mixture(kind_of(plan.settings).harm_weights, self.shape)
        self.budget, self.ceiling = Cap(self.bets.needed(alpha, beta)), safety_ceiling(beta)
        self.harm.start(self.start)
        self.since_start = 0.0
        self.base = Base(np.full((releases, 1, 1), plan.base))
        self.restart()

    def restart(self) -> None:
        """Safety starts afresh."""
        self.safety = Mixture(SAFETY_WEIGHTS, self.shape, self.ceiling)
        self.safety.start(SAFETY_START)
        self.since_step = 0.0

    def change(self) -> None:
        """Another weight."""
        self.harm.start(self.changed)
        self.restart()

    def feed(self, n: Array, m: Array, x: Array, y: Array) -> None:
        """Take in a scrape: requests and events of the canary and the stable, shaped (releases,)."""
        sizes = [np.asarray(one, dtype=np.float64)[:, None, None] for one in (n, m, x, y)]
        gains = gained(self.bets, self.base, *sizes)[0] / self.plan.phi
        until, here = self.since_start + SCRAPE_S, self.since_step + SCRAPE_S
        self.harm.start(spread(self.spread, HARM_SPREAD_S, self.since_start, until))
        self.safety.start(spread(SAFETY_LATER, SAFETY_SPREAD_S, self.since_step, here))
        counted = self.budget.spend(gains, SCRAPE_S)
        self.harm.multiply(counted[..., self.bets.harm])
        self.safety.multiply(counted[..., self.bets.safety])
        self.since_start, self.since_step = until, here
        self.base.see(sizes[1], sizes[3], SCRAPE_S)

    def evidence(self) -> tuple[Array, Array]:
        """Log evidence of harm and of safety, shaped (releases,)."""
        return (
            self.harm.log_evidence()[:, self.plan.harm],
            self.safety.log_evidence()[:, self.plan.safety],
        )


class Quantile:
    """A quantile of many releases; `Edges` for arrays."""

    def __init__(
        self, plan: MetricPlan, edges: tuple[float, ...], alpha: float, beta: float, changes: int, releases: int
    ) -> None:
        asked = alpha, beta, changes, releases
        self.parts = [Metric(one, *asked) for one in plan.parts]
        self.corners = [tuple(Metric(one, *asked) for one in cornered(part)) for part in plan.parts]
        self.nulls = Nulls(plan, edges, (releases,))

    def feed(self, stable: Array, canary: Array) -> None:
        """Take in a scrape: the arms' cumulative bucket counts, shaped (releases, buckets)."""
        for one, others, null in zip(self.parts, self.corners, self.nulls.now(), strict=True):
            one.bets.follow(null.margins, null.slopes)
            for other, line in zip(others, null.corners(one.plan.safety) if others else (), strict=True):
                other.bets.follow(*line)
        for one in self.every():
            n, m = canary[:, -1], stable[:, -1]
            one.feed(n, m, n - canary[:, one.plan.edge], m - stable[:, one.plan.edge])
        self.nulls.see(stable, SCRAPE_S)

    def every(self) -> list[Metric]:
        """The edges' metrics, and those of the lines to the corners."""
        return [*self.parts, *(one for others in self.corners for one in others)]

    def change(self) -> None:
        """Another weight."""
        for one in self.every():
            one.change()

    def evidence(self) -> tuple[Array, Array]:
        """Log evidence of harm and of safety, shaped (releases,)."""
        told = [one.evidence() for one in self.parts]
        harms = [harm + math.log(one.plan.weight) for one, (harm, _) in zip(self.parts, told, strict=True)]
        safe = [one.evidence()[1] for one in self.every() if one.plan.safety >= 0]
        return np.logaddexp.reduce(harms, axis=0), np.min(safe, axis=0)


def judged(null: Null, plan: Plan, random: Generator, releases: int, hours: float) -> tuple[int, int]:
    """How many of so many releases are taken back, and how many promoted."""
    service, settings = Service(), plan.settings
    alpha = settings.alpha / len(plan.metrics)
    rates, quantile = plan.metrics
    asked = alpha, settings.beta, len(null.steps) - 1, releases
    errors, latency = Metric(rates, *asked), Quantile(quantile, plan.edges, *asked)
    phase = random.random(releases)
    back, promoted = np.zeros(releases, bool), np.zeros(releases, bool)
    for at, weight, last, changed in clock(null.steps, hours):
        if changed:
            errors.change()
            latency.change()
        n, m, x, y, stable, canary = scrape(null, plan, service, random, phase, at, weight)
        errors.feed(n, m, x, y)
        latency.feed(stable, canary)
        told = [one.evidence() for one in (errors, latency)]
        harm, safe = np.max([one[0] for one in told], axis=0), np.min([one[1] for one in told], axis=0)
        open_ = ~back & ~promoted
        back |= open_ & (harm >= -math.log(alpha))
        proven = (safe >= -math.log(settings.beta)) & (harm < math.log(SUSPICIOUS))
        promoted |= open_ & ~back & proven & last
    return int(back.sum()), int(promoted.sum())


def clock(steps: tuple[StepSettings, ...], hours: float) -> Iterator[tuple[float, int, bool, bool]]:
    """Scrape by scrape: seconds at its start, weight, whether the last bake is over, whether the weight has just changed."""
    at = since = 0.0
    step = 0
    while at < 3600 * hours:
        changed = step < len(steps) - 1 and since >= steps[step].bake_s
        if changed:
            step, since = step + 1, 0.0
        since += SCRAPE_S
        yield at, steps[step].weight, step == len(steps) - 1 and since >= steps[step].bake_s, changed
        at += SCRAPE_S


def scrape(
    null: Null, plan: Plan, service: Service, random: Generator, phase: Array, at: float, weight: int
) -> tuple[Array, Array, Array, Array, Array, Array]:
    """A scrape's counts of many releases: requests and errors of canary and stable, and their cumulative bucket counts."""
    turn = 2 * np.pi * (at / 7200 + phase) if null.drift else np.zeros(len(phase))
    swing = np.sin(turn) if null.drift else np.zeros(len(phase))
    rate, share, slower = (
        np.exp(0.55 * np.cos(turn) * null.drift),
        np.exp(0.55 * swing),
        np.exp(0.18 * np.round(swing, 1)),
    )
    total = random.poisson(rate * service.per_second * SCRAPE_S)
    n = random.binomial(total, weight / 100)
    m = total - n
    rates, latency = plan.metrics
    more = {"harm": rates.limit, "safety": rates.safe_limit, "": 0.0}[null.errors]
    x, y = random.binomial(n, BASE_ERRORS * share + more), random.binomial(m, BASE_ERRORS * share)
    edges = np.array(plan.edges)
    below = [
        random.multinomial(good, service.shape.buckets(edges, own)).cumsum(axis=-1).astype(np.float64)
        for good, own in ((m - y, slower), (n - x, slower * (latency.limit if null.slower else 1.0)))
    ]
    return n, m, x, y, below[0], below[1]


def nulls() -> Iterator[Null]:
    """All of them."""
    for steps, ramp in ((RAMP, "ramp 5-25-50"), (SLOW_RAMP, "ramp 1-5-25-50"), (SINGLE, "one step of 10 %")):
        for drift in (False, True):
            where = f"{ramp}{', daily drift' if drift else ''}"
            yield Null(f"same version, {where}", "", False, drift, steps, True, False)
            yield Null(f"errors on the harm margin, {where}", "harm", False, drift, steps, True, False)
            yield Null(f"errors on the safety margin, {where}", "safety", False, drift, steps, False, True)
            yield Null(f"p95 on the margin, {where}", "", True, drift, steps, True, True)


def told(null: Null, releases: int, hours: float, seed: int) -> Told:
    """Play one null."""
    back = promoted = played = 0
    for chunk in range(-(-releases // CHUNK)):
        random = np.random.default_rng([seed, chunk, *null.name.encode()])
        scenario = Scenario(null.name, "", steps=null.steps)
        plan = planned(scenario, past(scenario.service, random), by_pod=False)
        ends = judged(null, plan, random, min(CHUNK, releases - played), hours)
        back, promoted, played = back + ends[0], promoted + ends[1], min(releases, played + CHUNK)
    return Told(
        null.name, releases,
        back / releases if null.rollback else None, _most(back, releases) if null.rollback else None,
        promoted / releases if null.promotion else None, _most(promoted, releases) if null.promotion else None,
    )  # fmt: skip


def _most(wrong: int, of: int) -> float:
    return float(beta_law.ppf(1 - (1 - LEVEL) / 2, wrong + 1, of - wrong)) if wrong < of else 1.0


def table(all_: list[Told]) -> Iterator[str]:
    """As Markdown."""
    yield "| canary, for an hour | releases | wrongly rolled back | at most | wrongly promoted | at most |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for one in all_:
        shares = (one.rolled_back, one.rolled_back_most, one.promoted, one.promoted_most)
        yield f"| {one.name} | {one.releases:,} | {' | '.join('' if s is None else f'{s:.2%}' for s in shares)} |"


def main() -> None:
    """Play, print, write the JSON."""
    parser = argparse.ArgumentParser(prog="python -m bench.judges.many", description=__doc__)
    parser.add_argument("--releases", type=int, default=2000)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    started, all_ = time.monotonic(), []
    for null in nulls():
        all_.append(told(null, asked.releases, asked.hours, asked.seed))
        print(f"{time.monotonic() - started:4.0f} s  {asdict(all_[-1])}", flush=True)
    print("\n".join(table(all_)))
    if asked.json is not None:
        asked.json.parent.mkdir(parents=True, exist_ok=True)
        values = {"hours": asked.hours, "seed": asked.seed, "nulls": [asdict(one) for one in all_]}
        asked.json.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
