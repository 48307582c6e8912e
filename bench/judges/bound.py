"""The information bound: a likelihood ratio that is told the truth, without guards or mixtures. Nobody can be quicker.

It bets on the canary's and stable's true probabilities, from the moment the fault begins, at the same thresholds.
"""

from __future__ import annotations

import math

import numpy as np

from bench.judges.ours import Ending
from bench.judges.scenarios import HARMFUL, Scenario
from bench.judges.service import Traffic
from bench.judges.world import BASE_ERRORS, SCRAPE_S
from glidepath.judge import ArmCounts, Plan
from glidepath.judge.evalue import log_e
from glidepath.judge.plan import MetricPlan

Truth = tuple[float, float]
MOST = 1.0 - 1e-9


def bound(scenario: Scenario, plan: Plan, traffic: Traffic) -> Ending | None:
    """Walk the steps at their minimum bakes until the truth is proven; None where the scenario has no one truth."""
    harm = scenario.truth == HARMFUL
    every = [part for one in plan.metrics for part in one.asked if harm or part.safety >= 0 or not one.parts]
    metrics = [(one, _truth(scenario, plan, one)) for one in every]
    if scenario.service.by_pod:
        return None
    asked = [(one, truth) for one, truth in metrics if (one.harm if harm else one.safety) >= 0]
    if harm:
        asked = [(one, truth) for one, truth in asked if truth[0] > truth[1] * (1 + 1e-9)]
    if not asked or (not harm and len(asked) < len(metrics)):
        return None
    alpha, beta = plan.settings.alpha / len(plan.metrics), plan.settings.beta
    needed = -math.log(alpha if harm else beta)
    have = [0.0] * len(asked)
    step, since, steps = 0, 0.0, scenario.steps
    while (interval := traffic.interval(steps[step].weight, step == len(steps) - 1)) is not None:
        if not harm or traffic.onset is not None:
            for number, (one, truth) in enumerate(asked):
                have[number] += _gain(one, truth, interval.stable, interval.canary, harm)
        baked = interval.end - since >= steps[step].bake_s
        last = step == len(steps) - 1
        if (harm and max(have) >= needed) or (not harm and last and baked and min(have) >= needed):
            word = "rollback" if harm else "promote"
            return Ending(word, (traffic.at - (traffic.onset or 0)) * SCRAPE_S, traffic.failed, traffic.requests)
        if baked and not last:
            step, since = step + 1, interval.end
            have = have if harm else [0.0] * len(asked)
    return Ending("undecided", traffic.at * SCRAPE_S, traffic.failed, traffic.requests)


def _truth(scenario: Scenario, plan: Plan, metric: MetricPlan) -> Truth:
    """The canary's and the stable's true probabilities of a metric's event."""
    service = scenario.service
    fault = service.fault
    if metric.settings.kind == "errors":
        return min(MOST, BASE_ERRORS * fault.errors + fault.more), BASE_ERRORS
    row = metric.questions[metric.harm if scenario.truth == HARMFUL else metric.safety]
    edges, normal = np.array(plan.edges), np.ones(1)
    stable = service.shape.buckets(edges, normal)[0]
    canary = service.shape.buckets(edges, normal * fault.slower, fault.tail)[0]
    return float(canary[row.edge + 1 :].sum()), float(stable[metric.edge + 1 :].sum())


def _gain(metric: MetricPlan, truth: Truth, stable: ArmCounts, canary: ArmCounts, harm: bool) -> float:
    row = metric.questions[metric.harm if harm else metric.safety]
    c, s = truth
    null = row.slope * s + row.margin
    slope = np.array(row.slope) if row.slope != 1.0 else None
    if (c <= null) if harm else (c >= null):
        return 0.0
    if metric.settings.kind == "errors":
        n, m, x, y = canary.requests, stable.requests, canary.errors, stable.errors
    else:
        n, m = sum(canary.latency), sum(stable.latency)
        x, y = sum(canary.latency[row.edge + 1 :]), sum(stable.latency[metric.edge + 1 :])
    return float(log_e(n, m, float(x), float(y), np.array(row.margin), np.array(c), s, slope))
