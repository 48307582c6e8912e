"""What was collected, in the judge's words."""

from __future__ import annotations

from glidepath.evidence import Counts
from glidepath.evidence.interval import Collected
from glidepath.judge import ArmCounts, Interval


def arm(collected: Collected, version: str) -> ArmCounts:
    """One version's counts as the judge takes them."""
    return arm_counts(collected.versions[version])


def interval_of(collected: Collected, control: str, canary: str, weight: int, step: int | None = None) -> Interval:
    """The judge's interval out of collected counts; `weight` is the canary's, percent, at the step with this number."""
    return Interval(collected.start, collected.end, weight, arm(collected, control), arm(collected, canary), step)


def arm_counts(counts: Counts) -> ArmCounts:
    """Counts as the judge takes them."""
    return ArmCounts(
        requests=counts.requests,
        errors=counts.errors,
        latency=counts.latency,
        pods=len(counts.by_pod),
        by_pod=counts.by_pod,
        shares=counts.shares,
        sums=counts.sums,
        apart=arm_counts(counts.apart) if counts.apart is not None else None,
    )
