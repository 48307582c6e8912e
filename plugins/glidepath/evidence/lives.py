"""When processes, or some of their counters, began anew, and when they fell although they did not.

The largest counter tells: a small one may be evicted alone, or be absent until it has something to count. Counters that
differ only in labels that split one total (status, code, bucket) are one family, and begin anew together: a proxy's
statistics of one cluster do when its settings change, while others go on. When no family goes on, it is the process.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from glidepath.evidence.pace import SLACK, counts
from glidepath.evidence.series import KNOWN, Key, Series

Use = tuple[str, Key]
# Labels whose values split one total.
PARTS = frozenset({
    "le", "status", "code", "result", "response_code", "response_code_class", "response_flags", "grpc_response_status",
    "envoy_response_code", "envoy_response_code_class", "status_code", "http_status_code", "http_response_status_code",
    "grpc_code", "rpc_grpc_status_code", "outcome", "exception", "error", "error_type", "finished_reason",
})  # fmt: skip
# A process that restarted has not counted half of what it had within a scrape or two; one that answers in turn has.
HALF = 0.5
# Nor is one that had so much, and has it again a scrape after its restart.
MUCH = 10 * SLACK


@dataclass(frozen=True)
class Sample:
    """A counter's value at an epoch second."""

    time: float
    value: float


@dataclass
class Lives:
    """Of one process, when it or a family of its counters began anew; the last time that was known, and those within a read.

    Attributes:
        own: When the process did.
        families: When a family did alone.
        falls: When its counters fell to a value that neither a restart nor a dip explains.
    """

    own: list[float] = field(default_factory=list)
    families: dict[Key, list[float]] = field(default_factory=dict)
    falls: list[float] = field(default_factory=list)
    # By family, what it had before it began anew at the last scrape.
    had: dict[Key, float] = field(default_factory=dict)

    def born(self, key: Key) -> list[float]:
        """When a series' counter began anew."""
        return [*self.own, *self.families.get(family(key), ())] if self.families else self.own

    def anew(self, key: Key, since: float, at: float) -> bool:
        """Whether a series' counter began anew after `since`, and no later than `at`."""
        return any(since < born <= at for born in self.born(key))

    def fell(self, at: float) -> None:
        """Note a fall that nothing explains."""
        if at not in self.falls:
            self.falls.append(at)

    def trim(self) -> None:
        """Keep the last of each."""
        self.own = self.own[-1:]
        self.families = {name: born[-1:] for name, born in self.families.items()}


@lru_cache(KNOWN)
def family(key: Key) -> Key:
    """The labels that a counter shares with those that split the same total."""
    split = [label for label, _ in key if label in PARTS]
    return (*(pair for pair in key if pair[0] not in PARTS), *((label, "*") for label in split))


@dataclass
class _Read:
    """The scrapes of one read, and what was known last of each counter."""

    times: list[float]
    scrapes: dict[float, dict[Use, float]]
    last: dict[Use, Sample]
    families: dict[Use, Key]


def live(
    lives: Lives,
    mine: Mapping[Use, Series],
    last: Mapping[Use, Sample],
    fits: Callable[[float, float], bool],
    dip: float,
) -> None:
    """Find when a process, or a family of its counters, began anew within a read.

    Args:
        lives: What is known of it; what is found is added.
        mine: Its counters' samples.
        last: What each counter had at the last read.
        fits: Whether it can have counted so much in so many seconds.
        dip: A fall by no more is a sample that was taken a little sooner than the one before it.
    """
    lives.trim()
    if not lives.had and not any(_falls(series, last.get(use)) for use, series in mine.items()):
        return
    read = _read(mine, last)
    for at in read.times:
        _scrape(lives, read, at, fits, dip)
        read.last |= {use: Sample(at, value) for use, value in read.scrapes[at].items()}


def _falls(series: Series, last: Sample | None) -> bool:
    """Whether any sample is lower than the one before: where none is, nothing began anew."""
    known = last is not None and counts(last.value)
    after, before = (last.time, last.value) if last is not None and known else (-math.inf, 0.0)
    for at, value in series.samples:
        if at > after and counts(value):
            if value < before:
                return True
            before = value
    return False


def _read(mine: Mapping[Use, Series], last: Mapping[Use, Sample]) -> _Read:
    known = {use: last[use] for use in mine if use in last and counts(last[use].value)}
    scrapes: dict[float, dict[Use, float]] = {}
    for use, series in mine.items():
        after = known[use].time if use in known else -math.inf
        for at, value in series.samples:
            row = scrapes.setdefault(at, {})
            if at > after and counts(value):
                row[use] = value
    return _Read(sorted(scrapes), scrapes, known, {use: family(use[1]) for use in mine})


def _scrape(lives: Lives, read: _Read, at: float, fits: Callable[[float, float], bool], dip: float) -> None:
    row, began, goes_on = read.scrapes[at], {}, False
    leaders = _leaders(lives, read)
    for name, use in leaders.items():
        before, value = read.last[use], row.get(use)
        if value is None:
            continue
        short = value <= SLACK or fits(value, at - before.time)
        if value >= lives.had.pop(name, math.inf):
            lives.fell(at)
        if value >= before.value:
            goes_on = goes_on or not short
        elif value > SLACK and before.value - value <= dip:
            goes_on = True
        elif value <= SLACK or (short and value <= HALF * before.value):
            # Where it was absent for a while, the others are of the new life since it was.
            began[name] = read.times[bisect_right(read.times, before.time)]
            if before.value > MUCH:
                lives.had[name] = before.value
        else:
            lives.fell(at)
    if not began:
        return
    largest = max(leaders, key=lambda name: read.last[leaders[name]].value)
    if largest in began and not goes_on:
        lives.own.append(began[largest])
        return
    for name, born in began.items():
        lives.families.setdefault(name, []).append(born)


def _leaders(lives: Lives, read: _Read) -> dict[Key, Use]:
    """Each family's largest counter. What was not seen since the last restart is of an earlier life."""
    leaders: dict[Key, Use] = {}
    own = max(lives.own, default=-math.inf)
    for use, sample in read.last.items():
        name = read.families[use]
        if sample.time < max([own, *lives.families.get(name, ())]):
            continue
        if name not in leaders or sample.value > read.last[leaders[name]].value:
            leaders[name] = use
    return leaders
