"""How a judgement is planned: margins and edges out of the stable version's past, and what its pods differ by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from glidepath.judge.counts import ArmCounts
from glidepath.judge.dispersion import Stretch, dispersion
from glidepath.judge.feasibility import feasible
from glidepath.judge.metrics import kind_of
from glidepath.judge.outliers import set_apart, together, without
from glidepath.judge.plan import MetricPlan, Plan
from glidepath.judge.settings import Settings


def plan_judgement(
    settings: Settings, baseline: ArmCounts, baseline_seconds: float, edges: Sequence[float], requests_per_second: float,
    lately: Stretch = Stretch(), older: Stretch = Stretch(),
) -> Plan:  # fmt: skip
    """Fix margins and edges from the stable version's past.

    Args:
        settings: What the policy asks.
        baseline: The stable version's counts.
        baseline_seconds: Over how long.
        edges: The latency buckets' finite edges, seconds, ascending.
        requests_per_second: Both arms together.
        lately: The baseline's counts per pod.
        older: The same of the time before, in longer blocks: lasting moods of pods are seen in it.

    Raises:
        ValueError: There was no request, or counts and edges don't fit.
    """
    _checked(baseline, baseline_seconds, edges)
    past, blocks = [older, lately], lately.blocks
    every = tuple(edges)
    metrics = tuple(kind_of(metric).planned(metric, baseline, every) for metric in settings.metrics)
    judged = [metric for metric in metrics if kind_of(metric.settings).judged]
    apart = set_apart(past, [(metric.settings, metric.edge) for metric in judged]) if blocks else ()
    if apart:
        names = frozenset(outlier.pod for outlier in apart)
        baseline = replace(baseline, apart=together(blocks, names, baseline))
        past = [Stretch(without(stretch, names), seconds) for stretch, seconds in past]
    if baseline.apart is not None:
        others = baseline.without_apart()
        metrics = tuple(
            replace(metric, rest=kind_of(metric.settings).planned(metric.settings, others, every)) for metric in metrics
        )
    if blocks:
        metrics = tuple(
            _with_dispersion(metric, past) if kind_of(metric.settings).judged else metric for metric in metrics
        )
    feasibility = feasible(settings, metrics, requests_per_second)
    return Plan(settings, metrics, every, feasibility, baseline, baseline_seconds, apart)


def _checked(baseline: ArmCounts, seconds: float, edges: Sequence[float]) -> None:
    """Make sure that there was something, and that counts and edges fit.

    Raises:
        ValueError: There was nothing, or they don't.
    """
    if baseline.requests <= 0 or seconds <= 0:
        raise ValueError(f"{baseline.requests} requests in {seconds} s: expected some, to fix the margins from")
    if len(baseline.latency) != len(edges) + 1 or any(b <= a for a, b in pairwise(edges)):
        raise ValueError(
            f"{len(baseline.latency)} buckets, edges {tuple(edges)}: expected ascending edges, one bucket more"
        )


def _with_dispersion(metric: MetricPlan, past: Sequence[Stretch]) -> MetricPlan:
    (older, older_s), (blocks, block_s) = past
    seen = dispersion(blocks, block_s, metric.settings, metric.edge, older, older_s)
    pods = len({pod for block in blocks for pod in block})
    rest = _with_dispersion(metric.rest, past) if metric.rest else None
    parts = tuple(_with_dispersion(part, past) for part in metric.parts)
    return replace(metric, phi=seen.phi, dispersion=seen.told, moods=seen.moods, pods=pods, rest=rest, parts=parts)
