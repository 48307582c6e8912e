"""The rivals' rules, re-implemented from what they publish, set up as their guides advise and in their favour.

None of this is the rivals' code, and none of their other virtues is measured: only the rule that decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from bench.judges.service import BASE_ERRORS, SCRAPE_S, Array, Scrapes
from glidepath.judge import Plan
from glidepath.judge.plan import MetricPlan

# Flagger's guide: at least 99 % success, checked every minute over the last one; the latency limit is ours to choose:
# the stable's quantile with our own tolerance. Argo Rollouts gets the same limits.
SUCCESS = 0.99
CHECK_S = 60.0
FLAGGER_FAILURES, ARGO_FAILURES = 5, 4  # threshold: 5; failureLimit: 3 means that the fourth ends it
# Kayenta's guide: at least 50 points a metric; 60 points of 20 s, looked at after 20, 40 and 60 minutes.
POINT_S, LOOK_S = 20.0, 1200.0
CONFIDENCE, TOLERANCE = 0.98, 0.25
NAIVE_ALPHA, NAIVE_EVENTS = 0.01, 10


@dataclass(frozen=True)
class Seen:
    """What a rival's queries can see of a release at one weight, scrape by scrape.

    Attributes:
        scrapes: The counts.
        edges: The histogram's edges, seconds.
        limits: Per quantile, the largest that is still good, seconds.
        plan: Our plan: the naive test asks the same questions.
    """

    scrapes: Scrapes
    edges: Array
    limits: dict[float, float]
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


def threshold(seen: Seen, failures: int) -> float | None:
    """Flagger's and Argo Rollouts' rule: so many failed checks, and it goes back. Seconds, or None.

    Flagger counts an iteration as failed when any metric is outside its range; Argo Rollouts counts per metric.
    """
    requests, errors, buckets = seen.windows(CHECK_S, 1)
    bad = [errors > (1 - SUCCESS) * requests]
    for q, limit in seen.limits.items():
        bad.append(np.nan_to_num(quantiles(buckets, seen.edges, q), nan=0.0) > limit)
    counted = np.any(bad, axis=0)[None, :] if failures == FLAGGER_FAILURES else np.array(bad)
    reached = (np.cumsum(counted, axis=1) >= failures).any(axis=0)
    return float((np.argmax(reached) + 1) * CHECK_S) if reached.any() else None


def kayenta(seen: Seen, random: np.random.Generator, weight: int) -> float | None:
    """Kayenta's rule: Mann-Whitney's interval of the shift at 98 %, beyond a quarter of its own estimate. Seconds, or None.

    The baseline is as large as the canary, as its guide wants it: drawn out of the stable's requests.
    """
    arms = []
    for arm in (0, 1):
        requests, errors, buckets = seen.windows(POINT_S, arm)
        if arm == 0 and weight < 50:
            share = weight / (100 - weight)
            buckets = random.binomial(buckets.astype(np.int64), share).astype(np.float64)
            errors = random.binomial(errors.astype(np.int64), share).astype(np.float64)
            requests = buckets.sum(axis=1) + errors
        series = [np.divide(errors, requests, out=np.full_like(errors, np.nan), where=requests > 0)]
        series += [quantiles(buckets, seen.edges, q) for q in seen.limits]
        arms.append(series)
    per_look = round(LOOK_S / POINT_S)
    for look in range(1, len(arms[0][0]) // per_look + 1):
        if any(
            _high(canary[: look * per_look], stable[: look * per_look]) for stable, canary in zip(*arms, strict=True)
        ):
            return look * LOOK_S
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


def limits(plan: Plan, past: tuple[int, ...], edges: Array) -> dict[float, float]:
    """Per quantile that the policy judges, the stable's own with our tolerance, seconds."""
    counts = np.asarray(past, dtype=np.float64)[None, :]
    latency = [one.settings for one in plan.metrics if one.settings.kind == "latency"]
    return {one.quantile: one.tolerance * float(quantiles(counts, edges, one.quantile)[0]) for one in latency}


assert BASE_ERRORS < 1 - SUCCESS
