"""Native histograms as cumulative buckets: from here on they are read, differenced and judged like classic ones.

A native histogram has no fixed edges: its buckets are as fine as what was observed allows, and become coarser when more
has to fit in. So edges are chosen once, from the stable's past, and every later sample is cut at them. Exponential
buckets (schema n: each 2^(1/2^n) times as wide as the one before) are cut at no more than FINEST_SCHEMA to a doubling, which
leaves them room to become coarser; custom buckets (what Prometheus makes of classic ones) at the edges that were seen.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence

from glidepath.errors import EvidenceError
from glidepath.evidence.series import Histogram, Reader, Series
from glidepath.evidence.source import Source

# 16 to a doubling, 4.4 % apart: the usual 160 buckets then cover a thousandfold.
FINEST_SCHEMA = 4
# Doublings above the slowest request that was seen: slower ones are still told apart.
DOUBLINGS_ABOVE = 2
# Edges that so small a part of the requests lies below tell nothing.
LEAST_SHARE_BELOW = 0.01
ROUNDING = 1e-9

Bucket = tuple[float, float]


def read_latency(
    prometheus: Reader, source: Source, window_s: float, at: float, step_s: float | None = None
) -> list[Series]:
    """The cumulative latency buckets of a source, one series for each pod and edge; none if latency is not asked for.

    Args:
        prometheus: Where the samples are.
        source: Which series; native ones are cut at its edges, or if it has none at those chosen from what is read.
        window_s, at, step_s: As in `Prometheus.range_vector`.

    Raises:
        EvidenceError: Prometheus did not answer, or a histogram can't be cut at the edges.
    """
    if not source.latency:
        return []
    if not source.native:
        return prometheus.range_vector(source.latency, window_s, at, step_s)
    histograms = prometheus.range_histograms(source.latency, window_s, at, step_s)
    return cut(histograms, source.edges or choose_edges(histograms, source.unit_seconds), source.unit_seconds)


def choose_edges(histograms: Sequence[Histogram], unit_s: float) -> tuple[float, ...]:
    """Edges, seconds, ascending, at which every sample can be cut.

    Args:
        histograms: The stable's past.
        unit_s: Seconds that one unit of the histogram is.
    """
    buckets = {
        (low, high) for histogram in histograms for _, _, row in histogram.samples for low, high, _ in row if high > 0
    }
    scale = _scale(buckets)
    edges = _apart(_seen(buckets) if scale is None else _grid(buckets, scale), buckets)
    return tuple(edge * unit_s for edge in edges if _share_below(histograms, edge) >= LEAST_SHARE_BELOW)


def _scale(buckets: Iterable[Bucket]) -> int | None:
    """The schema of exponential buckets, the coarsest and at most FINEST_SCHEMA; None where they are not, or too coarse."""
    scales = {FINEST_SCHEMA}
    for low, high in buckets:
        if low <= 0:  # the zero bucket
            continue
        if math.isinf(high):
            return None
        exact = -math.log2(math.log2(high / low))
        scale = round(exact)
        if abs(exact - scale) > 1e-6 or abs(_place(high, scale) - round(_place(high, scale))) > 1e-6:
            return None
        scales.add(scale)
    coarsest = min(scales)
    return coarsest if coarsest > 0 and any(low > 0 for low, _ in buckets) else None


def _place(edge: float, scale: int) -> float:
    """Where an edge stands among the powers of 2^(1/2^scale)."""
    return float(math.log2(edge) * 2.0**scale)


def _grid(buckets: Iterable[Bucket], scale: int) -> list[float]:
    edges = [edge for bucket in buckets for edge in bucket if edge > 0 and bucket[0] > 0]
    first, last = math.floor(_place(min(edges), scale) + 1e-6), math.ceil(_place(max(edges), scale) - 1e-6)
    return [float(2.0 ** (place / 2**scale)) for place in range(first, last + DOUBLINGS_ABOVE * 2**scale + 1)]


def _seen(buckets: set[Bucket]) -> list[float]:
    edges = sorted({edge for bucket in buckets for edge in bucket if 0 < edge < math.inf})
    return [edge for place, edge in enumerate(edges) if not place or edge > edges[place - 1] * (1 + ROUNDING)]


def _apart(edges: Iterable[float], buckets: set[Bucket]) -> list[float]:
    """Without the edges that a bucket lies across; a zero bucket may be wider in one pod than in another."""
    return [edge for edge in edges if not any(_across(edge, low, high) for low, high in buckets)]


def _across(edge: float, low: float, high: float) -> bool:
    return low < edge * (1 - ROUNDING) and high > edge * (1 + ROUNDING)


def _share_below(histograms: Sequence[Histogram], edge: float) -> float:
    newest = [histogram.samples[-1] for histogram in histograms]
    below = sum(count for _, _, row in newest for _, high, count in row if high <= edge * (1 + ROUNDING))
    return below / max(1.0, sum(total for _, total, _ in newest))


def cut(histograms: Iterable[Histogram], edges: Sequence[float], unit_s: float) -> list[Series]:
    """Cumulative series at the edges, `le` in seconds, with `+Inf` for all.

    Args:
        histograms: The histograms.
        edges: Seconds, ascending.
        unit_s: Seconds that one unit of the histogram is.

    Raises:
        EvidenceError: A bucket lies across an edge: the histogram has become coarser than the edges.
    """
    series = []
    for histogram in histograms:
        rows = [(at, *_cumulative(histogram, row, total, edges, unit_s)) for at, total, row in histogram.samples]
        for place, edge in enumerate([*edges, math.inf]):
            labels = {**histogram.labels, "le": "+Inf" if math.isinf(edge) else repr(edge)}
            series.append(Series(labels, tuple((row[0], row[1 + place]) for row in rows)))
    return series


def _cumulative(
    histogram: Histogram, row: Sequence[tuple[float, float, float]], total: float, edges: Sequence[float], unit_s: float
) -> list[float]:
    counts = [0.0] * (len(edges) + 1)
    for low, high, count in row:
        place = bisect_left(edges, high * unit_s * (1 - ROUNDING))
        if place and _across(edges[place - 1], low * unit_s, high * unit_s):
            raise EvidenceError(
                f"the native histogram of pod {histogram.labels.get('pod', '?')} has a bucket from {low * unit_s:.6g} s to "
                f"{high * unit_s:.6g} s, across the edge {edges[place - 1]:.6g} s that is judged at: it has become coarser "
                "than the release was planned with. Let it have more buckets, or a lower resolution from the start"
            )
        counts[place] += count
    below, cumulative = 0.0, []
    for count in counts[:-1]:
        below += count
        cumulative.append(below)
    return [*cumulative, total]
