"""A counter that comes by two ways is one counter: a pod may be scraped by two jobs.

What was counted is told by the labels that split a total, by the version and the pod; all other labels may say by which
way a sample came: job, instance, node, labels mapped from the pod. Two ways to the same counters show the same counts:
what one shows at a time lies between what the other shows before and after.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import combinations

from glidepath.errors import EvidenceError
from glidepath.evidence.lives import PARTS
from glidepath.evidence.series import KNOWN, Key, Series

# Labels that say by which way a sample came, not what was counted.
WAYS = frozenset({"job", "service", "endpoint", "container", "prometheus", "prometheus_replica", "replica", "cluster"})
TARGETS = WAYS | {"instance", "node"}
# By fewer scrapes than these, counters that are read at the same instants, or at others, are not known to be one.
FEWEST, ENOUGH = 2, 6
COUNTED = PARTS | {"__name__", "name", "pod", "version", "destination_version", "glidepath_version"}
Way = dict[Key, Series]


def unread(_: Series) -> bool:
    """Nothing was read before."""
    return False


class Plain:
    """Whether it is plain that nothing of some lists is there twice. Labels alone tell it: of the same ones it is known."""

    def __init__(self) -> None:
        self._keys: list[list[Key]] | None = None

    def __call__(self, several: Sequence[Sequence[Series]]) -> bool:
        """Whether it is."""
        keys = [[counter.key for counter in series] for series in several]
        if keys != self._keys:
            self._keys = keys if _plain(several) else None
        return self._keys is not None


def each_once(
    *several: Sequence[Series], read: Callable[[Series], bool] = unread,
    plain: Callable[[Sequence[Sequence[Series]]], bool] | None = None,
) -> tuple[list[Series], ...]:  # fmt: skip
    """Several lists of one source's series, each without what is there once more.

    Args:
        several: The lists.
        read: Whether all samples of a series were read before: where another is one with it, it is no longer needed.
        plain: A `Plain` that has seen such lists before; None: each is looked through.

    Raises:
        EvidenceError: A counter is there twice, and it can't be known whether it is one.
    """
    if (plain or _plain)(several):
        return tuple(map(list, several))
    left = of_one_way([counter for series in several for counter in series])
    kept = {counter.key for counter in left} - ended_ways(left, read)
    once = tuple([counter for counter in series if counter.key in kept] for series in several)
    counted_once(counter for series in once for counter in series)
    return once


def ended_ways(series: Iterable[Series], read: Callable[[Series], bool]) -> set[Key]:
    """The series without a new sample whose counters come by another way as well."""
    ways: dict[Key, list[Series]] = {}
    for counter in series:
        ways.setdefault(_counter(counter.key), []).append(counter)
    return {
        counter.key for alike in ways.values() if not all(map(read, alike)) for counter in alike if read(counter)
    }  # fmt: skip


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
    again = {each.key for ways in pods.values() for way in _again(ways) for each in ways[way].values()}
    return [counter for counter in series if counter.key not in again]


def _again(ways: Mapping[Key, Way]) -> set[Key]:
    """Those of a pod's ways that show the same counters as another; the others are left."""
    pairs = [(first, second) for first, second in combinations(sorted(ways), 2) if _may_be_ways(first, second)]
    same: set[Key] = set()
    scrapes: set[tuple[Key, Key]] = set()
    for first, second in pairs:
        if not same & {first, second} and _same(ways[first], ways[second]):
            same.add(second)
            scrapes.add(_apart(first, second))
    # What has just begun or is at its end says little: the other counters of the same two scrapes say it.
    for first, second in pairs if scrapes else ():
        if not same & {first, second} and _apart(first, second) in scrapes and _may_be(ways[first], ways[second]):
            same.add(second)
    return same


def _apart(first: Key, second: Key) -> tuple[Key, Key]:
    """What each of two ways has that the other has not."""
    return tuple(pair for pair in first if pair not in second), tuple(pair for pair in second if pair not in first)


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
    return _may_be(first, second) and any(_enough(a, b) and len(set(_values(a))) > 1 for a, b in _both(first, second))


def _may_be(first: Way, second: Way) -> bool:
    """Whether nothing says that two ways show different counters."""
    if not (_at_the_rim(first, second) and _at_the_rim(second, first)):
        return False
    return all(_alike(a, b) for a, b in _both(first, second))


def _both(first: Way, second: Way) -> list[tuple[Series, Series]]:
    return [(series, second[what]) for what, series in first.items() if what in second]


def _enough(first: Series, second: Series) -> bool:
    """Whether two series have samples enough to tell whether they are one counter's."""
    return min(len(first.samples), len(second.samples)) >= FEWEST


def _at_the_rim(way: Way, other: Way) -> bool:
    """Whether what only one way shows ended before the other's first scrape that is known, or began after its last."""
    times = [at for series in other.values() for at, _ in series.samples]
    alone = [series.samples for what, series in way.items() if what not in other]
    return all(samples[-1][0] < min(times) or samples[0][0] > max(times) for samples in alone)


def _alike(first: Series, second: Series) -> bool:
    """Whether two series are one counter's; of those of too few samples, whether they may be."""
    a, b = dict(first.samples), dict(second.samples)
    both = a.keys() & b.keys()
    equal = all(a[at] == b[at] for at in both)
    if not _enough(first, second):
        if not equal:
            return False
    elif equal and len(both) >= FEWEST:
        return True
    elif both and min(len(a), len(b)) < ENOUGH:
        return False
    return _between(first, second) and _between(second, first)


def _between(series: Series, other: Series) -> bool:
    """Whether each sample of one lies between those of the other before and after it, but where either one fell."""
    times, mine, theirs = [at for at, _ in other.samples], _values(series), _values(other)
    for place, (at, value) in enumerate(series.samples):
        before, after = bisect_left(times, at) - 1, bisect_right(times, at)
        if before >= 0 and value < theirs[before] and not (_falls(mine, place - 1) or _falls(theirs, before)):
            return False
        if after < len(times) and value > theirs[after] and not (_falls(mine, place) or _falls(theirs, after - 1)):
            return False
    return True


def _values(series: Series) -> list[float]:
    return [value for _, value in series.samples]


def _falls(values: Sequence[float], place: int) -> bool:
    """Whether the next value is lower: what counts began anew."""
    return 0 <= place < len(values) - 1 and values[place + 1] < values[place]


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
