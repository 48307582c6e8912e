"""What a policy can achieve at a given traffic, told before the canary gets any."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from glidepath.judge.evalue import Array, log_e
from glidepath.judge.moods import slowed
from glidepath.judge.settings import Settings

# What the bets' weights and their late start cost, in log units: taken from the share of the best bet.
HARM_COST = -math.log(0.2 * 0.4)
SAFETY_COST = -math.log(0.6 * 0.8)
DAY = 86400.0


@dataclass(frozen=True)
class Expectation:
    """How long something takes at this traffic: `seconds` is a mean, None when it won't be found."""

    what: str
    seconds: float | None


@dataclass(frozen=True)
class Feasibility:
    """What to expect of a release, and what stands in its way."""

    requests_per_second: float
    limits: tuple[str, ...]
    expectations: tuple[Expectation, ...]
    warnings: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """One fact a line."""
        yield from self.limits
        yield f"at {self.requests_per_second:.1f} requests a second, expected times:"
        for one in self.expectations:
            yield f"  {one.what}: {duration(one.seconds)}"

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Feasibility:
        """Back from `asdict`."""
        expectations = tuple(Expectation(**one) for one in values["expectations"])
        return cls(values["requests_per_second"], tuple(values["limits"]), expectations, tuple(values["warnings"]))


def duration(seconds: float | None) -> str:
    """Seconds as people say them."""
    if seconds is None or seconds > 30 * DAY:
        return "not within a month"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 2 * DAY else f"{seconds / DAY:.1f} days"


def growth(
    one: Mapping[str, Any], shares: tuple[float, float], per_second: float, c: float, s: float, d: float, needed: float
) -> float:
    """Expected gain in a second, when (c, s) is bet on and true.

    Args:
        one: The metric, with its over-dispersion and the moods of pods; the canary is thought to have as many pods as fit
            its share of the traffic.
        shares: The canary's and the stable's share of all requests; per_second: all of them.
        d: The null's margin.
        needed: Log evidence that is needed.
    """
    n, m = (share * per_second for share in shares)
    rate = float(growths(n, m, np.array(d), np.array(c), np.array(s)))
    if not one["moods"]:
        return rate / float(one["phi"])
    pods = max(1, math.ceil(one["pods"] * shares[0] / max(shares[1], shares[0])))
    return slowed(rate, one["moods"], effect(c, s, d), pods, one["pods"], needed)


def effect(c: float, s: float, d: float) -> float:
    """Logarithm of the ratio between the canary's rate of events and the most (or least) that the null allows; of the rarer."""
    return math.log(c / (s + d)) if s <= 0.5 else math.log((1.0 - c) / (1.0 - s - d))


def growths(n: float, m: float, d: Array, c: Array, s: Array) -> Array:
    """Expected gains of several questions, each when its (c, s) is bet on and true."""
    return log_e(n, m, n * c, m * s, d, c, s)


def feasible(settings: Settings, metrics: Iterable[Mapping[str, Any]], per_second: float) -> Feasibility:
    """What to expect.

    Args:
        settings: The policy's.
        metrics: Each metric's margins and bases, as `plan_judgement` fixed them.
        per_second: Requests a second, both arms together.
    """
    known = list(metrics)
    log_harm = math.log(sum(one["role"] != "advisory" for one in known) / settings.alpha)
    last = settings.steps[-1]
    climb = sum(step.bake_s for step in settings.steps[:-1])
    limits, warnings, proofs = [], [], []
    expectations: list[Expectation] = []
    for one in known:
        limits.append(_limit(one))
        if one["note"]:
            warnings.append(f"{one['name']}: {one['note']}")
        if one["role"] == "critical":
            proofs.append(_proof(one, settings, per_second))
    proof = None if None in proofs or not proofs else max(p for p in proofs if p is not None)
    promoted = climb + max(last.bake_s, proof) if proof is not None else None
    expectations.append(Expectation("a comparable version is promoted", promoted))
    for one in known:
        for what, canary in _harms(one) if one["role"] != "advisory" else ():
            seconds = _found(one, canary, settings, per_second, log_harm)
            expectations.append(Expectation(f"{what} taken back", seconds))
    if promoted is None or promoted > settings.deadline_s:
        more = "more pods, for single ones differ" if any(one["moods"] for one in known) else "more traffic"
        warnings.append(
            f"a comparable version needs {duration(promoted)}, max_duration is {duration(settings.deadline_s)}: give more "
            f"time, a larger last weight, wider safety margins, or {more}"
        )
    return Feasibility(per_second, tuple(limits), tuple(expectations), tuple(warnings))


def _limit(one: Mapping[str, Any]) -> str:
    if one["kind"] == "latency":
        return f"{one['name']}: harm beyond x{one['limit']:.3f}, comparable below x{one['safe_limit']:.3f}"
    sign, within = {("above",): ("+", "below"), ("below",): ("-", "above")}.get(tuple(one["sides"]), ("±", "within"))
    return (
        f"{one['name']}: stable {100 * one['base']:.3g} %; harm beyond {sign}{100 * one['limit']:.3g} points, "
        f"comparable {within} {sign}{100 * one['safe_limit']:.3g} points"
    )


def _harms(one: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """What is told of a metric, and the canary's probability of its event then."""
    base, margin = one["base"], one["harm_margin"]
    if one["kind"] == "errors":
        for factor in (2.0, 10.0):
            yield f"{one['name']} x{factor:g}", min(0.9, factor * base)
    elif one["kind"] == "share":
        for side in one["sides"] if margin is not None else ():
            off = base + 2 * margin if side == "above" else base - 2 * margin
            yield f"{one['name']} {200 * margin:.3g} points {'more' if side == 'above' else 'less'}", off
    elif margin is not None:
        # A tail that falls as a power through (l, 1) and (limit l, tail): a factor moves it along.
        steepness = -math.log(one["harm_tail"]) / math.log(one["limit"]) if 0 < one["harm_tail"] < 1 else 4.0
        for factor in (1.15, 1.30):
            yield f"{one['name']} +{100 * (factor - 1):.0f} %", min(0.9, base * (factor / one["limit"]) ** steepness)
    else:
        for factor in (1.15, 1.30):
            yield f"{one['name']} +{100 * (factor - 1):.0f} %", base


def _proof(one: Mapping[str, Any], settings: Settings, per_second: float) -> float | None:
    """Seconds at the last weight until a canary like the stable is proven comparable."""
    margin = one["safety_margin"]
    if margin is None:
        return None
    if not one["sides"]:
        return 0.0
    shares, needed = settings.shares(settings.steps[-1].weight), math.log(1 / settings.beta) + SAFETY_COST
    slowest = 0.0
    for side in one["sides"]:
        # The lower side is the upper one of the complement.
        base = one["safety_base"] if side == "above" else 1.0 - one["safety_base"]
        canary = base * (one["safety_tail"] if one["kind"] == "latency" else 1.0)
        rate = growth(one, shares, per_second, canary, base, margin, needed)
        if rate <= 0:
            return None
        slowest = max(slowest, needed / rate)
    return slowest


def _found(
    one: Mapping[str, Any],
    canary: float,
    settings: Settings,
    per_second: float,
    log_harm: float,
) -> float | None:
    """Seconds until a canary's probability is proven harm, walking up the steps. Three scrapes at least: the gains' cap."""
    margin, base = one["harm_margin"], one["base"]
    if margin is None:
        return None
    if canary < base:  # the lower side is the upper one of the complement
        canary, base = 1.0 - canary, 1.0 - base
    canary = min(canary, 1.0 - 1e-9)
    if canary <= base + margin:
        return None
    needed, spent = log_harm + HARM_COST + (math.log(2.0) if len(one["sides"]) > 1 else 0.0), 0.0
    for number, step in enumerate(settings.steps):
        rate = growth(one, settings.shares(step.weight), per_second, canary, base, margin, needed)
        if rate <= 0:
            return None
        if number == len(settings.steps) - 1 or needed / rate <= step.bake_s:
            return max(3 * settings.scrape_s, spent + needed / rate)
        needed, spent = needed - rate * step.bake_s, spent + step.bake_s
    return None
