"""Counters of a pod that nothing tells apart are added up by Prometheus: routes, methods, whatever else it has labels for.

A sum hides what happens to its parts: one that vanishes and comes back with all it had would count at once. So a pod is
read in sums only while Prometheus says that each part was there throughout, and that none fell (`steady_past`, `growth`); else its raw
samples are read, and every rule of `counters` and `lives` holds for each part. Labels that tell by which way a pod was
scraped stay, so that a counter that is there twice is seen (`once`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

from glidepath.evidence.once import TARGETS
from glidepath.evidence.prometheus import NotAnsweredError
from glidepath.evidence.series import KNOWN, Histogram, Key, Samples, Series
from glidepath.evidence.source import Source, narrowed, one_of

# Sums are asked for where they are so many times fewer than their parts, and those are many.
FEWER, MANY = 2.0, 200
# Labels of scrapes, of which one must be there: without them more labels tell which way a sample came.
SCRAPED = frozenset({"job", "instance"})
# So many pods are named in a query at most.
NAMED = 20
WHOLE = 'le=~"[+]?[Ii]nf"'


def kept(source: Source) -> tuple[str, ...]:
    """The labels that sums keep: what the source's rules and versions go by, the bucket, and what tells targets apart."""
    rules = [source.error, source.good, *(rule for share in source.shares for rule in (share.among, share.event))]
    versions = {source.version_label, *(share.version_label for share in source.shares)}
    return tuple(
        sorted({"__name__", "le", "pod"} | TARGETS | versions | {label for rule in rules for label, _ in rule})
    )


# Labels that are no part of what is counted for a version.
SCRAPES = TARGETS | {"__name__", "pod"}


@lru_cache(KNOWN)
def reduced(key: Key, labels: frozenset[str]) -> Key:
    """A series' labels as those of the sum that it is a part of."""
    return tuple(pair for pair in key if pair[0] in labels)


def worth(series: Sequence[Series], labels: Sequence[str]) -> bool:
    """Whether some series, raw, would be worth adding up, and may be."""
    if len(series) < MANY or not all(SCRAPED & counter.labels.keys() for counter in series):
        return False
    wanted = frozenset(labels)
    return len(series) >= FEWER * len({reduced(counter.key, wanted) for counter in series})


def summed(selector: str, labels: Sequence[str]) -> str:
    """The sums of a selector's counters."""
    return f"(sum by ({','.join(labels)}) ({selector}))"


def whole(selector: str, buckets: bool) -> str:
    """Of a selector, the counters that are no part of another: of buckets the last, that has all."""
    return narrowed(selector, WHOLE) if buckets else selector


def steady_past(selector: str, window_s: float, step_s: float, buckets: bool) -> str:
    """An instant vector of pods: how many counters each has that was steady; 0 for the others.

    Steady is one whose counters were all there as long as the pod was, and of which none fell.

    Args:
        selector: The counters.
        window_s, step_s: How far back, and seconds between the samples that are read.
        buckets: Whether they are cumulative buckets; those of a histogram come and go together, so the last speaks for all, and
            that there are as many of all edges is looked at beside it.
    """
    all_of, window = whole(selector, buckets), f"{max(1, round(window_s))}s"
    grid = f"[{window}:{max(1, round(step_s))}s]"
    count, there = f"(count by (pod) ({all_of})){grid}", f"count by (pod) (count_over_time({all_of}[{window}]))"
    alike = f"and stddev_over_time((count by (pod) ({selector})){grid}) == 0 " if buckets else ""
    return (
        f"{there} == min_over_time({count}) == max_over_time({count}) {alike}"
        f"unless max by (pod) (resets({all_of}[{window}])) > 0 or 0 * {there}"
    )


class Past:
    """Reads the past of counters in sums, where that is as good.

    Args:
        prometheus: Where the samples are.
        source: Which counters there are.
    """

    def __init__(self, prometheus: Samples, source: Source) -> None:
        self._prometheus, self._source, self._labels = prometheus, source, kept(source)

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        """As `Prometheus.range_vector`; a pod's counters are sums, or those of its parts."""
        try:
            return self._sums(selector, window_s, at, step_s or window_s)
        except NotAnsweredError:
            return self._prometheus.range_vector(selector, window_s, at, step_s)

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        """As `Prometheus.range_histograms`."""
        return self._prometheus.range_histograms(selector, window_s, at, step_s)

    def _sums(self, selector: str, window_s: float, at: float, step_s: float) -> list[Series]:
        sums = self._prometheus.range_vector(summed(selector, self._labels), window_s, at, step_s)
        # After the sums: what it says covers all that is in them.
        buckets = selector == self._source.latency
        answer = self._prometheus.vector(steady_past(selector, window_s, step_s, buckets), at)
        steady = {pod_of(row): row.samples[0][1] > 0 for row in answer}
        for series in sums:
            steady[pod_of(series)] = steady.get(pod_of(series), False) and _rises(series)
        odd = [pod for pod, is_steady in steady.items() if not is_steady]
        rest = parts(self._prometheus, selector, odd, window_s, at, step_s)
        return [*(series for series in sums if steady[pod_of(series)]), *rest]


def pod_of(series: Series) -> str:
    """The pod of a series; empty where it has none."""
    return series.labels.get("pod", "")


def of_pods(selector: str, pods: Sequence[str]) -> str:
    """Of a selector, the counters of some pods."""
    return narrowed(selector, f"pod=~{one_of(pods)}")


def parts(
    prometheus: Samples, selector: str, pods: Iterable[str], window_s: float, at: float, step_s: float | None = None
) -> list[Series]:
    """The counters of some pods, as `Prometheus.range_vector` reads them, not summed."""
    names = sorted(pods)
    series: list[Series] = []
    for first in range(0, len(names), NAMED):
        named = of_pods(selector, names[first : first + NAMED])
        series += prometheus.range_vector(named, window_s, at, step_s)
    return series


def _rises(series: Series) -> bool:
    return all(0 <= before <= after for (_, before), (_, after) in pairwise(((0.0, 0.0), *series.samples)))
