"""From raw samples to counts per version and interval.

Counters are differenced per series: a fall is a reset, and then the new value is the delta; a series that first
appears on a continuous watch starts from zero; after a gap its first sample is a new baseline. An interval ends when
every pod that reports has a newer sample, so that both arms speak of the same time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from glidepath.errors import EvidenceError
from glidepath.evidence.prometheus import Prometheus, Series
from glidepath.evidence.source import Source

Key = tuple[tuple[str, str], ...]
GONE_AFTER_SCRAPES = 2.5
GAP_AFTER_SCRAPES = 12
# Labels that say by which way a sample came, not what was counted.
WAYS = frozenset({"job", "service", "endpoint", "container", "prometheus", "prometheus_replica", "replica", "cluster"})


@dataclass(frozen=True)
class Counts:
    """What one version's requests came to in an interval.

    Attributes:
        requests: Answered requests.
        errors: Those that were errors.
        latency: Requests per latency bucket, not cumulative; one more than there are edges.
        by_pod: Per reporting pod (requests, errors).
    """

    requests: int
    errors: int
    latency: tuple[int, ...]
    by_pod: dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Collected:
    """An interval: its bounds in epoch seconds, the latency edges in seconds, and the counts per version."""

    start: float
    end: float
    edges: tuple[float, ...]
    versions: dict[str, Counts]


@dataclass(frozen=True)
class Waiting:
    """No interval yet; `why` says for what, `silent_s` for how long."""

    why: str
    silent_s: float


@dataclass
class _Series:
    time: float
    value: float


@dataclass
class Collector:
    """Watches one service's two versions and hands out intervals.

    Args:
        prometheus: Where the samples are.
        source: Which series, and how to read them.
        stable: The control's version: while it is silent, telemetry counts as broken.
        versions: Both versions.
        scrape_s: Seconds between scrapes.
    """

    prometheus: Prometheus
    source: Source
    stable: str
    versions: Sequence[str]
    scrape_s: float
    _last: dict[Key, _Series] = field(default_factory=dict)
    _pods: dict[tuple[str, str], float] = field(default_factory=dict)
    _end: float | None = None

    def collect(self, now: float) -> Collected | Waiting:
        """The interval since the last one, or what is still missing for it.

        Args:
            now: Epoch seconds on Prometheus' clock.

        Raises:
            EvidenceError: The source did not answer, or its answer is no evidence.
        """
        since = now - self._end if self._end is not None else 0.0
        if since > GAP_AFTER_SCRAPES * self.scrape_s:
            self._forget()
            since = 0.0
        window = since + GONE_AFTER_SCRAPES * self.scrape_s + 1
        requests = self.prometheus.range_vector(self.source.requests, window, now)
        latency = self.prometheus.range_vector(self.source.latency, window, now)
        counted_once([*requests, *latency])
        newest = self._newest(requests)
        missing = self._missing(newest, now)
        if missing is not None:
            return missing
        first = self._end is None
        start, end = self._end or 0.0, max(newest.values())
        collected = self._difference(requests, latency, start, end, first)
        self._end, self._pods = end, newest
        if first:
            return Waiting("the first sample is the baseline", 0.0)
        return collected

    def _forget(self) -> None:
        self._last.clear()
        self._pods.clear()
        self._end = None

    def _newest(self, series: Iterable[Series]) -> dict[tuple[str, str], float]:
        newest: dict[tuple[str, str], float] = {}
        for one in series:
            pod = (one.labels.get(self.source.version_label, ""), one.labels.get("pod", ""))
            newest[pod] = max(newest.get(pod, 0.0), one.samples[-1][0])
        return newest

    def _missing(self, newest: dict[tuple[str, str], float], now: float) -> Waiting | None:
        gone = GONE_AFTER_SCRAPES * self.scrape_s
        alive = {pod: at for pod, at in newest.items() if now - at <= gone}
        if not any(version == self.stable for version, _ in alive):
            last = max((at for (version, _), at in newest.items() if version == self.stable), default=self._end)
            silent = now - last if last is not None else math.inf
            return Waiting(f"no pod of the control {self.stable} reports", silent)
        late = [pod for pod, at in alive.items() if at <= self._pods.get(pod, 0.0)]
        if late:
            return Waiting(f"no newer sample yet of {', '.join(sorted(pod for _, pod in late))}", 0.0)
        return None

    def _difference(
        self, requests: list[Series], latency: list[Series], start: float, end: float, first: bool
    ) -> Collected:
        edges = self._edges(latency)
        versions = {}
        for version in self.versions:
            by_pod: dict[str, tuple[int, int]] = {}
            for one in self._of(requests, version):
                count = self._delta(one, first)
                pod = one.labels.get("pod", "")
                bad = count if self.source.is_error(one.labels.get(self.source.error_label, "")) else 0
                total, errors = by_pod.get(pod, (0, 0))
                if one.samples[-1][0] > start:
                    by_pod[pod] = (total + count, errors + bad)
            buckets = self._buckets(self._of(latency, version), edges, first)
            versions[version] = Counts(
                sum(total for total, _ in by_pod.values()),
                sum(errors for _, errors in by_pod.values()),
                buckets,
                by_pod,
            )
        return Collected(start, end, edges, versions)

    def _of(self, series: list[Series], version: str) -> list[Series]:
        return [one for one in series if one.labels.get(self.source.version_label) == version]

    def _delta(self, series: Series, first: bool) -> int:
        last = self._last.get(series.key)
        if last is None:
            # A baseline on the first read; zero for a series that was born while we watched.
            last = _Series(*series.samples[-1]) if first else _Series(0.0, 0.0)
        total = 0.0
        value = last.value
        for at, sample in series.samples:
            if at <= last.time or math.isnan(sample):
                continue
            total += sample - value if sample >= value else sample
            value, last = sample, _Series(at, sample)
        self._last[series.key] = _Series(last.time, value)
        return round(total)

    def _edges(self, latency: list[Series]) -> tuple[float, ...]:
        return latency_edges(latency, self.source)

    def _buckets(self, series: list[Series], edges: tuple[float, ...], first: bool) -> tuple[int, ...]:
        cumulative = dict.fromkeys([*edges, math.inf], 0)
        for one in series:
            cumulative[_edge(one, self.source)] += self._delta(one, first)
        counts, below = [], 0
        for edge in [*edges, math.inf]:
            # Scrapes are atomic per pod; a fall can only come of a reset between two buckets' births.
            counts.append(max(0, cumulative[edge] - below))
            below = max(below, cumulative[edge])
        return tuple(counts)


def _edge(series: Series, source: Source) -> float:
    return float(series.labels["le"]) * source.unit_seconds


def latency_edges(latency: Iterable[Series], source: Source) -> tuple[float, ...]:
    """The finite bucket edges, seconds, ascending.

    Raises:
        EvidenceError: A bucket has no `le`.
    """
    try:
        return tuple(sorted({_edge(one, source) for one in latency} - {math.inf}))
    except (KeyError, ValueError) as error:
        raise EvidenceError(f"a latency bucket of {source.latency} has no readable `le` label: {error}") from error


def counted_once(series: Iterable[Series]) -> None:
    """Make sure that no counter is there twice: each request would count as two, and evidence grow twice as fast.

    Raises:
        EvidenceError: Names the two ways by which one pod's counter came.
    """
    seen: dict[Key, Series] = {}
    for one in series:
        what = tuple(pair for pair in one.key if pair[0] not in WAYS)
        other = seen.setdefault(what, one)
        if other is not one:
            ways = [", ".join(f"{k}={v!r}" for k, v in way.key if (k, v) not in which.key) for way, which in
                    ((other, one), (one, other))]  # fmt: skip
            raise EvidenceError(
                f"{one.labels.get('__name__', 'a counter')} of pod {one.labels.get('pod', '?')} is there twice, with "
                f"{ways[0] or 'no such label'} and with {ways[1] or 'no such label'}: its requests would count twice. "
                "Let Prometheus scrape each pod once, or query through what removes duplicates"
            )


def baseline(prometheus: Prometheus, source: Source, stable: str, window_s: float, now: float) -> tuple[Collected, int]:
    """The stable version's counts over the last `window_s` seconds, and how many pods reported.

    Args:
        prometheus: Where the samples are.
        source: Which series.
        stable: The stable version.
        window_s: Length of the window, seconds; the answer's bounds say how much of it there was.
        now: Epoch seconds on Prometheus' clock.

    Raises:
        EvidenceError: No request counter or no latency bucket of the stable version is there.
    """
    step = max(5.0, window_s / 120)
    requests = [
        one
        for one in prometheus.range_vector(source.requests, window_s, now, step)
        if one.labels.get(source.version_label) == stable
    ]
    latency = [
        one
        for one in prometheus.range_vector(source.latency, window_s, now, step)
        if one.labels.get(source.version_label) == stable
    ]
    counted_once([*requests, *latency])
    if not requests or not latency:
        what = source.requests if not requests else source.latency
        raise EvidenceError(
            f"Prometheus has no series {what} of the stable version {stable} in the last {window_s:.0f} s. "
            "Does the service get traffic, and does Prometheus scrape it?"
        )
    collector = Collector(prometheus, source, stable, [stable], step)
    for one in [*requests, *latency]:
        collector._last[one.key] = _Series(*one.samples[0])
    start = min(one.samples[0][0] for one in requests)
    end = max(one.samples[-1][0] for one in requests)
    collected = collector._difference(requests, latency, start, end, first=False)
    return collected, len(collected.versions[stable].by_pod)
