"""Our judge, live in the simulation: it decides when steps are left, and its class is the live gate's."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench.judges.past import BLOCK_S, OLDER_BLOCK_S, PAST_S, Past
from bench.judges.scenarios import HARM_MARGIN, HORIZON_S, SAFETY_MARGIN, Scenario
from bench.judges.service import Traffic
from bench.judges.world import SCRAPE_S
from glidepath.judge import Judge, MetricSettings, Plan, Settings, Stretch, Verdict, plan_judgement
from glidepath.judge.plan import MetricPlan

WORDS = {Verdict.PASS: "promote", Verdict.FAIL: "rollback"}
ERRORS = MetricSettings("errors", "errors", "critical", 0.10, harm_margin=0.0005, safety_margin=0.002)


@dataclass(frozen=True)
class Ending:
    """How one judge ended one release.

    Attributes:
        word: promote, rollback or undecided.
        seconds: When, from the canary's first traffic, or from when it turned bad.
        failed, requests: What the canary's users had by then; failed since it turned bad.
    """

    word: str
    seconds: float
    failed: int
    requests: int


def settings(scenario: Scenario) -> Settings:
    """The default policy with the scenario's steps."""
    latency = tuple(
        MetricSettings(f"latency_p{100 * q:g}", "latency", "critical", 1.10, quantile=q) for q in scenario.quantiles
    )
    return Settings((ERRORS, *latency), scenario.steps, SCRAPE_S, HORIZON_S, warmup_s=scenario.warmup_s)


def planned(scenario: Scenario, seen: Past, by_pod: bool = True) -> Plan:
    """The plan, with only those questions that decide: the others are for people to read, and cost time."""
    return slim(whole(scenario, seen, by_pod))


def whole(scenario: Scenario, seen: Past, by_pod: bool = True) -> Plan:
    """The plan with all its questions.

    Args:
        scenario: Which.
        seen: The stable's past.
        by_pod: Whether its pods were counted.
    """
    service = scenario.service
    told = (Stretch(seen.blocks, BLOCK_S), Stretch(seen.older, OLDER_BLOCK_S)) if by_pod else ()
    return plan_judgement(settings(scenario), seen.seen, PAST_S, service.edges, service.per_second, *told)


def slim(plan: Plan) -> Plan:
    """The plan without the questions that decide nothing; every verdict stays (a test compares them)."""
    return replace(plan, metrics=tuple(_slim(one) for one in plan.metrics))


def _slim(one: MetricPlan) -> MetricPlan:
    # The parts of a metric keep the same rows, whether they decide by themselves or not.
    keep = sorted({row for row in (one.harm, one.safety) if row >= 0}) or [0]
    places = {old: new for new, old in enumerate(keep)}
    rows, rest = tuple(one.questions[row] for row in keep), _slim(one.rest) if one.rest else None
    harm, safety = places.get(one.harm, -1), places.get(one.safety, -1)
    parts = tuple(_slim(part) for part in one.parts)
    return replace(one, questions=rows, harm=harm, safety=safety, rest=rest, parts=parts)


def on_margin(scenario: Scenario, plan: Plan) -> Scenario:
    """The scenario with its canary exactly on one of this plan's margins."""
    errors, latency = plan.metrics[:2]
    fault = scenario.service.fault
    if scenario.margin == HARM_MARGIN:
        fault = replace(fault, more=errors.limit)
    elif scenario.margin == SAFETY_MARGIN:
        fault = replace(fault, more=(errors.rest or errors).safe_limit)
    elif scenario.margin:
        fault = replace(fault, slower=latency.limit)
    return replace(scenario, service=replace(scenario.service, fault=fault))


def release(scenario: Scenario, plan: Plan, traffic: Traffic) -> Ending:
    """Walk one canary up the steps until it is decided, or the time is over."""
    judge, step = Judge(plan), 0
    traffic.apart = frozenset(one.pod for one in plan.apart)
    last = len(scenario.steps) - 1
    word = "undecided"
    while (interval := traffic.interval(scenario.steps[step].weight, step == last)) is not None:
        look = judge.look(replace(interval, step=step + 1))
        if look.verdict in WORDS:
            word = WORDS[look.verdict]
            break
        step += look.may_advance
    return Ending(word, (traffic.at - (traffic.onset or 0)) * SCRAPE_S, traffic.failed, traffic.requests)
