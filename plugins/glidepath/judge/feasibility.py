"""What a policy can achieve at a given traffic, told before the canary gets any."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from glidepath.judge.evalue import Array, log_e
from glidepath.judge.expectations import Expectation, Feasibility, duration
from glidepath.judge.metrics import kind_of
from glidepath.judge.moods import slowed
from glidepath.judge.plan import MetricPlan
from glidepath.judge.settings import Settings

# What the bets' weights and their late start cost, in log units: taken from the share of the best bet.
HARM_COST = -math.log(0.2 * 0.4)
SAFETY_COST = -math.log(0.6 * 0.8)


def growth(
    metric: MetricPlan, shares: tuple[float, float], per_second: float, c: float, s: float, d: float, needed: float
) -> float:
    """Expected gain in a second, when (c, s) is bet on and true.

    Args:
        metric: With its over-dispersion and the moods of pods; the canary is thought to have as many pods as fit
            its share of the traffic.
        shares: The canary's and the stable's share of all requests; per_second: all of them.
        d: The null's margin.
        needed: Log evidence that is needed.
    """
    n, m = (share * per_second for share in shares)
    rate = float(growths(n, m, np.array(d), np.array(c), np.array(s)))
    if not metric.moods:
        return rate / metric.phi
    pods = max(1, math.ceil(metric.pods * shares[0] / max(shares[1], shares[0])))
    return slowed(rate, metric.moods, effect(c, s, d), pods, metric.pods, needed)


def effect(c: float, s: float, d: float) -> float:
    """Logarithm of the ratio between the canary's rate of events and the most (or least) that the null allows; of the rarer."""
    return math.log(c / (s + d)) if s <= 0.5 else math.log((1.0 - c) / (1.0 - s - d))


def growths(n: float, m: float, d: Array, c: Array, s: Array) -> Array:
    """Expected gains of several questions, each when its (c, s) is bet on and true."""
    return log_e(n, m, n * c, m * s, d, c, s)


def feasible(settings: Settings, metrics: Sequence[MetricPlan], per_second: float) -> Feasibility:
    """What to expect.

    Args:
        settings: The policy's.
        metrics: With their margins, as `plan_judgement` fixed them.
        per_second: Requests a second, both arms together.
    """
    deciders = [one for one in metrics if one.settings.decides]
    log_harm = math.log(len(deciders) / settings.alpha)
    limits = tuple(kind_of(one.settings).limits_told(one, (one.rest or one).safe_limit) for one in metrics)
    warnings = [f"{one.settings.name}: {one.note}" for one in metrics if one.note]
    promoted = _promoted(settings, metrics, per_second)
    expectations = [Expectation("a comparable version is promoted", promoted)]
    for one in deciders:
        for what, canary in kind_of(one.settings).harms(one):
            seconds = _found(one, canary, settings, per_second, log_harm)
            expectations.append(Expectation(f"{what} taken back", seconds))
    if promoted is None or promoted > settings.deadline_s:
        more = "more pods, for single ones differ" if any(one.moods for one in metrics) else "more traffic"
        warnings.append(
            f"a comparable version needs {duration(promoted)}, max_duration is {duration(settings.deadline_s)}: give more "
            f"time, a larger last weight, wider safety margins, or {more}"
        )
    return Feasibility(per_second, limits, tuple(expectations), tuple(warnings))


def _promoted(settings: Settings, metrics: Sequence[MetricPlan], per_second: float) -> float | None:
    """Seconds until a version like the stable one is promoted; None when it never is."""
    critical = [one.rest or one for one in metrics if one.settings.role == "critical"]
    proofs = [_proof(one, settings, per_second) for one in critical]
    known = [one for one in proofs if one is not None]
    if not known or len(known) < len(proofs):
        return None
    climb = sum(step.bake_s for step in settings.steps[:-1])
    return climb + max(settings.steps[-1].bake_s, *known)


def _proof(metric: MetricPlan, settings: Settings, per_second: float) -> float | None:
    """Seconds at the last weight until a canary like the stable is proven comparable."""
    if metric.safety < 0:
        return None
    row = metric.questions[metric.safety]
    shares, needed = settings.shares(settings.steps[-1].weight), math.log(1 / settings.beta) + SAFETY_COST
    slowest = 0.0
    for side in metric.sides:
        # The lower side is the upper one of the complement.
        base = metric.base if side == "above" else 1.0 - metric.base
        rate = growth(metric, shares, per_second, base * row.tail, base, row.margin, needed)
        if rate <= 0:
            return None
        slowest = max(slowest, needed / rate)
    return slowest


def _found(metric: MetricPlan, canary: float, settings: Settings, per_second: float, log_harm: float) -> float | None:
    """Seconds until a canary's probability is proven harm, walking up the steps. Three scrapes at least: the gains' cap."""
    if metric.harm < 0:
        return None
    margin, base = metric.questions[metric.harm].margin, metric.base
    if canary < base:  # the lower side is the upper one of the complement
        canary, base = 1.0 - canary, 1.0 - base
    canary = min(canary, 1.0 - 1e-9)
    if canary <= base + margin:
        return None
    needed, spent = log_harm + HARM_COST + (math.log(2.0) if len(metric.sides) > 1 else 0.0), 0.0
    for number, step in enumerate(settings.steps):
        rate = growth(metric, settings.shares(step.weight), per_second, canary, base, margin, needed)
        if rate <= 0:
            return None
        if number == len(settings.steps) - 1 or needed / rate <= step.bake_s:
            return max(3 * settings.scrape_s, spent + needed / rate)
        needed, spent = needed - rate * step.bake_s, spent + step.bake_s
    return None
