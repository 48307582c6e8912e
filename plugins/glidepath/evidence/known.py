"""What is known of counters between two reads, and handed on to who reads next."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol

from glidepath.evidence.lives import Lives, Sample, Use
from glidepath.evidence.pace import Pace, counts
from glidepath.evidence.series import Key, Series, pod_in, process_of


def _key(pairs: Iterable[Sequence[str]]) -> Key:
    return tuple((str(label), str(value)) for label, value in pairs)


class Newer(Protocol):
    """What counters had at reads that nobody has asked about yet."""

    def last(self) -> dict[Use, Sample]:
        """By use and counter."""

    def until(self) -> Iterable[tuple[tuple[str, Key], float]]:
        """Each use and process, and until when it was read for it, epoch seconds."""


@dataclass
class Known:
    """What the counters had at the last read, and when their processes began.

    Args:
        pace: What processes can have done.
    """

    pace: Pace = field(default_factory=Pace)
    _had: dict[Use, Sample] = field(default_factory=dict)
    # Newer ones of steady reads, which are only asked for where they matter.
    _newer: Newer | None = None
    # Until when each process was read for each use, while `_had` is as it was then.
    _told_until: dict[tuple[str, Key], float] | None = None
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
    # The same where sums are read (`present`), and where they were until now.
    _sums: dict[tuple[str, Key], float] = field(default_factory=dict)
    _parted: dict[tuple[str, Key], float] = field(default_factory=dict)
    _resumed: bool = False

    @property
    def _last(self) -> dict[Use, Sample]:
        """What each counter had at the last read. Whoever asks may change it."""
        self._told_until = None
        if self._newer is not None:
            newer, self._newer = self._newer, None
            self._had |= newer.last()
        return self._had

    def last(self, use: str, key: Key) -> Sample | None:
        """What a counter had when it was last read for a use; None where it was not."""
        return self._last.get((use, key))

    @property
    def unsure(self) -> bool:
        """Whether some counters are read otherwise than by their samples, or it is not known what they count next."""
        return bool(self._resumed or self._read or self._sums or self._parted or self._peaks or self._dips)

    def settled(self, name: Key, at: float) -> bool:
        """Whether nothing of a process began anew after a time, epoch seconds, and nothing is expected of it."""
        lives = self._lives.get(name)
        if lives is None:
            return True
        return not lives.had and all(born <= at for born in chain(lives.own, *lives.families.values()))

    def rose(self, did: Mapping[Key, tuple[float, float]], until: Mapping[Key, float], newer: Newer) -> None:
        """Take in a read of counters that were all known, and only rose.

        Args:
            did: As for `Pace.read`.
            until: Until when each process was seen before it, epoch seconds.
            newer: What the counters had at it.
        """
        self._back = {}
        self.pace.read(did)
        for name in did:
            self._lives.setdefault(name, Lives()).trim()
        self._until.update(until)
        self._newer = newer

    def until(self, uses: Iterable[str]) -> dict[str, float]:
        """Until when the counters of each pod were read for any of some uses, epoch seconds."""
        wanted, latest = set(uses), dict[str, float]()
        read = ((use, key, last.time) for (use, key), last in self._last.items())
        for use, name, at in chain(read, ((*of, at) for of, at in chain(self._sums.items(), self._parted.items()))):
            if use in wanted:
                pod = pod_in(name)
                latest[pod] = max(latest.get(pod, at), at)
        return latest

    def doubted(self, uses: Iterable[str]) -> set[str]:
        """The pods of which a counter fell for no reason, or a little: it is not known yet what it counts next."""
        wanted = set(uses)
        return {pod_in(key) for use, key in chain(self._peaks, self._dips) if use in wanted}

    def regroup(self, use: str, pods: Collection[str]) -> None:
        """Some pods are read in sums now, all others are not: each goes on from where it was read last."""
        for name in [name for name in self._parted if name[0] == use and pod_in(name[1]) in pods]:
            self._sums[name] = self._parted.pop(name)
        read = [of for of in self._last if of[0] == use and pod_in(of[1]) in pods]
        for of in read:
            name, at = (use, process_of(of[1])), self._last[of].time
            self._sums[name] = max(self._sums.get(name, at), at)
        for of in read:
            # What was not there any more is no part of the sums; it may come back.
            if self._last[of].time >= self._sums[(use, process_of(of[1]))]:
                del self._last[of]
        for name in [name for name in self._sums if name[0] == use and pod_in(name[1]) not in pods]:
            self._parted[name] = self._sums.pop(name)

    def reach(self, use: str, pods: Mapping[str, float]) -> None:
        """Some pods have been read in sums until then, epoch seconds."""
        for name in [name for name in self._sums if name[0] == use]:
            self._sums[name] = pods[pod_in(name[1])]

    @property
    def forgot(self) -> bool:
        """Whether there was a gap."""
        return bool(self._known)

    def forget(self) -> None:
        """There was a gap: what was counted in it is nobody's. Which processes there were stays known."""
        self._known |= self._seen
        self._newer = None
        for store in (self._had, self._peaks, self._dips, self._lives, self._until, self._seen, self._back):
            store.clear()
        for read in (self._read, self._sums, self._parted):
            read.clear()

    def state(self) -> dict[str, Any]:
        """What another needs to go on from here: until when each process was read, not what its counters had."""
        uses: dict[Key, dict[str, float]] = {}
        for (use, process), at in self._read_until().items():
            uses.setdefault(process, {})[use] = at
        return {
            "processes": [{"of": process, "uses": read, **self._told(process)} for process, read in uses.items()],
            "known": sorted(self._known),
            "pace": self.pace.state(),
            "peaks": [[use, key, value] for (use, key), value in self._peaks.items()],
            "dips": [[use, key, value] for (use, key), value in self._dips.items()],
        }

    def _read_until(self) -> dict[tuple[str, Key], float]:
        """Until when each process was read for each use, epoch seconds."""
        if self._told_until is not None and self._newer is not None:
            return self._told_until | {
                name: max(at, self._told_until.get(name, at)) for name, at in self._newer.until()
            }
        read = self._read | self._parted | self._sums
        for (use, key), last in self._last.items():
            name = use, process_of(key)
            read[name] = max(read.get(name, last.time), last.time)
        self._told_until = read
        return read

    def _told(self, name: Key) -> dict[str, Any]:
        lives = self._lives.get(name, Lives())
        entry: dict[str, Any] = {"born": lives.own[-1] if lives.own else None}
        families = [[family, born[-1]] for family, born in lives.families.items() if born]
        rest = {"usual": self.pace.usual(name), "families": families, "falls": lives.falls}
        return entry | {what: value for what, value in rest.items() if value}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from another's state: its last samples are those that are there by then, up to when it had read."""
        usual = {}
        for process in state["processes"]:
            name = _key(process["of"])
            self._seen.add(name)
            self._read |= {(use, name): float(at) for use, at in process["uses"].items()}
            lives = self._lives.setdefault(name, Lives())
            lives.own = [float(process["born"])] if process["born"] is not None else []
            lives.families = {_key(family): [float(born)] for family, born in process.get("families", ())}
            lives.falls = [float(at) for at in process.get("falls", ())]
            if process.get("usual"):
                usual[name] = float(process["usual"])
        self._known |= {_key(key) for key in state["known"]}
        self._peaks = {(use, _key(key)): float(value) for use, key, value in state.get("peaks", ())}
        self._dips = {(use, _key(key)): float(value) for use, key, value in state.get("dips", ())}
        self.pace.resume(state.get("pace", {}), usual)
        self._resumed = True

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
        until = self._read.get((use, series.process))
        if until is None or (use, series.key) in self._last:
            return
        known = [sample for sample in series.samples if sample[0] <= until and counts(sample[1])]
        if known:
            at, value = known[-1]
            self._last[(use, series.key)] = Sample(at, max(value, self._dips.get((use, series.key), value)))
