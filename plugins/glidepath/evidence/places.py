"""Where each of a read's series is added up, worked out once for all reads of the same series: see `tally`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glidepath.evidence.edges import edge
from glidepath.evidence.series import Series
from glidepath.evidence.shares import uses_of
from glidepath.evidence.source import ShareSeries, Source
from glidepath.evidence.tally import Counts, not_cumulative, share_counts, totals


@dataclass(frozen=True)
class Places:
    """Those of one version's series, each by its number in a read.

    Attributes:
        requests: With its pod, and whether it counts errors.
        latency: With its edge's place among all, the infinite one included.
        shares: By share what it is of, and its events.
        edges: How many finite edges there are.
    """

    requests: Sequence[tuple[int, str, bool]]
    latency: Sequence[tuple[int, int]]
    shares: Sequence[tuple[ShareSeries, Sequence[int], Sequence[int]]]
    edges: int

    def tally(self, series: Sequence[Series], grown: Sequence[float], reports: Callable[[Series], bool]) -> Counts:
        """As `tally`, of series in a read and by how much each grew."""
        by_pod: dict[str, tuple[float, float]] = {}
        for number, pod, is_error in self.requests:
            count = round(grown[number])
            if count or reports(series[number]):
                total, errors = by_pod.get(pod, (0.0, 0.0))
                by_pod[pod] = (total + count, errors + (count if is_error else 0.0))
        cumulative = [0.0] * (self.edges + 1)
        for number, place in self.latency:
            cumulative[place] += round(grown[number])
        shares: dict[str, tuple[int, int]] = {}
        sums: dict[str, tuple[int, int]] = {}
        for share, of, events in self.shares:
            whole = sum(round(grown[number]) for number in of)
            part = sum(grown[number] if share.sum_seconds is not None else round(grown[number]) for number in events)
            share_counts(share, whole, part, shares, sums)
        return totals(by_pod, not_cumulative(cumulative), shares, sums)


def places(
    source: Source, mine: Mapping[str, Sequence[Series]], numbers: Mapping[int, int], edges: Sequence[float],
    common: Sequence[float],
) -> Places:  # fmt: skip
    """Those of a version's series.

    Args:
        source: How they are read.
        mine: By use, the version's, as `series_of` gives them.
        numbers: By `id`, the number of each series in the read.
        edges, common: As for `tally`.
    """
    place = {at: number for number, at in enumerate([*edges, math.inf])}
    exact = {*common, math.inf}

    def numbered(use: str) -> list[tuple[int, Any]]:
        return [(numbers[id(counter)], counter) for counter in mine[use]]

    latency = [(number, edge(bucket, source)) for number, bucket in numbered("latency")]
    shares = []
    for share in source.shares:
        of, events = ([number for number, _ in numbered(use)] for use, _, _ in uses_of(share))
        shares.append((share, of, events))
    return Places(
        [
            (number, counter.labels.get("pod", ""), source.is_error(counter.labels))
            for number, counter in numbered("requests")
        ],
        [(number, place[at]) for number, at in latency if at in exact],
        shares,
        len(edges),
    )
