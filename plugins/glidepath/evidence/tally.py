"""What a version's counters grew by, as counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from glidepath.evidence.edges import edge
from glidepath.evidence.series import Series
from glidepath.evidence.shares import Selected, uses_of
from glidepath.evidence.source import ShareSeries, Source, matches
from glidepath.evidence.summed import pod_of

# Series, and by how much each grew.
Growths = Sequence[tuple[Series, float]]
MICROSECONDS = 1e6


@dataclass(frozen=True)
class Counts:
    """What one version's requests came to in an interval.

    Attributes:
        requests: Answered requests.
        errors: Those that were errors.
        latency: Requests per latency bucket, not cumulative; one more than there are edges.
        by_pod: Per reporting pod (requests, errors).
        shares: Per further share its events, and what they are a share of.
        sums: Per mean the microseconds in all, and of how many requests.
        apart: What of all this is of pods that are set apart; None where none are.
    """

    requests: int
    errors: int
    latency: tuple[int, ...]
    by_pod: dict[str, tuple[int, int]]
    shares: dict[str, tuple[int, int]] = field(default_factory=dict)
    sums: dict[str, tuple[int, int]] = field(default_factory=dict)
    apart: Counts | None = None


def tally(
    source: Source, grown: Mapping[str, Growths], edges: Sequence[float], common: Sequence[float],
    reports: Callable[[Series], bool],
) -> Counts:  # fmt: skip
    """Add up.

    Args:
        source: How the series are read.
        grown: By use, a version's series and their growth.
        edges: The finite bucket edges that are counted at, seconds; common: those at which counts are exact.
        reports: Whether a series of requests that did not grow says that its pod is there.
    """
    by_pod: dict[str, tuple[float, float]] = {}
    for series, count in grown["requests"]:
        if count or reports(series):
            total, errors = by_pod.get(pod_of(series), (0.0, 0.0))
            by_pod[pod_of(series)] = (total + count, errors + (count if source.is_error(series.labels) else 0.0))
    shares: dict[str, tuple[int, int]] = {}
    sums: dict[str, tuple[int, int]] = {}
    for share in source.shares:
        of, events = (sum(count for _, count in grown[use]) for use, _, _ in uses_of(share))
        share_counts(share, of, events, shares, sums)
    return totals(by_pod, _buckets(source, grown["latency"], edges, common), shares, sums)


def share_counts(
    share: ShareSeries, of: float, events: float, shares: dict[str, tuple[int, int]], sums: dict[str, tuple[int, int]]
) -> None:
    """Tell a share's, or a mean's, among the others'."""
    if share.sum_seconds is not None:
        sums[share.name] = round(events * share.sum_seconds * MICROSECONDS), round(of)
    else:  # two counters of one pod are not read at the same instant
        shares[share.name] = min(round(events), round(of)), round(of)


def totals(
    by_pod: Mapping[str, tuple[float, float]], latency: tuple[int, ...], shares: dict[str, tuple[int, int]],
    sums: dict[str, tuple[int, int]],
) -> Counts:  # fmt: skip
    """A version's counts out of its pods' requests and errors, and the rest."""
    pods = {pod: (round(total), round(errors)) for pod, (total, errors) in by_pod.items()}
    requests, errors = (sum(each) for each in zip(*pods.values(), strict=True)) if pods else (0, 0)
    return Counts(requests, errors, latency, pods, shares, sums)


def series_of(
    source: Source, version: str, requests: Iterable[Series], latency: Iterable[Series], others: Selected
) -> dict[str, list[Series]]:
    """By use, a version's series.

    Args:
        source: How they are read.
        version: Which.
        requests, latency: The source's, of any version.
        others: By selector, those of its shares.
    """
    label = source.version_label
    series = {"requests": of_version(requests, label, version), "latency": of_version(latency, label, version)}
    for share in source.shares:
        for use, selector, rule in uses_of(share):
            mine = of_version(others[selector], share.version_label, version)
            series[use] = [counter for counter in mine if matches(counter.labels, rule)]
    return series


def of_version(series: Iterable[Series], label: str, version: str) -> list[Series]:
    """Those of a version; `label` names it."""
    return [counter for counter in series if counter.labels.get(label) == version]


def of_pods(grown: Mapping[str, Growths], pods: Iterable[str]) -> dict[str, Growths]:
    """Those of some pods."""
    wanted = frozenset(pods)
    return {
        use: [(counter, count) for counter, count in each if pod_of(counter) in wanted] for use, each in grown.items()
    }


def _buckets(source: Source, grown: Growths, edges: Sequence[float], common: Sequence[float]) -> tuple[int, ...]:
    cumulative, exact = dict.fromkeys([*edges, math.inf], 0.0), {*common, math.inf}
    for bucket, count in grown:
        at = edge(bucket, source)
        if at in exact:
            cumulative[at] += count
    return not_cumulative(cumulative[upper] for upper in [*edges, math.inf])


def not_cumulative(cumulative: Iterable[float]) -> tuple[int, ...]:
    """Requests per bucket, out of those at each edge or below, ascending."""
    counts, below = [], 0
    for value in cumulative:
        # Scrapes are atomic per pod; a fall can only come of a reset between two buckets' births.
        all_of = round(value)
        counts.append(max(0, all_of - below))
        below = max(below, all_of)
    return tuple(counts)
