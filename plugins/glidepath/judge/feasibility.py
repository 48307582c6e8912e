"""What a policy can achieve at a given traffic, told before the canary gets any."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

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


class Comparable(NamedTuple):
    """A bet, and the null it is made against.

    Attributes:
        margin, slope: The null's: p_c = slope p_s + margin.
        canary, stable: The probabilities that are bet on.
    """

    margin: float
    slope: float
    canary: float
    stable: float


def growth(metric: MetricPlan, shares: tuple[float, float], per_second: float, bet: Comparable, needed: float) -> float:
    """Expected gain in a second, when what is bet on is true.

    Args:
        metric: With its over-dispersion and the moods of pods; the canary is thought to have as many pods as fit
            its share of the traffic.
        shares: The canary's and the stable's share of all requests; per_second: all of them.
        bet: The bet.
        needed: Log evidence that is needed.
    """
    n, m = (share * per_second for share in shares)
    rate = float(growths(n, m, [bet])[0])
    if not metric.moods:
        return rate / metric.phi
    pods = max(1, math.ceil(metric.pods * shares[0] / max(shares[1], shares[0])))
    return slowed(rate, metric.moods, effect(bet), pods, metric.pods, needed)


def effect(bet: Comparable) -> float:
    """Logarithm of the ratio between the canary's rate of events and the most (or least) that the null allows; of the rarer."""
    margin, slope, c, s = bet
    null = s + margin if slope == 1.0 else slope * s + margin
    return math.log(c / null) if s <= 0.5 else math.log((1.0 - c) / (1.0 - null))


def growths(n: float, m: float, bets: Sequence[Comparable]) -> Array:
    """Expected gains of several questions in a second, each when what is bet on is true."""
    d, b, c, s = np.array(bets, dtype=np.float64).T
    by_margin = log_e(n, m, n * c, m * s, d, c, s)
    return by_margin if (b == 1.0).all() else np.where(b == 1.0, by_margin, log_e(n, m, n * c, m * s, d, c, s, b))


def feasible(settings: Settings, metrics: Sequence[MetricPlan], per_second: float) -> Feasibility:
    """What to expect.

    Args:
        settings: The policy's.
        metrics: With their margins, as `plan_judgement` fixed them.
        per_second: Requests a second, both arms together.
    """
    deciders = [metric for metric in metrics if metric.settings.decides]
    log_harm = math.log(len(deciders) / settings.alpha)
    limits = tuple(
        kind_of(metric.settings).limits_told(metric, (metric.rest or metric).safe_limit) for metric in metrics
    )
    warnings = [f"{metric.settings.name}: {metric.note}" for metric in metrics if metric.note]
    promoted = _promoted(settings, metrics, per_second)
    expectations = [Expectation("a comparable version is promoted", promoted)]
    for metric in deciders:
        for what, seconds in _harms(metric, settings, per_second, log_harm):
            expectations.append(Expectation(f"{what} taken back", seconds))
    if promoted is None or promoted > settings.deadline_s:
        more = "more pods, for single ones differ" if any(metric.moods for metric in metrics) else "more traffic"
        warnings.append(
            f"a comparable version needs {duration(promoted)}, max_duration is {duration(settings.deadline_s)}: give more "
            f"time, a larger last weight, wider safety margins, or {more}"
        )
    return Feasibility(per_second, limits, tuple(expectations), tuple(warnings))


def _harms(
    metric: MetricPlan, settings: Settings, per_second: float, log_harm: float
) -> Iterator[tuple[str, float | None]]:
    """Harmful versions, and when the first of the metric's parts proves them so, seconds."""
    proofs: dict[str, list[float | None]] = {}
    for part in metric.asked:
        for what, canary in kind_of(part.settings).harms(part):
            seconds = _found(part, canary, settings, per_second, log_harm - math.log(part.weight))
            proofs.setdefault(what, []).append(seconds)
    for what, every in proofs.items():
        yield what, min((proof for proof in every if proof is not None), default=None)


def _promoted(settings: Settings, metrics: Sequence[MetricPlan], per_second: float) -> float | None:
    """Seconds until a version like the stable one is promoted; None when it never is."""
    critical = [metric.rest or metric for metric in metrics if metric.settings.role == "critical"]
    proofs = [_proof(part, settings, per_second) for metric in critical for part in _proven(metric)]
    known = [proof for proof in proofs if proof is not None]
    if not known or len(known) < len(proofs):
        return None
    climb = sum(step.bake_s for step in settings.steps[:-1])
    return climb + max(settings.steps[-1].bake_s, *known)


def _proven(metric: MetricPlan) -> Sequence[MetricPlan]:
    """What must be proven for a metric: its parts that are asked for safety."""
    return [part for part in metric.parts if part.safety >= 0] or [metric]


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
        rate = growth(metric, shares, per_second, Comparable(row.margin, row.slope, base * row.tail, base), needed)
        if rate <= 0:
            return None
        slowest = max(slowest, needed / rate)
    return slowest


def _found(metric: MetricPlan, canary: float, settings: Settings, per_second: float, log_harm: float) -> float | None:
    """Seconds until a canary's probability is proven harm, walking up the steps. Three scrapes at least: the gains' cap."""
    if metric.harm < 0:
        return None
    margin, base = metric.questions[metric.harm].margin, metric.base
    slope = metric.questions[metric.harm].slope
    if canary < base:  # the lower side is the upper one of the complement
        canary, base = 1.0 - canary, 1.0 - base
    canary = min(canary, 1.0 - 1e-9)
    if canary <= slope * base + margin:
        return None
    bet = Comparable(margin, slope, canary, base)
    needed, spent = log_harm + HARM_COST + (math.log(2.0) if len(metric.sides) > 1 else 0.0), 0.0
    for number, step in enumerate(settings.steps):
        rate = growth(metric, settings.shares(step.weight), per_second, bet, needed)
        if rate <= 0:
            return None
        if number == len(settings.steps) - 1 or needed / rate <= step.bake_s:
            return max(3 * settings.scrape_s, spent + needed / rate)
        needed, spent = needed - rate * step.bake_s, spent + step.bake_s
    return None
