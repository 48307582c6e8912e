"""How much each counter grew from read to read, through restarts of what counts.

A process that restarts begins all its counters again, and some are there only once they have something to count: an
error counter that is absent after a restart and comes back at its last value or above shows no fall. So restarts are
looked for in the process and in families of counters, not in each series (`lives`). What would be counted from zero, at
a birth or a restart, is counted only if it can have happened since (`pace`); else it is what the next read begins from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any

from glidepath.evidence.lives import Lives, Sample, Use, live
from glidepath.evidence.pace import Key, Pace, counts, counts_all, process, process_of
from glidepath.evidence.prometheus import Series

# Falls that nothing explains are remembered for so long, seconds, and so many of one process are no accident.
FALLS_S = 600.0
FALLS = 2


def _key(given: Iterable[Sequence[str]]) -> Key:
    return tuple((str(label), str(value)) for label, value in given)


@dataclass
class Counters:
    """The counters of all processes; one series may serve several uses, each of which reads it for itself.

    Args:
        pace: What processes can have done.
    """

    pace: Pace = field(default_factory=Pace)
    _last: dict[Use, Sample] = field(default_factory=dict)
    # What a counter had before it fell for no reason, and before a dip: up to there it is not counted again.
    _peaks: dict[Use, float] = field(default_factory=dict)
    _dips: dict[Use, float] = field(default_factory=dict)
    _lives: dict[Key, Lives] = field(default_factory=dict)
    # Until when each process was seen before this read, and all of them.
    _until: dict[Key, float] = field(default_factory=dict)
    _seen: set[Key] = field(default_factory=set)
    # Processes from before a gap, and those of them that this read sees for the first time since, and from when on.
    _known: set[Key] = field(default_factory=set)
    _back: dict[Key, float] = field(default_factory=dict)
    _started: dict[Key, float] = field(default_factory=dict)  # when processes began, where that is known
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
        for one in (self._last, self._peaks, self._dips, self._lives, self._until, self._seen, self._back, self._read):
            one.clear()

    def state(self) -> dict[str, Any]:
        """What another needs to go on from here: until when each process was read, not what its counters had."""
        uses: dict[Key, dict[str, float]] = {}
        read = dict(self._read)
        for (use, key), last in self._last.items():
            name = use, process_of(key)
            read[name] = max(read.get(name, last.time), last.time)
        for (use, one), at in read.items():
            uses.setdefault(one, {})[use] = at
        return {
            "processes": [{"of": one, "uses": read, **self._told(one)} for one, read in uses.items()],
            "known": sorted(self._known),
            "pace": self.pace.state(),
            "peaks": [[use, key, value] for (use, key), value in self._peaks.items()],
            "dips": [[use, key, value] for (use, key), value in self._dips.items()],
        }

    def _told(self, name: Key) -> dict[str, Any]:
        lives = self._lives.get(name, Lives())
        told: dict[str, Any] = {"born": lives.own[-1] if lives.own else None}
        families = [[family, born[-1]] for family, born in lives.families.items() if born]
        rest = {"usual": self.pace.usual(name), "families": families, "falls": lives.falls}
        return told | {what: value for what, value in rest.items() if value}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from another's state: its last samples are those that are there by then, up to when it had read."""
        usual = {}
        for one in state["processes"]:
            name = _key(one["of"])
            self._seen.add(name)
            self._read |= {(use, name): float(at) for use, at in one["uses"].items()}
            lives = self._lives.setdefault(name, Lives())
            lives.own = [float(one["born"])] if one["born"] is not None else []
            lives.families = {_key(family): [float(born)] for family, born in one.get("families", ())}
            lives.falls = [float(at) for at in one.get("falls", ())]
            if one.get("usual"):
                usual[name] = float(one["usual"])
        self._known |= {_key(one) for one in state["known"]}
        self._peaks = {(use, _key(key)): float(value) for use, key, value in state.get("peaks", ())}
        self._dips = {(use, _key(key)): float(value) for use, key, value in state.get("dips", ())}
        self.pace.resume(state.get("pace", {}), usual)
        self._resumed = True

    def begin(self, series: Iterable[Series], use: str) -> None:
        """Take the first sample of each series as what its counter began from; `use` as in `growth`."""
        for one in series:
            self._last[(use, one.key)] = Sample(*one.samples[0])
            self._seen.add(process(one))

    def births(self, series: Iterable[Series], use: str) -> dict[Key, Sample]:
        """The counters that this read sees for the first time, with their first samples; `read` comes first."""
        found = {}
        for one in series:
            if (use, one.key) in self._last or process(one) in self._back:
                continue
            first = next((sample for sample in one.samples if counts(sample[1])), None)
            if first is not None:
                found[one.key] = Sample(*first)
        return found

    def remember(self, past: Iterable[Series], use: str, born: Mapping[Key, Sample]) -> None:
        """Take what counters had before as what they began from; `past` has samples of that time, `born` is `births`'."""
        for one in past:
            if one.key not in born:
                continue
            had = [sample for sample in one.samples if sample[0] < born[one.key].time and counts(sample[1])]
            if had:
                self._last[(use, one.key)] = Sample(*had[-1])

    def started(self, times: Mapping[Key, float]) -> None:
        """Take in when processes began, epoch seconds: one that did since the last read counted from zero."""
        self._started = dict(times)

    def read(self, uses: Mapping[str, Sequence[Series]], others: Iterable[Series] = ()) -> None:
        """Find out which processes restarted or are back, before the growth of any counter is asked for.

        Args:
            uses: By use, the series of its counters.
            others: Those that tell only that their process is there.
        """
        processes: dict[Key, dict[Use, Series]] = {}
        for use, one in ((use, one) for use, series in uses.items() for one in series if one.samples):
            processes.setdefault(process(one), {})[(use, one.key)] = one
        began: dict[Key, float] = {}
        for one in chain(*uses.values(), others):
            if one.samples:
                at = one.samples[0][0]
                began[process(one)] = min(began.get(process(one), at), at)
        self._take_over(uses, began)
        self._back = {name: at for name, at in began.items() if name in self._known and name not in self._seen}
        self.pace.read({name: self._risen(name, mine) for name, mine in processes.items()})
        for name, mine in processes.items():
            lives = self._lives.setdefault(name, Lives())
            live(lives, mine, self._last, partial(self.pace.fits, name), self.pace.dip(name))
        self._seen |= began.keys()

    def _take_over(self, uses: Mapping[str, Sequence[Series]], began: Mapping[Key, float]) -> None:
        if self._resumed:
            self._part(began)
        else:
            self._read.clear()
        self._resumed = False
        for use, series in uses.items():
            for one in series:
                self._take_up(one, use)
        self._until.clear()
        for (_, key), last in self._last.items():
            name = process_of(key)
            self._until[name] = max(self._until.get(name, last.time), last.time)

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
        known = [one for one in series.samples if one[0] <= until and counts(one[1])]
        if known:
            at, value = known[-1]
            self._last[(use, series.key)] = Sample(at, max(value, self._dips.get((use, series.key), value)))

    def _risen(self, name: Key, mine: Mapping[Use, Series]) -> tuple[float, float]:
        """By how much a process' counters rose since it was seen last, those of one use together, and in what time."""
        since = self._until.get(name, -math.inf)
        risen: dict[str, float] = {}
        first, newest = math.inf, since
        for (use, key), one in mine.items():
            last = self._last.get((use, key))
            before = last if last is not None and last.time >= since else None
            for at, value in one.samples:
                if at < since or not counts(value) or (before is not None and at <= before.time):
                    continue
                if before is not None and counts(before.value) and counts_all(key):
                    risen[use] = risen.get(use, 0.0) + max(0.0, value - before.value)
                before = Sample(at, value)
                first, newest = min(first, at), max(newest, at)
        return max(risen.values(), default=0.0), max(0.0, newest - (since if math.isfinite(since) else first))

    def growth(self, series: Series, use: str, first: bool) -> int:
        """How much a counter grew since it was last read for this use; arguments as `steps`'."""
        return round(sum(more for _, more in self.steps(series, use, first)))

    def steps(self, series: Series, use: str, first: bool) -> list[tuple[float, float]]:
        """By how much a counter grew until each of its samples, by their times.

        Args:
            series: Its samples; those that were read before are left out.
            use: What for.
            first: Whether nothing was read before: then it is zero, and a baseline for the next.
        """
        self._take_up(series, use)
        name, of = process(series), (use, series.key)
        known = self._last.get(of)
        start = (known, 0.0) if known is not None else self._start(series, use, first)
        if start is None:
            return []
        last, born = start
        grown = [(last.time, born)]
        lives, dip = self._lives.get(name, Lives()), self.pace.dip(name)
        for at, value in series.samples:
            if at <= last.time or not counts(value):
                continue
            more = 0.0
            self._dips.pop(of, None)
            if lives.anew(series.key, last.time, at):
                more = self._from_zero(series, use, value, at - last.time)
            elif 0 < last.value - value <= dip:
                value = self._dips[of] = last.value
            elif value < last.value:
                more = self._fallen(series, use, last, Sample(at, value))
            elif counts(last.value):
                more = self._rise(of, last.value, value)
            grown.append((at, more))
            last = Sample(at, value)
        self._last[of] = last
        return grown

    def _from_zero(self, series: Series, use: str, value: float, seconds: float) -> float:
        """What a counter that began anew counted since: its value, if that can have happened."""
        name = process(series)
        self._peaks.pop((use, series.key), None)
        if not self.pace.fits(name, value, seconds, use):
            return 0.0
        if counts_all(series.key):
            self.pace.count(name, value, use)
        return value

    def _fallen(self, series: Series, use: str, last: Sample, now: Sample) -> float:
        """What a counter that fell alone counted since: it was dropped and began anew, or nobody knows."""
        of = use, series.key
        if self.pace.fits(process(series), now.value, now.time - last.time, use):
            return self._from_zero(series, use, now.value, now.time - last.time)
        self._peaks[of] = max(last.value, self._peaks.get(of, 0.0))
        return 0.0

    def _rise(self, of: Use, before: float, after: float) -> float:
        """A rise; back over what it had before it fell for no reason, only what lies above that."""
        peak = self._peaks.get(of)
        if peak is None or after < peak:
            return after - before
        del self._peaks[of]
        return after - peak

    def _start(self, series: Series, use: str, first: bool) -> tuple[Sample, float] | None:
        """What a counter that was not read yet began from, and what it counted until then; None before it is a number.

        A baseline on the first read, and for what was there before a gap; else it was born while we watched, at zero.
        """
        readable = [Sample(*one) for one in series.samples if counts(one[1])]
        if first:
            return readable[-1] if readable else Sample(*series.samples[-1]), 0.0
        if not readable:
            return None
        name = process(series)
        since = self._back.get(name)
        if since is not None and series.samples[0][0] <= since:
            return Sample(*series.samples[0]), 0.0
        born, before = readable[0], max(self._until.values(), default=readable[0].time)
        if self._started.get(name, -math.inf) > before:
            return born, born.value
        return born, self._from_zero(series, use, born.value, max(0.0, born.time - self._until.get(name, before)))

    def unexplained(self, at: float) -> dict[Key, int]:
        """Processes whose counters fell for no reason in this read, or again and again lately, and how often they did.

        Args:
            at: Up to when was read, epoch seconds.
        """
        found = {}
        for name, lives in self._lives.items():
            lives.falls = [fall for fall in lives.falls if fall > at - FALLS_S]
            if len(lives.falls) >= FALLS or any(fall > self._until.get(name, -math.inf) for fall in lives.falls):
                found[name] = len(lives.falls)
        return found
