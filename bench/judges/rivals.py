"""The rivals' rules, re-implemented from what they publish, each as its guide advises and as favourably as possible.

None of this is the rivals' code, and none of their other virtues is measured: only the rule that decides. What "as
favourably as possible" means is chosen by `python -m bench.judges.favour`, with the scenarios' truth in hand.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from bench.judges.service import Scrapes
from bench.judges.world import SCRAPE_S, Array
from glidepath.judge import Plan
from glidepath.judge.plan import MetricPlan

# Kayenta's classifier: Mann-Whitney at 98 %, a quarter of its own estimate as tolerance.
CONFIDENCE, TOLERANCE = 0.98, 0.25
NAIVE_ALPHA, NAIVE_EVENTS = 0.01, 10


@dataclass(frozen=True)
class Threshold:
    """Flagger's and Argo Rollouts' rule: so many failed checks, and it goes back.

    Attributes:
        check_s: A check every so many seconds, over as many.
        failures: How many failed checks end it: Flagger's `threshold`, Argo's `failureLimit` plus one.
        success: Smallest share of successes that is good.
        latency: Per quantile, the largest that is good: seconds, or times the stable's own where `relative`.
        relative: See latency; the quantiles are then the policy's.
        together: Flagger counts a check as failed when any metric is bad; Argo Rollouts counts per metric.
    """

    check_s: float
    failures: int
    success: float
    latency: float | None = None
    relative: bool = False
    together: bool = True


@dataclass(frozen=True)
class Compared:
    """Kayenta's rule: points of so many seconds, looked at so often once there are enough.

    Attributes:
        point_s: Length of a point.
        first_s: The first look; look_s: between looks.
    """

    point_s: float
    first_s: float
    look_s: float


# Flagger's guide on metrics: 99 % success, p99 of 500 ms, checks of a minute; threshold 5 as in its tutorials.
# Argo Rollouts' guide on analysis: 95 % success, every 5 minutes, failureLimit 3; no latency.
# Kayenta's guide: runs of an hour, three of them, at least 50 points each; our releases last an hour.
ADVISED: dict[str, Threshold | Compared] = {
    "kayenta": Compared(60.0, 3600.0, 3600.0),
    "flagger": Threshold(60.0, 5, 0.99, latency=0.5),
    "argo": Threshold(300.0, 4, 0.95, together=False),
}
# Flagger's and Argo's best settings are the same.
FAVOURED: dict[str, Threshold | Compared] = {
    "kayenta*": Compared(20.0, 1000.0, 300.0),
    "threshold*": Threshold(300.0, 1, 0.99, latency=1.15, relative=True),
}
FLAGGER_QUANTILE = 0.99


@dataclass(frozen=True)
class Seen:
    """What a rival's queries can see of a release at one weight, scrape by scrape.

    Attributes:
        scrapes: The counts.
        edges: The histogram's edges, seconds.
        own: Per quantile that the policy judges, the stable's own at plan time, seconds.
        plan: Our plan: the naive test asks the same questions.
    """

    scrapes: Scrapes
    edges: Array
    own: dict[float, float]
    plan: Plan

    def windows(self, seconds: float, arm: int) -> tuple[Array, Array, Array]:
        """Requests, errors and bucket counts in consecutive windows."""
        size = round(seconds / SCRAPE_S)
        count = len(self.scrapes.lost) // size
        requests, errors = (
            one[: count * size, arm].reshape(count, size).sum(axis=1).astype(np.float64)
            for one in (self.scrapes.requests, self.scrapes.errors)
        )
        buckets = self.scrapes.buckets[: count * size, arm].reshape(count, size, -1).sum(axis=1)
        return requests, errors, buckets.astype(np.float64)


def told(seen: Seen, random: np.random.Generator, weight: int) -> dict[str, float | None]:
    """When each rival takes the canary back, seconds; None where it doesn't."""
    told: dict[str, float | None] = {}
    for name, rule in {**ADVISED, **FAVOURED}.items():
        told[name] = threshold(seen, rule) if isinstance(rule, Threshold) else kayenta(seen, rule, random, weight)
    return {**told, "naive z": naive(seen)}


def threshold(seen: Seen, rule: Threshold) -> float | None:
    """Flagger's and Argo Rollouts' rule. A check without requests doesn't fail."""
    requests, errors, buckets = seen.windows(rule.check_s, 1)
    bad = [errors > (1 - rule.success) * requests]
    if rule.latency is not None:
        limits = (
            {q: rule.latency * own for q, own in seen.own.items()}
            if rule.relative
            else {FLAGGER_QUANTILE: rule.latency}
        )
        bad += [np.nan_to_num(quantiles(buckets, seen.edges, q), nan=0.0) > limit for q, limit in limits.items()]
    counted = np.any(bad, axis=0)[None, :] if rule.together else np.array(bad)
    reached = (np.cumsum(counted, axis=1) >= rule.failures).any(axis=0)
    return float((np.argmax(reached) + 1) * rule.check_s) if reached.any() else None


def kayenta(seen: Seen, rule: Compared, random: np.random.Generator, weight: int) -> float | None:
    """Kayenta's rule: Mann-Whitney's interval of the shift, beyond a quarter of its own estimate.

    The baseline is as large as the canary, as its guide wants it: drawn out of the stable's requests.
    """
    arms = []
    for arm in (0, 1):
        requests, errors, buckets = seen.windows(rule.point_s, arm)
        if arm == 0 and weight < 50:
            share = weight / (100 - weight)
            buckets = random.binomial(buckets.astype(np.int64), share).astype(np.float64)
            errors = random.binomial(errors.astype(np.int64), share).astype(np.float64)
            requests = buckets.sum(axis=1) + errors
        series = [np.divide(errors, requests, out=np.full_like(errors, np.nan), where=requests > 0)]
        series += [quantiles(buckets, seen.edges, q) for q in seen.own]
        arms.append(series)
    points, every = round(rule.first_s / rule.point_s), round(rule.look_s / rule.point_s)
    for until in range(points, len(arms[0][0]) + 1, every):
        if any(_high(canary[:until], stable[:until]) for stable, canary in zip(*arms, strict=True)):
            return until * rule.point_s
    return None


def naive(seen: Seen) -> float | None:
    """A two-proportion z-test on all counts so far, at every scrape, on our own questions. Seconds, or None."""
    z = NormalDist().inv_cdf(1 - NAIVE_ALPHA / len(seen.plan.metrics))
    found = [_first(_peeked(seen, metric, z)) for metric in seen.plan.metrics if metric.harm >= 0]
    times = [one for one in found if one is not None]
    return min(times) if times else None


def quantiles(buckets: Array, edges: Array, q: float) -> Array:
    """Quantiles as Prometheus' histogram_quantile gives them: linear within a bucket, the last edge beyond it; NaN for none.

    Args:
        buckets: Counts, shaped (windows, edges + 1).
        edges: Finite edges, seconds.
        q: Which quantile.
    """
    below = np.cumsum(buckets, axis=1)
    total = below[:, -1]
    place = np.argmax(below >= q * total[:, None], axis=1)
    lower_edges, row = np.concatenate([[0.0], edges]), np.arange(len(buckets))
    inside = np.minimum(place, len(edges) - 1)
    before = np.where(inside > 0, below[row, inside - 1], 0.0)
    width = edges[inside] - lower_edges[inside]
    count = np.maximum(below[row, inside] - before, 1e-9)
    value = np.where(place < len(edges), lower_edges[inside] + width * (q * total - before) / count, edges[-1])
    return np.where(total > 0, value, np.nan)


def _high(canary: Array, stable: Array) -> bool:
    """Whether Kayenta's classifier says "High": the interval of the shift lies above a quarter of the estimate."""
    x, y = canary[~np.isnan(canary)], stable[~np.isnan(stable)]
    if len(x) == 0 or len(y) == 0 or len(np.unique(np.concatenate([x, y]))) == 1:
        return False
    shifts = np.sort((x[:, None] - y[None, :]).ravel())
    z = NormalDist().inv_cdf(0.5 + CONFIDENCE / 2)
    spread = math.sqrt(len(x) * len(y) * (len(x) + len(y) + 1) / 12)
    lowest = shifts[max(0, math.floor(len(shifts) / 2 - z * spread))]
    return bool(lowest > TOLERANCE * abs(float(np.median(shifts))))


def _peeked(seen: Seen, metric: MetricPlan, z: float) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    harm = metric.questions[metric.harm]
    counts = []
    for arm, edge in ((0, metric.edge), (1, harm.edge)):
        if metric.edge < 0:
            all_, bad = seen.scrapes.requests[:, arm], seen.scrapes.errors[:, arm]
        else:
            buckets = seen.scrapes.buckets[:, arm]
            all_, bad = buckets.sum(axis=1), buckets[:, edge + 1 :].sum(axis=1)
        counts.append((np.cumsum(all_).astype(np.float64), np.cumsum(bad).astype(np.float64)))
    (m, y), (n, x) = counts
    pooled = (x + y) / np.maximum(n + m, 1)
    spread = np.sqrt(np.maximum(pooled * (1 - pooled), 1e-12) * (1 / np.maximum(n, 1) + 1 / np.maximum(m, 1)))
    enough = (x + y >= NAIVE_EVENTS) & (n > 0) & (m > 0)
    return enough & ((x / np.maximum(n, 1) - y / np.maximum(m, 1) - harm.margin) / spread > z)


def _first(there: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float | None:
    return float((np.argmax(there) + 1) * SCRAPE_S) if there.any() else None


def own_quantiles(plan: Plan, past: tuple[int, ...], edges: Array) -> dict[float, float]:
    """Per quantile that the policy judges, the stable's own, seconds."""
    counts = np.asarray(past, dtype=np.float64)[None, :]
    latency = [one.settings for one in plan.metrics if one.settings.kind == "latency"]
    return {one.quantile: float(quantiles(counts, edges, one.quantile)[0]) for one in latency}
