"""Simulated traffic for the judge's tests: a service with lognormal latency, seen through the example's buckets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from glidepath.judge import (
    ArmCounts,
    Interval,
    Judge,
    Look,
    MetricSettings,
    Plan,
    Settings,
    StepSettings,
    Verdict,
    plan_judgement,
)
from glidepath.judge.plan import Question

EDGES = tuple(edge for edge in (float(f"{0.005 * 1.10**step:.6g}") for step in range(90)) if edge <= 10)
ERRORS = MetricSettings("errors", "errors", "critical", 0.10, harm_margin=0.0005, safety_margin=0.002)
LATENCY = MetricSettings("latency_p95", "latency", "critical", 1.10, quantile=0.95)
RAMP = (StepSettings(5, 60, 100), StepSettings(25, 60, 100), StepSettings(50, 60, 100))
BASE_ERRORS = 0.005


def settings(steps: tuple[StepSettings, ...] = RAMP, **changes: object) -> Settings:
    """The default policy."""
    given: dict[str, object] = {
        "metrics": (ERRORS, LATENCY), "steps": steps, "scrape_s": 5.0, "deadline_s": 7200.0, **changes,
    }  # fmt: skip
    return Settings(**given)  # type: ignore[arg-type]


def arm(random: np.random.Generator, mean: float, errors: float = BASE_ERRORS, slower: float = 1.0) -> ArmCounts:
    """One version's counts of an interval with `mean` requests on average."""
    requests = int(random.poisson(mean))
    failed = int(random.binomial(requests, errors))
    latency = 0.05 * slower * np.exp(0.25 * random.standard_normal(requests - failed))
    buckets = np.bincount(np.searchsorted(EDGES, latency, side="left"), minlength=len(EDGES) + 1)
    return ArmCounts(requests, failed, tuple(int(count) for count in buckets), 2)


def planned(asked: Settings | None = None, per_second: float = 100.0, seed: int = 1) -> Plan:
    """A plan from ten minutes of the stable version."""
    baseline = arm(np.random.default_rng(seed), per_second * 600)
    return plan_judgement(asked or settings(), baseline, 600, EDGES, per_second)


def pair(plan: Plan) -> Plan:
    """The plan as an older Glidepath made it: latency by the stable's edge, and the canary's at the tolerance."""
    (had,) = (one for one in plan.metrics if one.settings.kind == "latency")
    baseline = plan.baseline
    assert baseline is not None
    slower = [sum(baseline.latency[place + 1 :]) for place in range(len(plan.edges))]
    own = had.edge
    questions = tuple(
        Question(plan.edges[place] / plan.edges[own], 0.0, place, slower[place] / slower[own])
        for place in range(own - 4, own + 8)
    )
    row = next(number for number, one in enumerate(questions) if one.value > 1.05)
    limit = questions[row].value
    made = replace(
        had,
        questions=questions,
        harm=row,
        safety=row,
        limit=limit,
        safe_limit=limit,
        parts=(),
        knots=(),
        shares=(),
        bracket=None,
    )
    return replace(plan, metrics=tuple(made if one is had else one for one in plan.metrics))


@dataclass
class Ended:
    """How a simulated release ended."""

    verdict: Verdict
    seconds: float
    failed: int
    look: Look


def release(
    seed: int, errors: float = BASE_ERRORS, slower: float = 1.0, per_second: float = 100.0, most_s: float = 3600.0,
    asked: Settings | None = None, worse_from_s: float = 0.0,
) -> Ended:  # fmt: skip
    """Walk a canary up the ramp, a scrape every 5 s, until it is decided. Before `worse_from_s` it is like stable."""
    random = np.random.default_rng(seed)
    plan = planned(asked, per_second, seed)
    judge, step, failed, at = Judge(plan), 0, 0, 0.0
    while True:
        share = plan.settings.steps[step].weight / 100
        bad = at >= worse_from_s
        stable = arm(random, per_second * 5 * (1 - share))
        canary = arm(random, per_second * 5 * share, errors if bad else BASE_ERRORS, slower if bad else 1.0)
        failed += canary.errors
        look = judge.look(Interval(at, at + 5, plan.settings.steps[step].weight, stable, canary, step + 1))
        at += 5
        if look.verdict in (Verdict.PASS, Verdict.FAIL) or at >= most_s:
            return Ended(look.verdict, at, failed, look)
        step += look.may_advance
