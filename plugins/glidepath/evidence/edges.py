"""The latency buckets' edges: what is counted together is counted at the same ones."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache

from glidepath.errors import EvidenceError
from glidepath.evidence.bins import told_apart
from glidepath.evidence.series import KNOWN, Key, Series
from glidepath.evidence.source import Source

# By histogram and edge: from when to when there are samples.
Spans = dict[Key, dict[float, tuple[float, float]]]


def edge(series: Series, source: Source) -> float:
    """The upper edge of a cumulative bucket, seconds."""
    return float(series.labels["le"]) * source.le_seconds


def latency_edges(latency: Iterable[Series], source: Source) -> tuple[float, ...]:
    """The finite bucket edges, seconds, ascending, which must be the same in all histograms and all the time.

    Raises:
        EvidenceError: A bucket has no `le`, two histograms have other edges than one another, or those of one changed:
            requests would seem slower where some are missing.
    """
    spans = _spans(latency, source)
    # Native histograms are cut at the same edges already.
    if not source.native:
        _steady(spans, source)
        _alike({group: _finite(edges) for group, edges in spans.items()}, source)
    return max((_finite(edges) for edges in spans.values()), key=len, default=())


def common_edges(latency: Iterable[Series], source: Source) -> tuple[float, ...]:
    """The finite edges, seconds, ascending, that all histograms have in all of their samples: counts below are exact there.

    Raises:
        EvidenceError: A bucket has no `le`, or there is no edge that all have.
    """
    spans = _spans(latency, source)
    groups = [set(_finite(_throughout(edges))) for edges in spans.values()]
    common = tuple(sorted(set.intersection(*groups))) if groups else ()
    if groups and not common and any(groups):
        _steady(spans, source)
        _alike({group: _finite(edges) for group, edges in spans.items()}, source)
    return common


def same_edges(latency: Sequence[Series], source: Source) -> tuple[tuple[float, ...], list[list[Series]]] | None:
    """What `common_edges` gives while each histogram's buckets are there as long as one another, and the buckets of each.

    None where that can't be told from their labels.
    """
    groups: dict[Key, dict[float, Series]] = {}
    for bucket in latency:
        groups.setdefault(_histogram(bucket.key), {})[edge(bucket, source)] = bucket
    common = tuple(sorted(set.intersection(*(set(_finite(edges)) for edges in groups.values())))) if groups else ()
    if sum(map(len, groups.values())) < len(latency) or (groups and not common):
        return None
    return common, [[*edges.values()] for edges in groups.values()]


def told_apart_edges(edges: Iterable[float], source: Source) -> tuple[float, ...]:
    """Of some edges, seconds, those that what counts them can tell apart."""
    if not source.binned:
        return tuple(edges)
    units = {edge / source.le_seconds: edge for edge in edges}
    return tuple(units[unit] for unit in told_apart(units))


@lru_cache(KNOWN)
def _histogram(key: Key) -> Key:
    return tuple(pair for pair in key if pair[0] != "le")


def _spans(latency: Iterable[Series], source: Source) -> Spans:
    groups: Spans = {}
    try:
        for bucket in latency:
            if bucket.samples:
                groups.setdefault(_histogram(bucket.key), {})[edge(bucket, source)] = (
                    bucket.samples[0][0],
                    bucket.samples[-1][0],
                )
    except (KeyError, ValueError) as error:
        raise EvidenceError(f"a latency bucket of {source.latency} has no readable `le` label: {error}") from error
    return groups


def _finite(edges: Iterable[float]) -> tuple[float, ...]:
    return tuple(sorted(set(edges) - {math.inf}))


def _throughout(edges: dict[float, tuple[float, float]]) -> list[float]:
    """The edges that are there as long as their histogram is."""
    first, last = min(begin for begin, _ in edges.values()), max(end for _, end in edges.values())
    return [edge for edge, span in edges.items() if span == (first, last)]


def _steady(spans: Spans, source: Source) -> None:
    for group, edges in spans.items():
        changed = set(edges) - set(_throughout(edges))
        if changed:
            raise EvidenceError(
                f"the latency buckets of {_whose(group, source)} changed: an edge at {min(changed):g} s is there only for a "
                "part of the time. If they were changed within `evidence.baseline`, wait until that time is over, or shorten it"
            )


def _alike(groups: dict[Key, tuple[float, ...]], source: Source) -> None:
    most = max(groups, key=lambda group: len(groups[group]), default=())
    for group, edges in groups.items():
        if edges == groups[most]:
            continue
        at = min(set(edges) ^ set(groups[most]))
        raise EvidenceError(
            f"the latency buckets differ: {_whose(group, source)} has {len(edges)} edges, {_whose(most, source)} has "
            f"{len(groups[most])}, and an edge at {at:g} s is in one of them only. All pods of a version (with mesh metrics: "
            "all callers) must expose the same bucket edges; if they were changed within `evidence.baseline`, wait until that "
            "time is over, or shorten it"
        )


def _whose(group: Key, source: Source) -> str:
    labels = dict(group)
    return f"pod {labels.get('pod', '?')} (version {labels.get(source.version_label, '?')})"
