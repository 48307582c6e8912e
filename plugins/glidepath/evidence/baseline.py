"""The stable version's past: what margins are fixed from, and how much its own pods differ."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from glidepath.errors import EvidenceError
from glidepath.evidence.collector import Collected, Collector, Counts
from glidepath.evidence.edges import latency_edges, told_apart_edges
from glidepath.evidence.native import read_latency
from glidepath.evidence.once import each_once
from glidepath.evidence.possible import explained
from glidepath.evidence.prometheus import Prometheus, Series
from glidepath.evidence.shares import Selected, read_shares
from glidepath.evidence.source import Source

SAMPLES = 120
LEAST_STEP_S = 5.0


@dataclass(frozen=True)
class Baseline:
    """The stable version over a window.

    Attributes:
        seen: All of it as one interval.
        blocks: The same per pod, in consecutive blocks of time; a pod that did not report in one is left out of it. None
            where the source does not tell the version's own pods.
        block_s: Length of a block, seconds.
        blind: Edges, seconds, that are there and are not counted at: what counts the latency can't tell them apart.
    """

    seen: Collected
    blocks: tuple[Mapping[str, Counts], ...]
    block_s: float
    blind: tuple[float, ...] = ()


def baseline(prometheus: Prometheus, source: Source, stable: str, window_s: float, now: float) -> Baseline:
    """The stable version's counts over the last `window_s` seconds.

    Args:
        prometheus: Where the samples are.
        source: Which series.
        stable: The stable version.
        window_s: Length of the window, seconds; the answer's bounds say how much of it there was.
        now: Epoch seconds on Prometheus' clock.

    Raises:
        EvidenceError: No request counter or no latency bucket of the stable version is there, its pods had other
            latency buckets than one another, or its counters fall again and again.
    """
    step, found = _found(prometheus, source, stable, window_s, now)
    requests, latency, others = found
    if not requests or (source.latency and not latency):
        what = source.requests if not requests else source.latency
        raise EvidenceError(
            f"Prometheus has no series {what} of the stable version {stable} in the last {window_s:.0f} s. "
            "Does the service get traffic, and does Prometheus scrape it? For latency: does `evidence.histograms` name the "
            "kind it has, classic or native?"
        )
    had = latency_edges(latency, source)
    source = replace(source, edges=source.edges or told_apart_edges(had, source))
    start = min(one.samples[0][0] for one in requests)
    end = max(one.samples[-1][0] for one in requests)
    collector = _begun(prometheus, source, stable, step, requests, latency, others)
    seen = collector.difference(requests, latency, others, start, end, first=False)
    explained(collector.unexplained(end), once=True)
    blind = tuple(edge for edge in had if edge not in source.edges)
    return Baseline(seen, _blocks(prometheus, source, stable, step, *found), step, blind)


def pods_before(
    prometheus: Prometheus, source: Source, stable: str, window_s: float, until: float
) -> tuple[tuple[Mapping[str, Counts], ...], float]:
    """What the stable's pods did in the `window_s` seconds that ended at `until`: blocks as `Baseline`'s, and their length.

    Empty where nothing is known of that time. Where the source has edges, those are what the release is planned with.

    Raises:
        EvidenceError: Prometheus did not answer, a counter is there twice, or the latency buckets were other ones then.
    """
    step, found = _found(prometheus, source, stable, window_s, until)
    if not found[0] or (source.latency and not found[1]):
        return (), step
    had = latency_edges(found[1], source)
    if not set(source.edges) <= set(had):
        raise EvidenceError(
            f"the latency buckets of {stable} had {len(had)} edges then, expected the {len(source.edges)} that it has now; they "
            "count once all of that time has the same"
        )
    return _blocks(prometheus, source, stable, step, *found), step


def _found(
    prometheus: Prometheus, source: Source, stable: str, window_s: float, until: float
) -> tuple[float, tuple[list[Series], list[Series], Selected]]:
    """The step between samples, and the stable's series of requests, of latency, and of what shares count."""
    step = max(LEAST_STEP_S, window_s / SAMPLES)
    everything = prometheus.range_vector(source.requests, window_s, until, step)
    slow = _of(read_latency(prometheus, source, window_s, until, step), source.version_label, stable)
    requests, latency = each_once(_of(everything, source.version_label, stable), slow)
    return step, (requests, latency, read_shares(prometheus, source, everything, window_s, until, step))


def _of(series: list[Series], label: str, version: str) -> list[Series]:
    return [one for one in series if one.labels.get(label) == version]


def _begun(
    prometheus: Prometheus, source: Source, stable: str, step: float, requests: list[Series], latency: list[Series],
    others: Selected,
) -> Collector:  # fmt: skip
    """A collector that counts from each series' first sample in the window."""
    collector = Collector(prometheus, source, stable, [stable], step)
    collector.begin(requests, "requests")
    collector.begin(latency, "latency")
    for share in source.shares:
        collector.begin(others[share.of], f"{share.name} of")
        collector.begin(others[share.events], f"{share.name} event")
    return collector


def _blocks(
    prometheus: Prometheus, source: Source, stable: str, step: float, requests: list[Series], latency: list[Series],
    others: Selected,
) -> tuple[Mapping[str, Counts], ...]:  # fmt: skip
    if not source.own_pods:
        return ()
    times = sorted({at for one in requests for at, _ in one.samples})
    blocks: list[dict[str, Counts]] = [{} for _ in times[1:]]
    for pod in sorted({one.labels.get("pod", "") for one in requests}):
        mine = {selector: _pod(series, pod) for selector, series in others.items()}
        own, slow = _pod(requests, pod), _pod(latency, pod)
        collector = _begun(prometheus, source, stable, step, own, slow, mine)
        own_at, slow_at, mine_at = _by_time(own), _by_time(slow), {name: _by_time(one) for name, one in mine.items()}
        born = min(one.samples[0][0] for one in own)
        for number, (start, end) in enumerate(pairwise(times)):
            until = {name: _sampled(one, end) for name, one in mine_at.items()}
            present = [one for one in _sampled(own_at, end) if one.samples]
            got = collector.difference(present, _sampled(slow_at, end), until, start, end, first=False)
            counts = got.versions[stable]
            if start >= born and pod in counts.by_pod:
                blocks[number][pod] = counts
    return tuple(blocks)


def _pod(series: list[Series], pod: str) -> list[Series]:
    return [one for one in series if one.labels.get("pod", "") == pod]


def _by_time(series: list[Series]) -> list[tuple[Series, dict[float, float]]]:
    return [(one, dict(one.samples)) for one in series]


def _sampled(series: list[tuple[Series, dict[float, float]]], at: float) -> list[Series]:
    """Each series with its one sample of that time, or without any."""
    return [Series(one.labels, ((at, values[at]),) if at in values else ()) for one, values in series]
