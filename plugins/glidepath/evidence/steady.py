"""Reads of the very counters that the look before read, which did nothing but rise: most looks are.

Then nothing was born, restarted, dipped or fell, and what follows from labels alone is known: the counts are differences.
Whatever is otherwise is left to `Counters`, to which it is as if it had made these reads as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

from glidepath.evidence.counters import Counters
from glidepath.evidence.edges import same_edges
from glidepath.evidence.interval import Collected
from glidepath.evidence.lives import Sample, Use
from glidepath.evidence.pace import counts, counts_all
from glidepath.evidence.places import Places, places
from glidepath.evidence.series import Grown, Key, Series
from glidepath.evidence.shares import SUM, Selected
from glidepath.evidence.source import Source
from glidepath.evidence.tally import series_of

# By how much a counter grew, for its own sake and as a part of what its process did: added up in two ways.
Rise = tuple[float, float]
NONE: Rise = (0.0, 0.0)


@dataclass
class Process:
    """A process, and its counters by their numbers in a read.

    Attributes:
        name: Which.
        at: Until when they were read, epoch seconds.
        series: All of its counters.
        counting: By use that tells of requests, those that are no part of another.
    """

    name: Key
    at: float
    series: list[int] = field(default_factory=list)
    counting: dict[str, list[int]] = field(default_factory=dict)


@dataclass
class Layout:
    """What follows from which counters there are.

    Attributes:
        keys: Theirs, in order; lengths: of the lists in which they come.
        processes: Those of the counters, in the order in which what they did is told.
        histograms: The buckets of each, which have to be there as long as one another.
        uses: What each counter is read for, with its number; reads: what each process is.
        values: What each had last.
        edges, common: As for `tally`.
        places: By version, where each is added up.
    """

    keys: list[Key]
    lengths: list[int]
    processes: dict[Key, Process]
    histograms: list[list[int]]
    uses: list[tuple[Use, int]]
    reads: dict[tuple[str, Key], Process]
    values: list[float]
    edges: tuple[float, ...]
    common: tuple[float, ...]
    places: Mapping[str, Places]

    def last(self) -> dict[Use, Sample]:
        """What each counter had last, as `Counters` knows it."""
        at = {number: process.at for process in self.processes.values() for number in process.series}
        return {use: Sample(at[number], self.values[number]) for use, number in self.uses}

    def until(self) -> list[tuple[tuple[str, Key], float]]:
        """Until when each process was read for each use, epoch seconds."""
        return [(name, process.at) for name, process in self.reads.items()]


class Steady:
    """Makes such reads.

    Args:
        counters: What is known of the counters.
        source: How the series are read.
        versions: Whose counts are told.
    """

    def __init__(self, counters: Counters, source: Source, versions: Sequence[str]) -> None:
        self._counters, self._source, self._versions = counters, source, versions
        self._layout: Layout | None = None

    def forget(self) -> None:
        """The next read is another."""
        self._layout = None

    def learn(
        self, requests: list[Series], latency: list[Series], others: Selected, uses: Mapping[str, list[Series]]
    ) -> None:
        """Take in which series were just read and counted; `uses` has them by use, buckets left out."""
        lists = _lists(self._source, requests, latency, others)
        series = [*chain(*lists)]
        keys = [counter.key for counter in series]
        edges = same_edges(latency, self._source)
        if edges is None or self._counters.unsure or len({*keys}) < len(keys):
            return
        numbers = {id(counter): number for number, counter in enumerate(series)}
        read = {**uses, "latency": latency}
        processes = _processes(self._counters, read, numbers)
        if processes is None:
            return
        common, histograms = edges
        cut = self._source.edges or common
        common = tuple(edge for edge in cut if edge in common)
        mine = {version: series_of(self._source, version, requests, latency, others) for version in self._versions}
        self._layout = Layout(
            keys, [len(each) for each in lists], processes, [[numbers[id(one)] for one in each] for each in histograms],
            [((use, counter.key), numbers[id(counter)]) for use, each in read.items() for counter in each],
            {(use, counter.process): processes[counter.process] for use, each in read.items() for counter in each},
            [counter.samples[-1][1] for counter in series], cut, common,
            {version: places(self._source, own, numbers, cut, common) for version, own in mine.items()},
        )  # fmt: skip

    def collected(
        self, requests: list[Series], latency: list[Series], others: Selected, start: float, end: float,
        reports: Callable[[Series], bool],
    ) -> Collected | None:  # fmt: skip
        """The interval that series come to; None, and nothing is taken in, where it is no such read.

        Args:
            requests, latency, others: As `Collector.difference` has them.
            start, end: The interval's bounds, epoch seconds.
            reports: Whether a series of requests that did not grow says that its pod is there.
        """
        layout, self._layout = self._layout, None
        lists = _lists(self._source, requests, latency, others)
        if layout is None or self._counters.unsure or [len(each) for each in lists] != layout.lengths:
            return None
        series = [*chain(*lists)]
        if [counter.key for counter in series] != layout.keys or not _as_long(layout, series):
            return None
        risen = _risen(layout, series)
        if risen is None:
            return None
        self._take_in(layout, series, risen)
        self._layout = layout
        grown = [rise[0] for rise in risen]
        told = {version: own.tally(series, grown, reports) for version, own in layout.places.items()}
        return Collected(start, end, layout.edges, told, layout.common)

    def _take_in(self, layout: Layout, series: Sequence[Series], risen: Sequence[Rise]) -> None:
        did, before = {}, {}
        for name, process in layout.processes.items():
            newest, before[name] = series[process.series[0]].samples[-1][0], process.at
            if process.counting:
                rose = (_added(risen[number][1] for number in each) for each in process.counting.values() if each)
                did[name] = max(rose, default=0.0), newest - process.at
            if newest > process.at:
                process.at = newest
                for number in process.series:
                    layout.values[number] = series[number].samples[-1][1]
        self._counters.rose(did, before, layout)


def _lists(source: Source, requests: list[Series], latency: list[Series], others: Selected) -> list[list[Series]]:
    return [requests, latency, *(others[selector] for selector in sorted(others) if selector != source.requests)]


def _processes(
    counters: Counters, uses: Mapping[str, list[Series]], numbers: Mapping[int, int]
) -> dict[Key, Process] | None:
    """The processes of counters that have all been read to their ends; None where not all have."""
    found: dict[Key, Process] = {}
    # Those that tell of requests come first: in their order what processes did is added up.
    for use in sorted(uses, key=lambda use: use.endswith(SUM)):
        for counter in uses[use]:
            at, value = counter.samples[-1]
            known = counters.last(use, counter.key)
            process = found.setdefault(counter.process, Process(counter.process, at))
            if isinstance(counter, Grown) or known != Sample(at, value) or not counts(value) or process.at != at:
                return None
            number = numbers[id(counter)]
            if number not in process.series:
                process.series.append(number)
            if not use.endswith(SUM):
                counting = process.counting.setdefault(use, [])
                if counts_all(counter.key):
                    counting.append(number)
    return found if all(counters.settled(process.name, process.at) for process in found.values()) else None


def _as_long(layout: Layout, series: Sequence[Series]) -> bool:
    """Whether each histogram's buckets are there as long as one another."""
    for histogram in layout.histograms:
        samples = series[histogram[0]].samples
        first, last = samples[0][0], samples[-1][0]
        for number in histogram:
            samples = series[number].samples
            if samples[0][0] != first or samples[-1][0] != last:
                return False
    return True


def _risen(layout: Layout, series: Sequence[Series]) -> list[Rise] | None:
    """By how much each counter rose; None where one fell, or was not scraped together with its process' others."""
    risen, values = [NONE] * len(series), layout.values
    for process in layout.processes.values():
        at, newest = process.at, series[process.series[0]].samples[-1][0]
        if newest < at:
            return None
        for number in process.series:
            samples = series[number].samples
            if samples[-1][0] != newest:
                return None
            if newest == at:
                continue
            if len(samples) == 1 or samples[-2][0] <= at:
                more = samples[-1][1] - values[number]
                if not 0.0 <= more < math.inf:
                    return None
                risen[number] = more, more
            elif (rise := _steps(samples, at, values[number])) is not None:
                risen[number] = rise
            else:
                return None
    return risen


def _steps(samples: Sequence[tuple[float, float]], at: float, had: float) -> Rise | None:
    """The same over several samples; None as well where two are of one time, of which only the first counts."""
    steps, before = [0.0], -math.inf
    for when, value in samples:
        if when > at:
            if not math.inf > value >= had or when <= before:
                return None
            steps.append(value - had)
            had, before = value, when
    return sum(steps), _added(steps)


def _added(values: Iterable[float]) -> float:
    """One after the other, which `sum` does not in every Python."""
    total = 0.0
    for value in values:
        total += value
    return total
