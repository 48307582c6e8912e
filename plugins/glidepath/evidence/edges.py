"""The latency buckets' edges: the same in all that is counted, or it can't be counted together."""

from __future__ import annotations

import math
from collections.abc import Iterable

from glidepath.errors import EvidenceError
from glidepath.evidence.pace import Key
from glidepath.evidence.prometheus import Series
from glidepath.evidence.source import Source


def edge(series: Series, source: Source) -> float:
    """The upper edge of a cumulative bucket, seconds."""
    return float(series.labels["le"]) * source.le_seconds


def latency_edges(latency: Iterable[Series], source: Source) -> tuple[float, ...]:
    """The finite bucket edges, seconds, ascending.

    Raises:
        EvidenceError: A bucket has no `le`, or two histograms have other edges than one another: requests would seem
            slower in the one that lacks some.
    """
    groups: dict[Key, set[float]] = {}
    try:
        for one in latency:
            group = tuple(pair for pair in one.key if pair[0] != "le")
            groups.setdefault(group, set()).add(edge(one, source))
    except (KeyError, ValueError) as error:
        raise EvidenceError(f"a latency bucket of {source.latency} has no readable `le` label: {error}") from error
    found = {group: tuple(sorted(edges - {math.inf})) for group, edges in groups.items()}
    # Native histograms are cut at the same edges already.
    if not source.native:
        _alike(found, source)
    return max(found.values(), key=len, default=())


def _alike(found: dict[Key, tuple[float, ...]], source: Source) -> None:
    most = max(found, key=lambda group: len(found[group]), default=())
    for group, edges in found.items():
        if edges == found[most]:
            continue
        at = min(set(edges) ^ set(found[most]))
        raise EvidenceError(
            f"the latency buckets differ: {_whose(group, source)} has {len(edges)} edges, {_whose(most, source)} has "
            f"{len(found[most])}, and an edge at {at:g} s is in one of them only. Both versions (with mesh metrics: all "
            "callers) must expose the same bucket edges; if they were changed within `evidence.baseline`, wait until that "
            "time is over, or shorten it"
        )


def _whose(group: Key, source: Source) -> str:
    labels = dict(group)
    return f"pod {labels.get('pod', '?')} (version {labels.get(source.version_label, '?')})"
