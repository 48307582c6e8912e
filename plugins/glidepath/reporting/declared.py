"""What was declared before the canary had a request: hypotheses, decision rule, error rates, what to expect."""

from __future__ import annotations

from collections.abc import Iterator

from glidepath.judge import Plan
from glidepath.judge.expectations import duration
from glidepath.judge.metrics import kind_of
from glidepath.judge.plan import MetricPlan
from glidepath.judge.silence import PART
from glidepath.reporting.form import Section, Table
from glidepath.status.coming import UNDECIDED
from glidepath.status.form import Status
from glidepath.status.reads import SUSPECTED
from glidepath.status.telling import clock
from glidepath.text.numbers import limit

ROLES = {
    "critical": "critical: can fail the release and must be proven comparable",
    "guard": "guard: can fail the release",
    "advisory": "advisory: is told, decides nothing",
}
# How far a canary may be off, where harm lies: what is worse, and what is better than that.
WORSE = {"above": ("at most", "more than"), "below": ("at least", "less than"), "both": ("within", "outside")}
BETTER = {"above": ("at least", "less than"), "below": ("at most", "more than"), "both": ("outside", "within")}


def declared(status: Status, plan: Plan) -> Iterator[Section]:
    """What was fixed by the plan."""
    identity = status.identity
    yield Section(
        "Hypotheses",
        [
            f"Fixed at {clock(identity.started)}, before {identity.canary} had a request, from the past of {identity.stable}. "
            "p is the share of a version's requests that are events (errors, or slower than an edge); the stable's is free, and may be another in "
            "every interval. Each metric is two questions, each a null that evidence is gathered against:"
        ],
        [
            Table(
                ["metric", "question", "H0", "H1", "if H0 is refuted"],
                list(_hypotheses(plan, identity.stable, identity.canary)),
            )
        ],
    )
    yield Section("Decision rule", list(_rule(status, plan)), [_steps(plan), _expected(plan)])


def _hypotheses(plan: Plan, stable: str, canary: str) -> Iterator[list[str]]:
    for metric in plan.metrics:
        yield from _of(metric, stable, canary)


def _of(metric: MetricPlan, stable: str, canary: str) -> Iterator[list[str]]:
    name, role = metric.settings.name, metric.settings.role
    if not kind_of(metric.settings).judged:
        yield [f"{name} ({role})", "-", "-", "-", "nothing: it is told only"]
        return
    unit = kind_of(metric.settings).unit
    sides = metric.settings.sides
    effect = f"{canary} / {stable}" if unit.ratio else f"{canary} - {stable}"
    harm, safe = (limit(value, unit.name, sides) for value in (metric.limit, metric.safe_limit))
    yield [f"{name} ({role})", "harm", *(f"{effect} is {relation} {harm}" for relation in WORSE[sides]), "taken back"]
    if role == "critical":
        yield ["", "comparable", *(f"{effect} is {relation} {safe}" for relation in BETTER[sides]), "may be promoted"]


def _rule(status: Status, plan: Plan) -> Iterator[str]:
    settings, identity = plan.settings, status.identity
    deciding = sum(metric.settings.decides for metric in plan.metrics)
    yield (
        f"Looked at after every scrape ({settings.scrape_s:g} s). Evidence is an e-value: under H0 its mean is at most 1 at "
        "any time, so by Ville's inequality it ever reaches 1/alpha with a chance of at most alpha, however often one looks."
    )
    yield (
        f"Taken back at once, when the evidence of harm of any of {deciding} metrics reaches {_needed(status, plan):,.0f} "
        f"({deciding} / {settings.alpha:g}, and a hundredth of that rate for a canary that is silent). The chance that a version within its margins is ever taken back for harm is at most "
        f"{100 * settings.alpha:g} %."
    )
    yield (
        f"Promoted, at the last weight after its bake, when each critical metric's evidence of being comparable is at least "
        f"{1 / settings.beta:g} (1 / {settings.beta:g}) and no evidence of harm is {SUSPECTED:g} or more. The chance that a version "
        f"beyond a margin throughout the last step is promoted is at most {100 * settings.beta:g} %."
    )
    if settings.decision == "superior":
        yield "Rule `superior`: some latency must be proven lower as well."
    answer = UNDECIDED.get(str(identity.policy.get("on_undecided")), "the policy answers")
    yield f"Undecided after {duration(settings.deadline_s)}: {answer}."


def _needed(status: Status, plan: Plan) -> float:
    """What evidence of harm takes, as it was applied; before any look, as it will be."""
    applied = [metric.harm_threshold for metric in status.metrics if metric.role != "advisory"]
    deciding = sum(metric.settings.decides for metric in plan.metrics)
    return max(applied, default=deciding / ((1.0 - PART) * plan.settings.alpha))


def _steps(plan: Plan) -> Table:
    rows = [
        [str(number), f"{step.weight} %", duration(step.bake_s), f"{step.min_requests:,}"]
        for number, step in enumerate(plan.settings.steps, 1)
    ]
    return Table(["step", "weight", "bake at least", "requests at least"], rows)


def _expected(plan: Plan) -> Table:
    feasibility = plan.feasibility
    rows = [[expectation.what, duration(expectation.seconds)] for expectation in feasibility.expectations]
    rows += [[f"Warning: {warning}", ""] for warning in feasibility.warnings]
    return Table([f"expected at {feasibility.requests_per_second:.1f} requests a second", "mean time"], rows)
