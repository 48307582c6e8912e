"""The stable version's past: what margins are fixed from, and how much its own pods differ."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise

from glidepath.errors import EvidenceError
from glidepath.evidence.collector import Collector
from glidepath.evidence.counters import Counters
from glidepath.evidence.edges import common_edges, latency_edges, told_apart_edges
from glidepath.evidence.interval import Collected
from glidepath.evidence.named import named
from glidepath.evidence.native import read_latency
from glidepath.evidence.once import each_once
from glidepath.evidence.possible import are_numbers, explained, no_numbers
from glidepath.evidence.series import Reader, Samples, Series
from glidepath.evidence.shares import Selected, read_shares, sums_of, uses_of
from glidepath.evidence.source import Source
from glidepath.evidence.summed import Past, kept, worth
from glidepath.evidence.tally import Counts, of_version, series_of, tally

SAMPLES = 120
LEAST_STEP_S = 5.0
# What counters there are is seen in so many steps.
LATELY_STEPS = 2


# What each pod counted in a time.
Block = Mapping[str, Counts]


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
    blocks: tuple[Block, ...]
    block_s: float
    blind: tuple[float, ...] = ()


def baseline(prometheus: Samples, source: Source, stable: str, window_s: float, now: float) -> Baseline:
    """The stable version's counts over the last `window_s` seconds.

    Args:
        prometheus: Where the samples are.
        source: Which series.
        stable: The stable version.
        window_s: Length of the window, seconds; the answer's bounds say how much of it there was.
        now: Epoch seconds on Prometheus' clock.

    Raises:
        EvidenceError: No request counter or no latency bucket of the stable version is there, its pods had other
            latency buckets than one another, its counters fall again and again, or a sum is no number.
    """
    step, read = _found(prometheus, source, stable, window_s, now)
    requests, latency, others = read
    if not requests or (source.latency and not latency):
        what = source.requests if not requests else source.latency
        raise EvidenceError(
            f"Prometheus has no series {what} of the stable version {stable} in the last {window_s:.0f} s. "
            "Does the service get traffic, and does Prometheus scrape it? For latency: does `evidence.histograms` name the "
            "kind it has, classic or native?"
        )
    had = latency_edges(latency, source)
    source = replace(source, edges=source.edges or told_apart_edges(had, source))
    start = min(series.samples[0][0] for series in requests)
    end = max(series.samples[-1][0] for series in requests)
    collector = _begun(prometheus, source, stable, step, requests, latency, others)
    seen = collector.difference(requests, latency, others, start, end, first=False)
    explained(collector.unexplained(end), once=True)
    blind = tuple(edge for edge in had if edge not in source.edges)
    return Baseline(seen, _blocks(source, *read), step, blind)


def pods_before(
    prometheus: Samples, source: Source, stable: str, window_s: float, until: float
) -> tuple[tuple[Block, ...], float]:
    """What the stable's pods did in the `window_s` seconds that ended at `until`: blocks as `Baseline`'s, and their length.

    Empty where nothing is known of that time. Where the source has edges, those are what the release is planned with.

    Raises:
        EvidenceError: Prometheus did not answer, a counter is there twice, or the latency buckets were other ones then.
    """
    step, read = _found(prometheus, source, stable, window_s, until)
    if not read[0] or (source.latency and not read[1]):
        return (), step
    had = latency_edges(read[1], source)
    if not set(source.edges) <= set(had):
        raise EvidenceError(
            f"the latency buckets of {stable} had {len(had)} edges then, expected the {len(source.edges)} that it has now; they "
            "count once all of that time has the same"
        )
    return _blocks(source, *read), step


def _found(
    prometheus: Samples, source: Source, stable: str, window_s: float, until: float
) -> tuple[float, tuple[list[Series], list[Series], Selected]]:
    """The step between samples, and the stable's series of requests, of latency, and of what shares count."""
    step = max(LEAST_STEP_S, window_s / SAMPLES)
    prometheus = named(prometheus, source)
    reader: Reader = prometheus
    if source.as_usual and worth(prometheus.range_vector(source.requests, LATELY_STEPS * step, until), kept(source)):
        reader = Past(prometheus, source)
    everything = reader.range_vector(source.requests, window_s, until, step)
    slow = of_version(read_latency(reader, source, window_s, until, step), source.version_label, stable)
    requests, latency = each_once(of_version(everything, source.version_label, stable), slow)
    others = read_shares(reader, source, everything, window_s, until, step)
    are_numbers(no_numbers(sums_of(source, others, [stable]), lambda _: -math.inf))
    return step, (requests, latency, others)


def _begun(
    prometheus: Samples, source: Source, stable: str, step: float, requests: list[Series], latency: list[Series],
    others: Selected,
) -> Collector:  # fmt: skip
    """A collector that counts from each series' first sample in the window."""
    collector = Collector(prometheus, source, stable, [stable], step)
    collector.begin(requests, "requests")
    collector.begin(latency, "latency")
    for share in source.shares:
        for use, selector, _ in uses_of(share):
            collector.begin(others[selector], use)
    return collector


def _blocks(
    source: Source, requests: list[Series], latency: list[Series], others: Selected
) -> tuple[Mapping[str, Counts], ...]:
    """The counts of each pod from each time of a sample to the next; one pass over the samples."""
    if not source.own_pods:
        return ()
    uses = series_of(source, requests[0].labels[source.version_label], requests, latency, others)
    counters = Counters()
    for use, series in uses.items():
        counters.begin(series, use)
    counters.read(uses)
    common = common_edges(latency, source)
    edges = source.edges or common
    times = sorted({at for series in requests for at, _ in series.samples})
    blocks: list[dict[str, Counts]] = [{} for _ in times[1:]]
    for pod in sorted({series.labels.get("pod", "") for series in requests}):
        mine = {use: _pod(series, pod) for use, series in uses.items()}
        grown = {
            use: [(counter, dict(counters.steps(counter, use, False))) for counter in series]
            for use, series in mine.items()
        }
        born = min(series.samples[0][0] for series in mine["requests"])
        there = {at for series in mine["requests"] for at, _ in series.samples}
        for number, (start, end) in enumerate(pairwise(times)):
            if start >= born and end in there:
                here = {use: [(counter, more.get(end, 0.0)) for counter, more in each] for use, each in grown.items()}
                blocks[number][pod] = tally(source, here, edges, common, lambda _: True)
    return tuple(blocks)


def _pod(series: list[Series], pod: str) -> list[Series]:
    return [counter for counter in series if counter.labels.get("pod", "") == pod]
