"""Simulated traffic for the judge's tests: a service with lognormal latency, seen through the example's buckets."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, replace
from functools import cache

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
_EDGES = np.array(EDGES)
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
    buckets = np.bincount(np.searchsorted(_EDGES, latency, side="left"), minlength=len(EDGES) + 1)
    return ArmCounts(requests, failed, tuple(buckets.tolist()), 2)


@cache
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


class Walk:
    """A canary on its way up the ramp, a scrape every 5 s; `ended` once it is decided."""

    def __init__(self, seed: int, per_second: float, asked: Settings | None) -> None:
        self._random, self._per_second = np.random.default_rng(seed), per_second
        self._plan = planned(asked, per_second, seed)
        self._judge, self._step, self._failed, self.at = Judge(self._plan), 0, 0, 0.0
        self.ended: Ended | None = None

    def scrape(self, errors: float, slower: float) -> Ended:
        """Serve for 5 s, and judge: how it stands."""
        weight = self._plan.settings.steps[self._step].weight
        requests, share = self._per_second * 5, weight / 100
        stable, canary = arm(self._random, requests * (1 - share)), arm(self._random, requests * share, errors, slower)
        self._failed += canary.errors
        look = self._judge.look(Interval(self.at, self.at + 5, weight, stable, canary, self._step + 1))
        self.at += 5
        self._step += look.may_advance
        now = Ended(look.verdict, self.at, self._failed, look)
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            self.ended = now
        return now


STRIDE_S = 60.0


@cache
def _good(seed: int, per_second: float, asked: Settings | None, until_s: float) -> Walk:
    """A canary that has been like stable so far; to go on from a copy. Those that turn bad later share it, as far as it goes."""
    if until_s <= 0:
        return Walk(seed, per_second, asked)
    walk = deepcopy(_good(seed, per_second, asked, until_s - STRIDE_S))
    while walk.at < until_s and walk.ended is None:
        walk.scrape(BASE_ERRORS, 1.0)
    return walk


def release(
    seed: int, errors: float = BASE_ERRORS, slower: float = 1.0, per_second: float = 100.0, most_s: float = 3600.0,
    asked: Settings | None = None, worse_from_s: float = 0.0,
) -> Ended:  # fmt: skip
    """Walk a canary up the ramp, a scrape every 5 s, until it is decided. Before `worse_from_s` it is like stable."""
    assert worse_from_s <= most_s
    walk = deepcopy(_good(seed, per_second, asked, worse_from_s))
    while walk.ended is None:
        now = walk.scrape(errors, slower)
        if walk.at >= most_s:
            return now
    return walk.ended
