"""`python -m bench.speed`: what a look costs, as a ratio to a plain numpy pass over the same counts; and what a judge weighs.

126 latency buckets, three metrics, every question that people see asked too; an hour of scrapes every 5 s.
"""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from glidepath.judge import ArmCounts, Interval, Judge, MetricSettings, Plan, Settings, StepSettings, plan_judgement
from glidepath.judge.moods import Mood

EDGES = tuple(float(f"{0.001 * 1.08**step:.6g}") for step in range(125))
LOOKS, SCRAPE_S, REPEATS = 720, 5.0, 5
METRICS = (
    MetricSettings("errors", "errors", "critical", 0.10, harm_margin=0.0005, safety_margin=0.002),
    MetricSettings("latency_p95", "latency", "critical", 1.10, quantile=0.95),
    MetricSettings("latency_p99", "latency", "critical", 1.10, quantile=0.99),
)
MOODS = tuple(Mood(sigma, lasts_s, 0.1) for sigma in (0.3, 0.45, 0.65, 0.9, 1.3) for lasts_s in (300.0, 1000.0))


def main() -> None:
    """Measure and print."""
    random = np.random.default_rng(1)
    steps = (StepSettings(10, 7200, 100),)
    plan = plan_judgement(Settings(METRICS, steps, SCRAPE_S, 7200.0), arm(random, 180_000), 1800.0, EDGES, 100.0)
    told = hour(random)
    looks = best(lambda: judged(plan, told))
    plain = best(lambda: passed(told))
    print(
        f"a look: {1e3 * looks / LOOKS:.3f} ms, {looks / plain:.1f} times a plain numpy pass ({1e3 * plain / LOOKS:.3f} ms)"
    )
    print(f"an hour of {LOOKS} looks: {looks:.2f} s")
    moody = best(lambda: judged(replace(plan, metrics=tuple(replace(one, moods=MOODS) for one in plan.metrics)), told))
    print(f"where every metric has {len(MOODS)} kinds of moods: {moody / looks:.2f} times that")
    short, long = (weight(plan, told, hours) for hours in (1, 10))
    print(f"a judge weighs {short} bytes after an hour, {long} after ten: {long / short:.3f} times")


def arm(random: np.random.Generator, mean: float) -> ArmCounts:
    """One version's counts."""
    requests = int(random.poisson(mean))
    failed = int(random.binomial(requests, 0.005))
    latency = 0.05 * np.exp(0.5 * random.standard_normal(requests - failed))
    buckets = np.bincount(np.searchsorted(EDGES, latency), minlength=len(EDGES) + 1)
    return ArmCounts(requests, failed, tuple(int(count) for count in buckets), 2)


def hour(random: np.random.Generator) -> list[Interval]:
    """An hour at 10 %, 100 requests a second."""
    return [Interval(SCRAPE_S * n, SCRAPE_S * (n + 1), 10, arm(random, 450), arm(random, 50)) for n in range(LOOKS)]


def judged(plan: Plan, told: list[Interval]) -> Judge:
    """All looks."""
    judge = Judge(plan)
    for one in told:
        judge.look(one)
    return judge


def passed(told: list[Interval]) -> float:
    """What any judge has to do: read the counts of both versions into arrays, and add them up from the left, per metric."""
    total = 0.0
    for one in told:
        for _ in METRICS:
            below = np.array((one.stable.latency, one.canary.latency), dtype=np.float64).cumsum(axis=1)
            total += float(below[0, -1] - below[0, 60]) + float(below[1, -1] - below[1, 61])
    return total


def best(work: Callable[[], object]) -> float:
    """Processor seconds of the quickest of some repeats: others share the machine."""
    times = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times)


def weight(plan: Plan, told: list[Interval], hours: int) -> int:
    """Bytes of a judge's state after so many hours."""
    judge = Judge(plan)
    for number in range(hours):
        for one in told:
            at = 3600.0 * number
            judge.look(Interval(at + one.start, at + one.end, one.weight, one.stable, one.canary))
    return len(pickle.dumps(judge))


if __name__ == "__main__":
    main()
