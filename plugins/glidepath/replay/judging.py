"""Evidence through the judge: the very class that judges live releases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from glidepath.errors import EvidenceError
from glidepath.gate import settings_of
from glidepath.judge import ArmCounts, Interval, Judge, Look, Numbering, Plan, plan_judgement
from glidepath.policy import Policy, for_run
from glidepath.replay.evidence import Recording, Silence


def looks(
    policy: Policy, intervals: Iterable[Interval], edges: Sequence[float] = (), baseline: ArmCounts | None = None,
    baseline_s: float = 1800.0,
) -> Iterator[Look]:  # fmt: skip
    """Judge intervals by a policy: a look for each, as a live release would have had it.

        from glidepath.policy import load_policy
        from glidepath.replay import looks

        for look in looks(load_policy(Path("include/policies/model-service.yaml")), intervals, edges):
            print(look.at, look.verdict, look.reason)

    Args:
        policy: Its metrics, limits and steps. An interval is of the step that it names; of intervals that name none, another
            weight is the next step.
        intervals: In order of time. Those at the start whose weight is 0 are the stable's past, if no `baseline` is given.
        edges: The latency buckets' finite edges, seconds, ascending; every `latency` has one count more.
        baseline: The stable's past, that the margins are fixed from.
        baseline_s: Over how many seconds `baseline` was counted.

    Raises:
        EvidenceError: There is no past of the stable version to fix margins from.
        ValueError: Counts and edges don't fit.
    """
    rest = iter(intervals)
    if baseline is None:
        past, rest = _past(rest)
        if not past:
            raise EvidenceError(
                "no past of the stable version: give `baseline`, or intervals of weight 0 before the canary's first"
            )
        baseline = past[0].stable
        for earlier in past[1:]:
            baseline = baseline.plus(earlier.stable)
        baseline_s = sum(interval.end - interval.start for interval in past)
    per_second = baseline.requests / baseline_s if baseline_s > 0 else 0.0
    judge = Judge(plan_judgement(settings_of(policy), baseline, baseline_s, edges, per_second))
    steps = Numbering()
    for interval in rest:
        yield judge.look(steps.numbered(interval))


def replay(evidence: Recording, plan: Plan | None = None) -> Iterator[Look]:
    """Every look again, by the recorded plan or by another one on the same baseline."""
    judge, steps = Judge(plan or evidence.header.plan), Numbering()
    for line in evidence.lines:
        if isinstance(line, Silence):
            yield judge.no_data(line.at, line.at, line.no_data)
        else:
            yield judge.look(steps.numbered(line))


def replanned(evidence: Recording, policy: Policy) -> Plan:
    """The plan that another policy would have made of the recorded baseline and edges.

    The weights stay those of the record, since their traffic is what was recorded; each takes over bake and minimum
    requests of the policy's step in its place, or of the last.

    Raises:
        EvidenceError: The record keeps no baseline.
        PolicyError: The recorded weights don't fit the policy.
    """
    header = evidence.header
    if header.plan.baseline is None:
        raise EvidenceError(
            f"{evidence.name}:1: recorded by code version {header.code_version} without the baseline's counts: it can be "
            "replayed as it was, not by another policy"
        )
    spec = for_run(policy, {"version": header.canary, "weights": [step.weight for step in header.plan.settings.steps]})
    per_second = header.plan.feasibility.requests_per_second
    edges, seconds = header.plan.edges, header.plan.baseline_s
    return plan_judgement(settings_of(spec), header.plan.baseline, seconds, edges, per_second)


def _past(intervals: Iterator[Interval]) -> tuple[list[Interval], Iterator[Interval]]:
    past: list[Interval] = []
    for interval in intervals:
        if interval.weight > 0:
            return past, chain([interval], intervals)
        past.append(interval)
    return past, iter(())
