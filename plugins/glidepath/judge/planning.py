"""How a judgement is planned: margins and edges out of the stable version's past."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from glidepath.judge.counts import ArmCounts
from glidepath.judge.dispersion import Blocks, dispersion
from glidepath.judge.feasibility import feasible
from glidepath.judge.outliers import Piece, set_apart, together, without
from glidepath.judge.plan import MetricPlan, Plan, Question
from glidepath.judge.settings import MetricSettings, Settings

# Edges that belong together are told to six digits.
SAME = 1e-4
RATE_GRID = (
    -0.9, -0.6, -0.4, -0.25, -0.15, -0.08, 0.0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1.0, 1.4, 2, 3, 4.5, 7, 10, 15, 25, 50,
)  # fmt: skip
MARGIN_GRID = (-6, -4, -3, -2, -1.5, -1, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.5, 2, 3, 4, 6, 8)
# No policy has a larger tolerance.
WIDEST = 3.0
EDGES_AROUND = range(-8, 15)


def plan_judgement(
    settings: Settings, baseline: ArmCounts, baseline_seconds: float, edges: Sequence[float], requests_per_second: float,
    blocks: Blocks = (), block_s: float = 15.0, older: Blocks = (), older_s: float = 15.0,
) -> Plan:  # fmt: skip
    """Fix margins and edges from the stable version's past.

    Args:
        settings: What the policy asks.
        baseline: The stable version's counts.
        baseline_seconds: Over how long.
        edges: The latency buckets' finite edges, seconds, ascending.
        requests_per_second: Both arms together.
        blocks: The baseline's counts per pod, in consecutive blocks; empty when nobody counted them.
        block_s: Length of a block, seconds.
        older: The same of the time before, in blocks of `older_s` seconds: lasting moods of pods are seen in it.

    Raises:
        ValueError: There was no request, or counts and edges don't fit.
    """
    if baseline.requests <= 0 or baseline_seconds <= 0:
        raise ValueError(
            f"{baseline.requests} requests in {baseline_seconds} s: expected some, to fix the margins from"
        )
    if len(baseline.latency) != len(edges) + 1 or any(b <= a for a, b in pairwise(edges)):
        raise ValueError(
            f"{len(baseline.latency)} buckets, edges {tuple(edges)}: expected ascending edges, one bucket more"
        )
    past = [(older, older_s), (blocks, block_s)]
    every = tuple(edges)
    metrics = tuple(_planned(one, baseline, every) for one in settings.metrics)
    apart = set_apart(past, [(one.settings, one.edge) for one in metrics]) if blocks else ()
    if apart:
        names = frozenset(one.pod for one in apart)
        baseline = replace(baseline, apart=together(blocks, names, baseline))
        past = [(without(one, names), seconds) for one, seconds in past]
    if baseline.apart is not None:
        others = baseline.without_apart()
        metrics = tuple(replace(one, rest=_planned(one.settings, others, every)) for one in metrics)
    if blocks:
        metrics = tuple(_tempered(one, past) for one in metrics)
    feasibility = feasible(settings, _known(metrics), requests_per_second)
    return Plan(settings, metrics, every, feasibility, baseline, baseline_seconds, apart)


def _planned(settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
    if settings.kind == "latency":
        return _latency(settings, baseline, edges)
    return _share(settings, baseline) if settings.kind == "share" else _rates(settings, baseline)


def _tempered(metric: MetricPlan, past: Sequence[Piece]) -> MetricPlan:
    (older, older_s), (blocks, block_s) = past
    seen = dispersion(blocks, block_s, metric.settings, metric.edge, older, older_s)
    pods = len({pod for block in blocks for pod in block})
    rest = _tempered(metric.rest, past) if metric.rest else None
    return replace(metric, phi=seen.phi, dispersion=seen.told, moods=seen.moods, pods=pods, rest=rest)


def _known(metrics: tuple[MetricPlan, ...]) -> Iterator[dict[str, Any]]:
    """What feasibility works from."""
    for one in metrics:
        rows, proof = one.questions, one.rest or one
        safe = proof.questions[proof.safety] if proof.safety >= 0 else None
        yield {
            "name": one.settings.name,
            "kind": one.settings.kind,
            "role": one.settings.role,
            "base": one.base,
            "harm_margin": rows[one.harm].margin if one.harm >= 0 else None,
            "safety_base": proof.base,
            "safety_margin": safe.margin if safe else None,
            "harm_tail": rows[one.harm].tail if one.harm >= 0 else None,
            "safety_tail": safe.tail if safe else None,
            "limit": one.limit,
            "safe_limit": proof.safe_limit,
            "note": one.note,
            "phi": one.phi,
            "moods": one.moods,
            "pods": one.pods,
            "sides": one.sides,
        }


def _rates(settings: MetricSettings, baseline: ArmCounts) -> MetricPlan:
    events, of = baseline.proportion(settings)
    if of == 0:
        return _none(settings, f"not_counted: the stable version counted nothing that {settings.name} is a share of")
    base = (events + 0.5) / (of + 1)
    harm = max(settings.tolerance * base, settings.harm_margin)
    safety = max(settings.tolerance * base, settings.safety_margin)
    if base + max(harm, safety) >= 1:
        told = f"the stable's share is {100 * base:.3g} %, the margin {100 * max(harm, safety):.3g} points"
        return replace(
            _none(settings, f"resolution_limited: {told}: no version can be beyond that; take a smaller tolerance"),
            base=base, limit=harm, safe_limit=safety,
        )  # fmt: skip
    scale = max(base, 0.001)
    values = sorted({harm, safety, *(scale * step for step in RATE_GRID)})
    questions = tuple(Question(value, value) for value in values if value in (harm, safety) or -base < value < 0.8)
    margins = [one.value for one in questions]
    return MetricPlan(settings, base, -1, questions, margins.index(harm), margins.index(safety), harm, safety)


def _share(settings: MetricSettings, baseline: ArmCounts) -> MetricPlan:
    events, of = baseline.proportion(settings)
    if of == 0:
        return replace(
            _none(settings, f"not_counted: the stable version counted nothing that {settings.name} is a share of"),
            sides=(),
        )
    base = (events + 0.5) / (of + 1)
    harm, safety = (max(settings.tolerance * base, one) for one in (settings.harm_margin, settings.safety_margin))
    values = sorted({harm, safety, *(harm * step for step in MARGIN_GRID)})
    questions = tuple(Question(value, value) for value in values if value in (harm, safety) or -base < value < 1 - base)
    margins = [one.value for one in questions]
    asked = ("above", "below") if settings.sides == "both" else (settings.sides,)
    sides = tuple(side for side in asked if (base + harm < 1 if side == "above" else base - harm > 0))
    note = ""
    if sides != asked:
        note = (
            f"the stable's share is {100 * base:.3g} %, the margin {100 * harm:.3g} points: no version can be "
            f"{' or '.join(side for side in asked if side not in sides)} that, so it is not judged there; "
            "for that take a smaller margin"
        )
    return MetricPlan(
        settings, base, -1, questions, margins.index(harm), margins.index(safety), harm, safety, note, sides=sides
    )


def _latency(settings: MetricSettings, baseline: ArmCounts, edges: tuple[float, ...]) -> MetricPlan:
    total = sum(baseline.latency)
    above = [total]
    for count in baseline.latency:
        above.append(above[-1] - count)
    # above[i + 1]: requests slower than edges[i].
    shares = [(above[place + 1] + 0.5) / (total + 1) for place in range(len(edges))]
    if total == 0 or not edges:
        return _none(
            settings,
            "resolution_limited: no successful request, or no latency bucket: nothing can be said about latency",
        )
    wanted = 1 - settings.quantile
    own = min(range(len(edges)), key=lambda place: abs(math.log(shares[place] / wanted)))
    if above[len(edges)] / total > wanted:
        return _none(
            settings,
            f"resolution_limited: the stable's {settings.quantile:g} quantile is beyond the last edge, {edges[-1]:g} s",
        )
    ratio = settings.tolerance
    places = _places(edges, own, ratio)
    questions = tuple(Question(edges[place] / edges[own], 0.0, place, shares[place] / shares[own]) for place in places)
    values = [one.value for one in questions]
    over = [row for row, value in enumerate(values) if value >= ratio * (1 - SAME)]
    under = [row for row, value in enumerate(values) if 1 + SAME < value <= ratio * (1 + SAME)]
    harm, safety = (over[0] if over else -1), (under[-1] if under else -1)
    note = ""
    if harm < 0 or safety < 0 or values[harm] > ratio * (1 + SAME) or values[safety] < ratio * (1 - SAME):
        near = edges[own]
        note = (
            f"resolution_limited: no edge at {ratio:g} x {near:.6g} s; for full power configure edges spaced by {ratio:g}: "
            + ", ".join(f"{near * ratio**step:.6g}" for step in range(-2, 4))
            + _instead(values, harm, safety)
        )
    limit = values[harm] if harm >= 0 else ratio
    return MetricPlan(
        settings, shares[own], own, questions, harm, safety, limit, values[safety] if safety >= 0 else ratio, note
    )


def _instead(values: list[float], harm: int, safety: int) -> str:
    """The tolerances that the edges there are allow."""
    nearest = [f"{values[row]:.6g}" for row in (safety, harm) if row >= 0 and values[row] <= WIDEST]
    return f"; or take a tolerance of {' or '.join(nearest)}, for which there is an edge" if nearest else ""


def _places(edges: tuple[float, ...], own: int, ratio: float) -> list[int]:
    """Edges to ask about: those around the stable's own, and on both sides of the tolerance however fine the buckets are."""
    values = [edge / edges[own] for edge in edges]
    around = {own + step for step in EDGES_AROUND if 0 <= own + step < len(edges)}
    over = [place for place, value in enumerate(values) if value >= ratio * (1 - SAME)]
    under = [place for place, value in enumerate(values) if 1 + SAME < value <= ratio * (1 + SAME)]
    return sorted(around.union(over[:1], under[-1:]))


def _none(settings: MetricSettings, why: str) -> MetricPlan:
    return MetricPlan(
        settings, 0.5, -1, (Question(settings.tolerance, 0.0),), -1, -1, settings.tolerance, settings.tolerance,
        why,
    )  # fmt: skip
