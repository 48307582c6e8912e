"""From raw samples to counts per version and interval.

Counters are differenced per series: over a restart of its process the new value is the delta; a series that first
appears on a continuous watch starts from what it had before, or from zero, if it can have counted that meanwhile; after a
gap its first sample is a new baseline. An interval ends when every pod that reports has a newer sample, and counts as many
scrapes of each (`spans`), so that both arms speak of the same time. One that can't have happened is no evidence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, pairwise
from typing import Any

from glidepath.evidence.births import look_back
from glidepath.evidence.counters import Counters
from glidepath.evidence.edges import common_edges
from glidepath.evidence.interval import Collected, Waiting
from glidepath.evidence.named import named
from glidepath.evidence.native import read_latency
from glidepath.evidence.once import Plain, each_once
from glidepath.evidence.pace import Pace
from glidepath.evidence.possible import are_numbers, as_planned, explained, no_numbers
from glidepath.evidence.present import Present
from glidepath.evidence.series import Key, Samples, Series
from glidepath.evidence.shares import Selected, read_shares, sums_of, uses_of
from glidepath.evidence.source import Source, matches
from glidepath.evidence.spans import Pod, Read, pod_and_version, too_late
from glidepath.evidence.steady import Steady
from glidepath.evidence.tally import Growths, of_pods, series_of, tally

GONE_AFTER_SCRAPES = 2.5
GAP_AFTER_SCRAPES = 12
# After a gap: after this many scrapes every live pod has been scraped once.
BACK_AFTER_SCRAPES = 1.2
# So many times a look is put before what some pods are ahead by.
TRIES = 4
# So much sooner than after the time between two samples another may come: scrapes are not quite regular.
SOONEST = 0.99
# So many looks in a row have to find no even moment: two that come late say little.
UNEVEN_LOOKS = 3


@dataclass
class Collector:
    """Watches one service's two versions and hands out intervals.

    Args:
        prometheus: Where the samples are.
        source: Which series, and how to read them.
        stable: The control's version: while it is silent, telemetry counts as broken.
        versions: Both versions.
        scrape_s: Seconds between scrapes.
        planned_per_s: Requests a second of both versions that the release was planned with; 0 where nobody planned.
        lag_s: How much later than it was taken a sample can be read, seconds.
        apart: Pods of the control that are set apart: what they counted is told as a part of it as well.
    """

    prometheus: Samples
    source: Source
    stable: str
    versions: Sequence[str]
    scrape_s: float
    planned_per_s: float = 0.0
    lag_s: float = 0.0
    apart: frozenset[str] = frozenset()
    _counters: Counters = field(init=False)
    _reader: Present = field(init=False)
    _steady: Steady = field(init=False)
    _plain: Plain = field(default_factory=Plain)
    _pods: dict[Pod, float] = field(default_factory=dict)
    _end: float | None = None
    _uneven: list[float] = field(default_factory=list)
    # How far apart samples of a pod are at the least, seconds.
    _apart_s: float = field(init=False)

    def __post_init__(self) -> None:
        self._counters, self._apart_s = Counters(Pace(self.planned_per_s)), self.scrape_s
        self.prometheus = named(self.prometheus, self.source)
        self._reader = Present(self.prometheus, self.source, self._counters, self.apart)
        self._steady = Steady(self._counters, self.source, self.versions)

    def collect(self, now: float) -> Collected | Waiting:
        """The interval since the last one, or what is still missing for it.

        Args:
            now: Epoch seconds on Prometheus' clock.

        Raises:
            EvidenceError: The source did not answer, or its answer is no evidence: what it says can't have happened. Then
                it is taken in, and the next interval begins after it.
        """
        if 0 < self.due - now <= self._apart_s:
            return Waiting("no newer sample can be there yet", 0.0)
        if self._end is not None and now - self._end > GAP_AFTER_SCRAPES * self.scrape_s + self.lag_s:
            self._forget()
        read = self._read_evenly(now)
        if isinstance(read, Waiting):
            return read
        requests, first = read.requests, self._end is None
        others = read_shares(self._reader, self.source, requests, self.window(read.at), read.at, read=self._was_read)
        start, end = self._end or 0.0, max(read.newest.values())
        self._reader.take_in()
        collected = self._steady.collected(requests, read.latency, others, start, end, self._reports)
        if collected is None:
            collected = self.difference(requests, read.latency, others, start, end, first)
            if not self.apart:
                self._steady.learn(requests, read.latency, others, self._uses(requests, others))
        self._reader.taken()
        odd = no_numbers(sums_of(self.source, others, self.versions), self._until)
        self._end, self._uneven = end, []
        self._pods |= read.newest
        if first:
            return Waiting("the first sample is the baseline", 0.0)
        explained(self.unexplained(end))
        are_numbers(odd)
        served = sum(counts.requests for counts in collected.versions.values())
        as_planned(served, end - start, self.planned_per_s)
        return collected

    def _read_evenly(self, now: float) -> Read | Waiting:
        """What there is, read as of a time by which each pod has as many scrapes more; or what is missing for that.

        Where no such time comes, because pods are scraped in other ways than that, they are read as they are after a while.
        """
        at = now
        for _ in range(TRIES):
            read = self._read(at)
            missing = self._missing(read.newest, at) or self._coming_back(read.requests, at)
            if missing is not None and at == now:
                return missing
            if missing is not None:
                break
            sooner = self._sooner(read)
            if sooner is None:
                return read
            at = sooner
        self._uneven.append(now)
        if len(self._uneven) >= UNEVEN_LOOKS and now - self._uneven[0] > self._gone_after:
            return self._read(now)
        return Waiting("some pods have been scraped more often than others since the last interval", 0.0)

    def _sooner(self, read: Read) -> float | None:
        if self._end is None:
            return read.before_round(self.scrape_s, self._gone_after)
        compared = read.compared(self._pods, self._end, self._gone_after)
        return too_late(read, self.source, compared, self.scrape_s)

    def window(self, at: float) -> float:
        """How far back is read, seconds."""
        since = at - self._end if self._end is not None else 0.0
        return max(since, self.lag_s) + GONE_AFTER_SCRAPES * self.scrape_s + 1

    def _read(self, at: float) -> Read:
        window = self.window(at)
        requests = self._reader.range_vector(self.source.requests, window, at)
        latency = read_latency(self._reader, self.source, window, at)
        requests, latency = each_once(requests, latency, read=self._was_read, plain=self._plain)
        self._apart_s = min([self.scrape_s, *(b[0] - a[0] for one in requests for a, b in pairwise(one.samples))])
        return Read(at, requests, latency, self._newest(requests))

    def _was_read(self, series: Series) -> bool:
        return series.samples[-1][0] <= self._until(series)

    def _until(self, series: Series) -> float:
        """Until when its pod was read, epoch seconds."""
        return self._pods.get(pod_and_version(series, self.source), -math.inf)

    @property
    def _gone_after(self) -> float:
        """Without a newer sample for so long, seconds, a pod is gone."""
        return GONE_AFTER_SCRAPES * self.scrape_s + self.lag_s

    @property
    def due(self) -> float:
        """Before then, epoch seconds on Prometheus' clock, not every pod can have a newer sample: nothing is asked."""
        return -math.inf if self._end is None else self._end + SOONEST * self._apart_s

    def now(self) -> float:
        """The clock of its samples, epoch seconds.

        Raises:
            EvidenceError: The source did not answer.
        """
        return self.prometheus.now()

    @property
    def end(self) -> float | None:
        """Until when it has read, epoch seconds on Prometheus' clock; None before the first samples."""
        return self._end

    def state(self) -> dict[str, Any] | None:
        """What another collector needs to go on from here; None before the first samples. JSON, some bytes a pod."""
        if self._end is None:
            return None
        pods = [[version, pod, at] for (version, pod), at in self._pods.items()]
        return {"end": self._end, "pods": pods, **self._counters.state()}

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from another's state, as if this one had been it; call it before anything is collected."""
        self._counters.resume(state)
        self._pods = {(str(version), str(pod)): float(at) for version, pod, at in state["pods"]}
        self._end = float(state["end"])

    def _forget(self) -> None:
        self._steady.forget()
        self._counters.forget()
        self._reader.forget()
        self._pods.clear()
        self._end, self._uneven = None, []

    def _newest(self, series: Iterable[Series]) -> dict[Pod, float]:
        newest: dict[Pod, float] = {}
        for counter in series:
            pod = pod_and_version(counter, self.source)
            newest[pod] = max(newest.get(pod, 0.0), counter.samples[-1][0])
        return newest

    def _missing(self, newest: dict[Pod, float], now: float) -> Waiting | None:
        alive = {pod: at for pod, at in newest.items() if now - at <= self._gone_after}
        if not any(version == self.stable for version, _ in alive):
            last = max((at for (version, _), at in newest.items() if version == self.stable), default=self._end)
            silent = max(0.0, now - last - self.lag_s) if last is not None else math.inf
            return Waiting(f"no pod of the control {self.stable} reports", silent)
        late = [pod for pod, at in alive.items() if at <= self._pods.get(pod, 0.0)]
        if late:
            return Waiting(f"no newer sample yet of {', '.join(sorted(pod for _, pod in late))}", 0.0)
        return None

    def _coming_back(self, requests: list[Series], now: float) -> Waiting | None:
        """A baseline right after a gap would be too early for the pods that are scraped later than the first."""
        if self._end is not None or not self._counters.forgot:
            return None
        oldest: dict[str, float] = {}
        for counter in requests:
            version, at = counter.labels.get(self.source.version_label, ""), counter.samples[0][0]
            oldest[version] = min(oldest.get(version, at), at)
        early = now - max(oldest.values()) < BACK_AFTER_SCRAPES * self.scrape_s + self.lag_s
        return Waiting("telemetry is coming back", 0.0) if early else None

    def unexplained(self, at: float) -> dict[Key, int]:
        """Processes whose counters fell for no reason up to `at`, epoch seconds, and how often lately."""
        return self._counters.unexplained(at)

    def begin(self, series: Iterable[Series], use: str) -> None:
        """Take the first sample of each series as what its counter began from; `use` as in `difference`."""
        self._counters.begin(series, use)

    def difference(
        self, requests: list[Series], latency: list[Series], others: Selected, start: float, end: float, first: bool
    ) -> Collected:
        """What happened since the samples that were seen last.

        Args:
            requests, latency: The source's series.
            others: By selector, those of its shares.
            start, end: The interval's bounds, epoch seconds.
            first: Whether nothing was seen before; then it is all zero, and a baseline for the next.

        Raises:
            EvidenceError: The latency buckets have no edges, or none that all have; nothing is taken in.
        """
        common = common_edges(latency, self.source)
        edges = self.source.edges or common
        common = tuple(edge for edge in edges if edge in common)
        uses = self._uses(requests, others)
        self._counters.read({**uses, "latency": latency}, chain(*others.values()))
        if not first:
            look_back(self._reader, uses, latency, end, GONE_AFTER_SCRAPES * self.scrape_s + 1)
        versions = {}
        for version in self.versions:
            grown = self._growths(version, requests, latency, others, first)
            counts = tally(self.source, grown, edges, common, self._reports)
            if self.apart and version == self.stable:
                sick = tally(self.source, of_pods(grown, self.apart), edges, common, self._reports)
                counts = replace(counts, apart=sick)
            versions[version] = counts
        return Collected(start, end, edges, versions, common)

    def _uses(self, requests: list[Series], others: Selected) -> dict[str, list[Series]]:
        """By use, the series that are counted."""
        uses = {"requests": requests}
        for share in self.source.shares:
            for use, selector, rule in uses_of(share):
                uses[use] = [counter for counter in others[selector] if matches(counter.labels, rule)]
        return uses

    def _growths(
        self, version: str, requests: list[Series], latency: list[Series], others: Selected, first: bool
    ) -> dict[str, Growths]:
        """By use, a version's series and by how much each grew; each is counted once."""
        series = series_of(self.source, version, requests, latency, others)
        return {
            use: [(counter, self._counters.growth(counter, use, first)) for counter in each]
            for use, each in series.items()
        }

    def _reports(self, series: Series) -> bool:
        # Its own last sample counts: that of another pod, already used, may be newer than this one's new one.
        pod = pod_and_version(series, self.source)
        return series.samples[-1][0] > self._pods.get(pod, 0.0)
