"""Reads counters for looks: by how much they grew since they were read last, added up by Prometheus where that is as good.

The first read is of raw samples, and tells whether sums are worth asking for. A pod that was steady at a look (`growth`) is
presumed to be at the next, and what it counted comes in sums; Prometheus says in the same answer whether it was. One that
was not is read in raw samples, from those on that were read last, so nothing is counted twice or lost.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from glidepath.evidence.counters import Counters
from glidepath.evidence.growth import GrowthAnswer, GrowthQuery, answer_of, query
from glidepath.evidence.prometheus import NotAnsweredError
from glidepath.evidence.series import Grown, Histogram, Key, Samples, Series
from glidepath.evidence.shares import uses_of
from glidepath.evidence.source import Source
from glidepath.evidence.summed import SCRAPES, kept, of_pods, parts, worth

# A counter that seems to be born is looked for in the past: so long ago, by samples so far apart, seconds.
PAST_S, PAST_STEP_S = 1800.0, 60.0
# A range reaches a little beyond its oldest sample, seconds.
BEYOND_S = 1.0
# So often it is asked without the pods that turned out not to be steady.
TRIES = 2


@dataclass
class Read:
    """What is known of a selector's pods from a look.

    Attributes:
        steady: Those that were, with how many bucket edges they have; nan where that is not known yet.
        odd: The others that were there.
        pods: Those that were read in sums.
        sums: What the sums were.
    """

    steady: Mapping[str, float] = field(default_factory=dict)
    odd: frozenset[str] = frozenset()
    pods: frozenset[str] = frozenset()
    sums: Mapping[Key, float] = field(default_factory=dict)


@dataclass
class Present:
    """A reader of what is there now.

    Args:
        prometheus: Where the samples are.
        source: Which counters there are.
        counters: What is known of them.
        apart: Pods that are counted by themselves: they are in no sums.
    """

    prometheus: Samples
    source: Source
    counters: Counters
    apart: frozenset[str] = frozenset()
    # By selector: whether sums are worth it, what is known of its pods, and, read but not counted yet, until when pods were
    # read in sums.
    _worth: dict[str, bool] = field(default_factory=dict)
    _read: dict[str, Read] = field(default_factory=dict)
    _sums: dict[str, dict[str, float]] = field(default_factory=dict)
    _next: dict[str, Read] = field(default_factory=dict)
    _raw: dict[str, list[Series]] = field(default_factory=dict)

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        """As `Prometheus.range_vector`; of steady pods how much their counters grew (`Grown`)."""
        if step_s is None and self._worth.get(selector, False):
            return self._grown(selector, window_s, at)
        self._raw[selector] = self.prometheus.range_vector(selector, window_s, at, step_s)
        return self._raw[selector]

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        """As `Prometheus.range_histograms`."""
        return self.prometheus.range_histograms(selector, window_s, at, step_s)

    def past(self, selector: str, pods: Iterable[str], until: float) -> list[Series]:
        """What the counters of some pods, of others as well where they are few, had in the half hour that ended at `until`."""
        wanted = of_pods(selector, sorted(pods)) if self._worth.get(selector, False) else selector
        return self.prometheus.range_vector(wanted, PAST_S, until, PAST_STEP_S)

    def take_in(self) -> None:
        """What was read is counted now: each pod's counters go on from where they were read last."""
        for selector, series in self._raw.items():
            self._worth.setdefault(selector, self.source.as_usual and worth(series, kept(self.source)))
        for selector, pods in self._sums.items():
            for use in self._uses(selector):
                self.counters.regroup(use, pods.keys())

    def taken(self) -> None:
        """What was read is counted."""
        for selector, pods in self._sums.items():
            for use in self._uses(selector):
                self.counters.reach(use, pods)
        self._read |= self._next
        for store in (self._sums, self._next, self._raw):
            store.clear()

    def forget(self) -> None:
        """There was a gap: what comes is read as at first."""
        for store in (self._worth, self._read, self._sums, self._next, self._raw):
            store.clear()

    def _grown(self, selector: str, window_s: float, at: float) -> list[Series]:
        until = self.counters.until(self._uses(selector))
        outcome = None
        try:
            outcome = self._answer(selector, window_s, at, until) if until else None
        except NotAnsweredError:
            self._worth[selector] = False
        answer, grown, odd = outcome or (None, [], frozenset[str]())
        if answer is None or not grown:
            self._sums[selector], self._next[selector] = {}, self._known(selector, answer, frozenset())
            read = self.prometheus.range_vector(selector, self._reach(until, until, window_s, at), at)
            return lately(read, at - window_s)
        pods = answer.there - odd
        self._sums[selector] = {pod: answer.steady[pod] for pod in pods}
        self._next[selector] = self._known(selector, answer, pods)
        odd &= answer.there
        read = parts(self.prometheus, selector, odd, self._reach(odd, until, window_s, at), at)
        return [*grown, *lately(read, at - window_s)]

    def _known(self, selector: str, answer: GrowthAnswer | None, pods: frozenset[str]) -> Read:
        """What the next look knows. Edges are those of a process: they stay while its pod is steady."""
        if answer is None:
            return Read()
        had = self._read.get(selector, Read()).steady
        none = math.nan if selector == self.source.latency else 0.0
        steady = {pod: answer.edges.get(pod, had.get(pod, none)) for pod in answer.steady}
        return Read(steady, frozenset(answer.there - steady.keys()), pods, answer.sums)

    def _answer(
        self, selector: str, window_s: float, at: float, until: Mapping[str, float]
    ) -> tuple[GrowthAnswer, list[Grown], frozenset[str]] | None:
        """What is said, what pods counted, and the pods of which that is not known; None if all is to be read in parts."""
        known, buckets = self._read.get(selector, Read()), selector == self.source.latency
        doubted = self.counters.doubted(self._uses(selector))
        presumed = {
            pod for pod, edges in known.steady.items()
            if until.get(pod, 0.0) > at - math.floor(window_s) and pod not in doubted | self.apart and not math.isnan(edges)
        }  # fmt: skip
        ask_edges = buckets and (not known.steady or any(map(math.isnan, known.steady.values())))
        # Those that are not presumed have to be named: any other pod is among the sums.
        named = {pod for pod, when in until.items() if when > at - PAST_S}
        odd = frozenset({*named, *known.odd, *known.steady} - presumed)
        for _ in range(TRIES):
            before = bool(presumed) and presumed != known.pods
            asked = GrowthQuery(
                selector, window_s, max(until.values()), self._labels(selector), buckets, odd, bool(presumed), before, ask_edges
            )  # fmt: skip
            answer = answer_of(self.prometheus.vector(query(asked), at))
            mine = answer.there - odd
            wrong = mine - (presumed & answer.steady.keys())
            wrong |= {pod for pod in mine if before and answer.then.get(pod) != until.get(pod)}
            wrong |= {pod for pod in mine if answer.edges.get(pod, known.steady.get(pod)) != known.steady.get(pod)}
            if not wrong and presumed - odd == mine:
                grown = answer.grown(answer.before if before else known.sums) if mine else []
                right = not (mine and buckets) or answer.have_edges([known.steady[pod] for pod in mine])
                return (answer, grown, odd) if grown is not None and right else None
            odd |= wrong | (presumed - mine)
            presumed -= odd
        return None

    def _labels(self, selector: str) -> tuple[str, ...]:
        """What the sums are told apart by: requests by pod, all else by version."""
        labels = tuple(label for label in kept(self.source) if label != "__name__")
        if selector == self.source.requests:
            return labels
        return tuple(
            label for label in labels if label not in SCRAPES and (label != "le" or selector == self.source.latency)
        )

    def _reach(self, pods: Iterable[str], until: Mapping[str, float], window_s: float, at: float) -> float:
        """How far back some pods are read, so that what was read last of them is among it."""
        return max([window_s, *(at - until[pod] + BEYOND_S for pod in pods if pod in until)])

    def _uses(self, selector: str) -> Sequence[str]:
        own = {"requests": self.source.requests, "latency": self.source.latency}
        uses = [name for name, place in own.items() if place == selector]
        return uses + [name for share in self.source.shares for name, place, _ in uses_of(share) if place == selector]


def lately(read: Iterable[Series], since: float) -> list[Series]:
    """The series that have a sample after a time: one that ended before it is of what is gone, however far back was read."""
    return [series for series in read if series.samples[-1][0] > since]
