"""How much each counter grew from read to read, through restarts of what counts.

A process that restarts begins all its counters again, and some are there only once they have something to count: an
error counter that is absent after a restart and comes back at its last value or above shows no fall. So restarts are
looked for in the process, not in each series: the largest counter that it exposes tells.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from glidepath.evidence.prometheus import Series

Key = tuple[tuple[str, str], ...]
Use = tuple[str, Key]
# Labels that name one process.
PROCESS = ("pod", "instance")


def process(series: Series) -> Key:
    """Which process a series comes from; one that names none is its own."""
    return process_of(series.key)


def process_of(key: Key) -> Key:
    """The same, of a series' labels."""
    labels = dict(key)
    return tuple((label, labels[label]) for label in PROCESS if labels.get(label)) or key


def _key(given: Iterable[Sequence[str]]) -> Key:
    return tuple((str(label), str(value)) for label, value in given)


@dataclass(frozen=True)
class _Sample:
    time: float
    value: float


@dataclass
class Counters:
    """The counters of all processes; one series may serve several uses, each of which reads it for itself."""

    _last: dict[Use, _Sample] = field(default_factory=dict)
    # When each process began anew: the last time that was known before this read, and those within it.
    _births: dict[Key, list[float]] = field(default_factory=dict)
    _seen: set[Key] = field(default_factory=set)
    # Processes from before a gap, and those of them that this read sees for the first time since, and from when on.
    _known: set[Key] = field(default_factory=set)
    _back: dict[Key, float] = field(default_factory=dict)
    # Until when another has read each use of a process, until this one has read them itself.
    _read: dict[tuple[str, Key], float] = field(default_factory=dict)
    _resumed: bool = False

    @property
    def forgot(self) -> bool:
        """Whether there was a gap."""
        return bool(self._known)

    def forget(self) -> None:
        """There was a gap: what was counted in it is nobody's. Which processes there were stays known."""
        self._known |= self._seen
        for one in (self._last, self._births, self._seen, self._back, self._read):
            one.clear()

    def state(self) -> dict[str, Any]:
        """What another needs to go on from here: until when each process was read, not what its counters had."""
        uses: dict[Key, dict[str, float]] = {}
        read = dict(self._read)
        for (use, key), last in self._last.items():
            name = use, process_of(key)
            read[name] = max(read.get(name, last.time), last.time)
        for (use, process), at in read.items():
            uses.setdefault(process, {})[use] = at
        born = {process: births[-1] for process, births in self._births.items() if births}
        return {
            "processes": [{"of": one, "uses": read, "born": born.get(one)} for one, read in uses.items()],
            "known": sorted(self._known),
        }

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from another's state: its last samples are those that are there by then, up to when it had read."""
        for one in state["processes"]:
            name = _key(one["of"])
            self._seen.add(name)
            self._read |= {(use, name): float(at) for use, at in one["uses"].items()}
            if one["born"] is not None:
                self._births[name] = [float(one["born"])]
        self._known |= {_key(one) for one in state["known"]}
        self._resumed = True

    def begin(self, series: Iterable[Series], use: str) -> None:
        """Take the first sample of each series as what its counter began from; `use` as in `growth`."""
        for one in series:
            self._last[(use, one.key)] = _Sample(*one.samples[0])
            self._seen.add(process(one))

    def read(self, uses: dict[str, Sequence[Series]], others: Iterable[Series] = ()) -> None:
        """Find out which processes restarted or are back, before the growth of any counter is asked for.

        Args:
            uses: By use, the series of the counters that tell; they are large ones.
            others: Those that tell only that their process is there.
        """
        processes: dict[Key, dict[Use, Series]] = {}
        for use, series in uses.items():
            for one in series:
                if one.samples:
                    processes.setdefault(process(one), {})[(use, one.key)] = one
        began: dict[Key, float] = {}
        for one in chain(*uses.values(), others):
            if one.samples:
                at = one.samples[0][0]
                began[process(one)] = min(began.get(process(one), at), at)
        if self._resumed:
            self._part(began)
        else:
            self._read.clear()
        self._resumed = False
        for use, series in uses.items():
            for one in series:
                self._take_up(one, use)
        self._back = {name: at for name, at in began.items() if name in self._known and name not in self._seen}
        for name, mine in processes.items():
            self._births[name] = self._restarts(mine, self._births.get(name, [])[-1:])
        self._seen |= began.keys()

    def _part(self, began: Mapping[Key, float]) -> None:
        """Of a process none of whose samples are there that the other read, one knows no more than after a gap."""
        until: dict[Key, float] = {}
        for (_, name), at in self._read.items():
            until[name] = max(until.get(name, at), at)
        lost = {name for name, at in until.items() if began.get(name, math.inf) > at}
        self._seen -= lost
        self._known |= lost
        self._read = {key: at for key, at in self._read.items() if key[1] not in lost}

    def _take_up(self, series: Series, use: str) -> None:
        """Take the last sample that the other had read as the last that was read."""
        until = self._read.get((use, process(series)))
        if until is None or (use, series.key) in self._last:
            return
        known = [one for one in series.samples if one[0] <= until and not math.isnan(one[1])]
        if known:
            self._last[(use, series.key)] = _Sample(*known[-1])

    def _restarts(self, mine: dict[Use, Series], births: list[float]) -> list[float]:
        """The times of a process' restarts: the one that was known last, and those within these samples."""
        last = {use: self._last[use] for use in mine if use in self._last}
        scrapes: dict[float, dict[Use, float]] = {}
        for use, one in mine.items():
            after = last[use].time if use in last else -math.inf
            for at, value in one.samples:
                row = scrapes.setdefault(at, {})
                if at > after and not math.isnan(value):
                    row[use] = value
        times = sorted(scrapes)
        for at in times:
            # What was not seen since the last restart is of an earlier life, and small ones tell nothing: their counters
            # may be evicted, and begin anew, one by one.
            alive = [use for use, one in last.items() if one.value >= 0 and (not births or one.time >= births[-1])]
            largest = max(alive, key=lambda use: last[use].value, default=None)
            if largest is not None and scrapes[at].get(largest, math.inf) < last[largest].value:
                # Where it was absent for a while, the others are of the new life since it was.
                born = times[bisect_right(times, last[largest].time)]
                births = [*births, born]
            last |= {use: _Sample(at, value) for use, value in scrapes[at].items()}
        return births

    def growth(self, series: Series, use: str, first: bool) -> int:
        """How much a counter grew since it was last read for this use.

        Args:
            series: Its samples; those that were read before are left out.
            use: What for.
            first: Whether nothing was read before: then it is zero, and a baseline for the next.
        """
        self._take_up(series, use)
        last = self._last.get((use, series.key)) or self._start(series, first)
        births = self._births.get(process(series), [])
        total = 0.0
        for at, value in series.samples:
            if at <= last.time or math.isnan(value):
                continue
            if value < last.value or bisect_right(births, at) > bisect_right(births, last.time):
                total += value
            elif not math.isnan(last.value):
                total += value - last.value
            last = _Sample(at, value)
        self._last[(use, series.key)] = last
        return round(total)

    def _start(self, series: Series, first: bool) -> _Sample:
        """A baseline on the first read, and for what was there before a gap; else zero: it was born while we watched."""
        if first:
            readable = [one for one in series.samples if not math.isnan(one[1])]
            return _Sample(*(readable or series.samples)[-1])
        since = self._back.get(process(series))
        if since is not None and series.samples and series.samples[0][0] <= since:
            return _Sample(*series.samples[0])
        return _Sample(0.0, 0.0)
