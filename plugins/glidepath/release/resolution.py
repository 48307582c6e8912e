"""A canary with other latency buckets than the stable version: it is judged at the edges that both have.

Cumulative counts are exact at any edge that is there. So of what was planned only the questions at edges that the canary
lacks are asked at others, from the same past; the record gets the new plan before anything is judged by it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import replace

from glidepath.errors import EvidenceError
from glidepath.judge import ArmCounts, Plan, plan_judgement
from glidepath.judge.plan import MetricPlan, Question


def fits(plan: Plan, common: Sequence[float]) -> bool:
    """Whether all that is planned can be asked at these edges, seconds."""
    every = [either for metric in plan.metrics for either in (metric, metric.rest) if either is not None]
    return all(plan.edges[place] in common for metric in every for place in _asked(metric))


def at_edges(plan: Plan, common: Sequence[float]) -> Plan:
    """The plan with its latency questions at those edges only. The rest, and the layout of counts, stay.

    A quantile that none of them is near is not judged: nothing harmful is seen in it, and nothing proven.

    Args:
        plan: As the release was planned.
        common: The edges that both versions have, seconds, ascending; some of the plan's.

    Raises:
        EvidenceError: The plan is of an older Glidepath, which did not keep the past that it was made from.
    """
    if plan.baseline is None:
        raise EvidenceError(
            f"the canary has {len(common)} of the {len(plan.edges)} latency edges that were planned with, and the plan keeps "
            "no past to choose others from. Start the release anew"
        )
    past = _merged(plan.baseline, plan.edges, common)
    per_second = plan.feasibility.requests_per_second
    coarse = plan_judgement(plan.settings, past, plan.baseline_s, common, per_second)
    pairs = zip(plan.metrics, coarse.metrics, strict=True)
    metrics = tuple(_placed(had, made, plan.edges, common, past) for had, made in pairs)
    return replace(plan, metrics=metrics, feasibility=coarse.feasibility)


def _asked(metric: MetricPlan) -> set[int]:
    rows = (question.edge for part in metric.asked for question in part.questions)
    return {place for place in (metric.edge, *rows, *metric.knots) if place >= 0}


def _merged(counts: ArmCounts, edges: Sequence[float], common: Sequence[float]) -> ArmCounts:
    apart = _merged(counts.apart, edges, common) if counts.apart else None
    buckets = [0] * (len(common) + 1)
    for upper, count in zip((*edges, float("inf")), counts.latency, strict=True):
        buckets[bisect_left(common, upper)] += count
    return replace(counts, latency=tuple(buckets), apart=apart)


def _placed(
    had: MetricPlan, made: MetricPlan, edges: Sequence[float], common: Sequence[float], past: ArmCounts
) -> MetricPlan:
    if had.edge < 0:
        return had
    rest = had.rest and made.rest and _placed(had.rest, made.rest, edges, common, past.without_apart())
    if made.edge < 0:
        tolerance = had.settings.tolerance
        why = (
            "resolution_limited: the canary has other latency buckets than the stable version, and none of the "
            f"{len(common)} edges that both have is near what is asked: give both the same buckets"
        )
        return replace(
            had, edge=-1, base=0.5, questions=(Question(tolerance, 0.0),), harm=-1, safety=-1, limit=tolerance,
            safe_limit=tolerance, note=why, rest=rest, parts=(), knots=(), shares=(), bracket=None,
        )  # fmt: skip
    place = {number: list(edges).index(edge) for number, edge in enumerate(common)}
    return replace(_moved(made, place, had), rest=rest)


def _moved(made: MetricPlan, place: Mapping[int, int], had: MetricPlan) -> MetricPlan:
    """The plan in the layout of all edges; what pods differ by is as it was measured."""
    return replace(
        made, edge=place[made.edge], questions=tuple(replace(question, edge=place[question.edge]) for question in made.questions),
        parts=tuple(_moved(part, place, had) for part in made.parts), knots=tuple(place[knot] for knot in made.knots),
        phi=had.phi, dispersion=had.dispersion, moods=had.moods, pods=had.pods,
    )  # fmt: skip
