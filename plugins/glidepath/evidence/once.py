"""A counter that comes by two ways is one counter: a pod may be scraped by two jobs.

What was counted is told by the labels that split a total, by the version and the pod; all other labels may say by which
way a sample came: job, instance, node, labels mapped from the pod. Two ways to the same counters show the same counts:
what one shows at a time lies between what the other shows before and after.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import combinations

from glidepath.errors import EvidenceError
from glidepath.evidence.lives import PARTS
from glidepath.evidence.series import KNOWN, Key, Series

# Labels that say by which way a sample came, not what was counted.
WAYS = frozenset({"job", "service", "endpoint", "container", "prometheus", "prometheus_replica", "replica", "cluster"})
TARGETS = WAYS | {"instance", "node"}
# By fewer scrapes than these, counters that are not read at the same instants are not known to be one.
FEWEST, ENOUGH = 2, 6
COUNTED = PARTS | {"__name__", "name", "pod", "version", "destination_version", "glidepath_version"}
Way = dict[Key, Series]


def each_once(*several: Sequence[Series]) -> tuple[list[Series], ...]:
    """Several lists of one source's series, each without what is there once more.

    Raises:
        EvidenceError: A counter is there twice, and it can't be known whether it is one.
    """
    if _plain(several):
        return tuple(map(list, several))
    left = {counter.key for counter in of_one_way([counter for series in several for counter in series])}
    kept = tuple([counter for counter in series if counter.key in left] for series in several)
    counted_once(counter for series in kept for counter in series)
    return kept


def _plain(several: Iterable[Sequence[Series]]) -> bool:
    """Whether it is plain that nothing is there twice: all series differ, and each pod's came by one way."""
    ways: dict[str, Key] = {}
    seen: set[Key] = set()
    for series in several:
        for counter in series:
            key, pod = counter.key, counter.labels.get("pod")
            if not pod or key in seen or ways.setdefault(pod, way := _way(key)[0]) != way:
                return False
            seen.add(key)
    return True


def of_one_way(series: Sequence[Series]) -> list[Series]:
    """The series without those that show the same counters of a pod once more, in their order.

    Args:
        series: All that is read of the pods at a time: the more there are, the surer they are the same.
    """
    pods: dict[str, dict[Key, Way]] = {}
    for counter in series:
        if counter.labels.get("pod"):
            way, what = _way(counter.key)
            pods.setdefault(counter.labels["pod"], {}).setdefault(way, {})[what] = counter
    again: set[Key] = set()
    for ways in pods.values():
        same: set[Key] = set()
        for first, second in combinations(sorted(ways), 2):
            known = first in same or second in same
            if not known and _may_be_ways(first, second) and _same(ways[first], ways[second]):
                same.add(second)
                again |= {each.key for each in ways[second].values()}
    return [counter for counter in series if counter.key not in again]


@lru_cache(KNOWN)
def _way(key: Key) -> tuple[Key, Key]:
    """By which way a series came, as far as its labels tell, and what it counts."""
    return tuple(pair for pair in key if pair[0] not in COUNTED), tuple(pair for pair in key if pair[0] in COUNTED)


@lru_cache(KNOWN)
def _counter(key: Key) -> Key:
    """What a series counts, whichever way it came."""
    return tuple(pair for pair in key if pair[0] not in WAYS)


def _may_be_ways(first: Key, second: Key) -> bool:
    """Whether labels may tell two scrapes of one pod apart, and not two counters of one scrape, such as two routes.

    Prometheus gives each target a job and an instance of its own. Where both are relabelled away, a label that only one of
    the two has says it.
    """
    a, b = dict(first), dict(second)
    differ = {label for label in a.keys() | b.keys() if a.get(label) != b.get(label)}
    if differ & TARGETS:
        return True
    return not (a.keys() | b.keys()) & {"job", "instance"} and any(label not in a or label not in b for label in differ)


def _same(first: Way, second: Way) -> bool:
    """Whether two ways show the same counters, which count something."""
    if first.keys() != second.keys():
        return False
    pairs = [(series, second[what]) for what, series in first.items()]
    return any(_grows(a) for a, _ in pairs) and all(_alike(a, b) for a, b in pairs)


def _grows(series: Series) -> bool:
    return series.samples[-1][1] > series.samples[0][1]


def _alike(first: Series, second: Series) -> bool:
    a, b = dict(first.samples), dict(second.samples)
    if min(len(a), len(b)) < FEWEST:
        return False
    if all(a[at] == b[at] for at in a.keys() & b.keys()) and len(a.keys() & b.keys()) >= FEWEST:
        return True
    apart = not a.keys() & b.keys()
    return (apart or min(len(a), len(b)) >= ENOUGH) and _between(first, second) and _between(second, first)


def _between(series: Series, other: Series) -> bool:
    """Whether each sample of one lies between those of the other before and after it."""
    times = [at for at, _ in other.samples]
    for at, value in series.samples:
        before, after = bisect_left(times, at) - 1, bisect_right(times, at)
        if before >= 0 and value < other.samples[before][1]:
            return False
        if after < len(times) and value > other.samples[after][1]:
            return False
    return True


def counted_once(series: Iterable[Series]) -> None:
    """Make sure that no counter is there twice: each request would count as two, and evidence grow twice as fast.

    Raises:
        EvidenceError: Names the two ways by which one pod's counter came.
    """
    seen: dict[Key, Series] = {}
    for counter in series:
        what = _counter(counter.key)
        other = seen.setdefault(what, counter)
        if other is not counter:
            ways = [", ".join(f"{k}={v!r}" for k, v in way.key if (k, v) not in which.key) for way, which in
                    ((other, counter), (counter, other))]  # fmt: skip
            raise EvidenceError(
                f"{counter.labels.get('__name__', 'a counter')} of pod {counter.labels.get('pod', '?')} is there twice, with "
                f"{ways[0] or 'no such label'} and with {ways[1] or 'no such label'}: its requests would count twice. "
                "Let Prometheus scrape each pod once, or query through what removes duplicates"
            )
