"""How much each counter grew from read to read, through restarts of what counts.

A process that restarts begins all its counters again, and some are there only once they have something to count: an
error counter that is absent after a restart and comes back at its last value or above shows no fall. So restarts are
looked for in the process and in families of counters, not in each series (`lives`). What would be counted from zero, at
a birth or a restart, is counted only if it can have happened since (`pace`); else it is what the next read begins from.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from glidepath.evidence.known import Known
from glidepath.evidence.lives import Lives, Sample, Use, live
from glidepath.evidence.pace import counts, counts_all
from glidepath.evidence.series import Grown, Key, Series, process_of
from glidepath.evidence.shares import OF, SUM

# Falls that nothing explains are remembered for so long, seconds, and so many of one process are no accident.
FALLS_S = 600.0
FALLS = 2


@dataclass
class Counters(Known):
    """The counters of all processes; one series may serve several uses, each of which reads it for itself."""

    def begin(self, series: Iterable[Series], use: str) -> None:
        """Take the first sample of each series as what its counter began from; `use` as in `growth`."""
        for counter in series:
            self._last[(use, counter.key)] = Sample(*counter.samples[0])
            self._seen.add(counter.process)

    def births(self, series: Iterable[Series], use: str) -> dict[Key, Sample]:
        """The counters that this read sees for the first time, with their first samples; `read` comes first."""
        firsts = {}
        for counter in series:
            if isinstance(counter, Grown) or (use, counter.key) in self._last or counter.process in self._back:
                continue
            first = next((sample for sample in counter.samples if counts(sample[1])), None)
            if first is not None:
                firsts[counter.key] = Sample(*first)
        return firsts

    def remember(self, past: Iterable[Series], use: str, born: Mapping[Key, Sample]) -> None:
        """Take what counters had before as what they began from; `past` has samples of that time, `born` is `births`'."""
        for counter in past:
            if counter.key not in born:
                continue
            had = [sample for sample in counter.samples if sample[0] < born[counter.key].time and counts(sample[1])]
            if had:
                self._last[(use, counter.key)] = Sample(*had[-1])

    def started(self, times: Mapping[Key, float]) -> None:
        """Take in when processes began, epoch seconds: one that did since the last read counted from zero."""
        self._started = dict(times)

    def read(self, uses: Mapping[str, Sequence[Series]], others: Iterable[Series] = ()) -> None:
        """Find out which processes restarted or are back, before the growth of any counter is asked for.

        Args:
            uses: By use, the series of its counters.
            others: Those that tell only that their process is there.
        """
        # A sum tells of no requests.
        counting = {use: series for use, series in uses.items() if not use.endswith(SUM)}
        grown = self._grown(counting)
        uses = {use: [counter for counter in series if not isinstance(counter, Grown)] for use, series in uses.items()}
        processes: dict[Key, dict[Use, Series]] = {}
        for use, counter in ((name, counter) for name in counting for counter in uses[name] if counter.samples):
            processes.setdefault(counter.process, {})[(use, counter.key)] = counter
        began: dict[Key, float] = {}
        for counter in chain(*uses.values(), others):
            if counter.samples and not isinstance(counter, Grown):
                at = counter.samples[0][0]
                began[counter.process] = min(began.get(counter.process, at), at)
        self._take_over(uses, began)
        self._back = {name: at for name, at in began.items() if name in self._known and name not in self._seen}
        did = {name: self._risen(name, mine) for name, mine in processes.items()}
        for name, (more, at) in grown.items():
            risen, seconds = did.get(name, (0.0, 0.0))
            did[name] = max(risen, more), max(seconds, at - self._until.get(name, at))
        self.pace.read(did)
        for name, mine in processes.items():
            lives = self._lives.setdefault(name, Lives())
            live(lives, mine, self._last, partial(self.pace.fits, name), self.pace.dip(name))
        self._seen |= began.keys()

    def _take_over(self, uses: Mapping[str, Sequence[Series]], began: Mapping[Key, float]) -> None:
        if self._resumed:
            self._part(began)
        else:
            self._read = dict(self._parted)
        self._parted.clear()
        self._resumed = False
        for use, series in uses.items() if self._read else ():
            for counter in series:
                self._take_up(counter, use)
        self._until.clear()
        for (_, key), last in self._last.items():
            name = process_of(key)
            self._until[name] = max(self._until.get(name, last.time), last.time)
        for (_, name), at in self._sums.items():
            self._until[name] = max(self._until.get(name, at), at)

    @staticmethod
    def _grown(uses: Mapping[str, Sequence[Series]]) -> dict[Key, tuple[float, float]]:
        """By process, how much its counters grew in sum, those of one use together, and until when; where sums tell pods."""
        grown: dict[Key, tuple[float, float]] = {}
        for series in uses.values():
            mine: dict[Key, float] = {}
            for counter in series:
                if isinstance(counter, Grown) and "pod" in counter.labels:
                    mine[counter.process] = mine.get(counter.process, 0.0) + counter.samples[0][1]
                    grown.setdefault(counter.process, (0.0, counter.samples[0][0]))
            grown |= {name: (max(more, grown[name][0]), grown[name][1]) for name, more in mine.items()}
        return grown

    def _risen(self, name: Key, mine: Mapping[Use, Series]) -> tuple[float, float]:
        """By how much a process' counters rose since it was seen last, those of one use together, and in what time."""
        since = self._until.get(name, -math.inf)
        risen: dict[str, float] = {}
        first, newest = math.inf, since
        for (use, key), counter in mine.items():
            last = self._last.get((use, key))
            known = last is not None and last.time >= since
            after, before = (last.time, last.value) if last is not None and known else (-math.inf, math.nan)
            more = 0.0
            for at, value in counter.samples:
                if at < since or not counts(value) or at <= after:
                    continue
                if value > before >= 0:
                    more += value - before
                after, before = at, value
                first, newest = min(first, at), max(newest, at)
            if counts_all(key):
                risen[use] = risen.get(use, 0.0) + more
        return max(risen.values(), default=0.0), max(0.0, newest - (since if math.isfinite(since) else first))

    def growth(self, series: Series, use: str, first: bool) -> float:
        """How much a counter grew since it was last read for this use, a whole number but for sums; arguments as `steps`'."""
        if isinstance(series, Grown):
            more = series.samples[0][1]
        else:
            more = sum(more for _, more in self.steps(series, use, first))
        return more if use.endswith(SUM) else round(more)

    def steps(self, series: Series, use: str, first: bool) -> list[tuple[float, float]]:
        """By how much a counter grew until each of its samples, by their times.

        Args:
            series: Its samples; those that were read before are left out.
            use: What for.
            first: Whether nothing was read before: then it is zero, and a baseline for the next.
        """
        if self._read:
            self._take_up(series, use)
        of = use, series.key
        known = self._last.get(of)
        start = (known, 0.0) if known is not None else self._start(series, use, first)
        if start is None:
            return []
        last, born = start
        grown = [(last.time, born)]
        lives, time, had = self._lives.get(series.process), last.time, last.value
        quiet = of not in self._dips and of not in self._peaks
        quiet = quiet and not (lives and any(at > time for at in lives.born(series.key)))
        for at, value in series.samples:
            if at <= time or not counts(value):
                continue
            if quiet and value >= had >= 0:
                more = value - had
            else:
                quiet = False
                more, value = self._step(series, use, Sample(time, had), Sample(at, value))
            grown.append((at, more))
            time, had = at, value
        self._last[of] = Sample(time, had)
        return grown

    def _step(self, series: Series, use: str, last: Sample, now: Sample) -> tuple[float, float]:
        """By how much a counter grew from a sample to the next, where it may have fallen, and what it has by that."""
        name, of = series.process, (use, series.key)
        self._dips.pop(of, None)
        if self._lives.get(name, Lives()).anew(series.key, last.time, now.time):
            return self._from_zero(series, use, now.value, now.time - last.time), now.value
        if 0 < last.value - now.value <= self.pace.dip(name):
            self._dips[of] = last.value
            return 0.0, last.value
        if not counts(last.value):
            return 0.0, now.value
        if now.value < last.value:
            return self._fallen(series, use, last, now), now.value
        return self._rise(of, last.value, now.value), now.value

    def _from_zero(self, series: Series, use: str, value: float, seconds: float) -> float:
        """What a counter that began anew counted since: its value, if that can have happened."""
        name = series.process
        self._peaks.pop((use, series.key), None)
        if use.endswith(SUM):  # no count of requests, it goes with the one that it is the sum of
            return value if self.pace.counted(name, use.removesuffix(SUM) + OF) else 0.0
        if not self.pace.fits(name, value, seconds, use):
            return 0.0
        if counts_all(series.key):
            self.pace.count(name, value, use)
        return value

    def _fallen(self, series: Series, use: str, last: Sample, now: Sample) -> float:
        """What a counter that fell alone counted since: it was dropped and began anew, or nobody knows."""
        of = use, series.key
        if use.endswith(SUM) or self.pace.fits(series.process, now.value, now.time - last.time, use):
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
        readable = [Sample(*sample) for sample in series.samples if counts(sample[1])]
        if first:
            return readable[-1] if readable else Sample(*series.samples[-1]), 0.0
        if not readable:
            return None
        name = series.process
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
        falls = {}
        for name, lives in self._lives.items():
            lives.falls = [fall for fall in lives.falls if fall > at - FALLS_S]
            if len(lives.falls) >= FALLS or any(fall > self._until.get(name, -math.inf) for fall in lives.falls):
                falls[name] = len(lives.falls)
        return falls
