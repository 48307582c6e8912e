"""Counters that seem to be born between two looks: what they had before, and which processes really are new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress

from glidepath.errors import EvidenceError
from glidepath.evidence.lives import Sample
from glidepath.evidence.pace import SLACK
from glidepath.evidence.present import Present
from glidepath.evidence.series import Key, Series, pod_in
from glidepath.evidence.shares import uses_of


def look_back(
    reader: Present, uses: Mapping[str, list[Series]], latency: list[Series], end: float, window_s: float
) -> None:
    """Find out what the counters had that seem to be born. Without an answer what fits is counted.

    Args:
        reader: Reads the source, and knows its counters.
        uses: By use, the series that are counted.
        latency: The series of its buckets.
        end: The end of the interval, epoch seconds.
        window_s: How far back a process' start is looked for, seconds.
    """
    source, counters = reader.source, reader.counters
    places = {use: place for share in source.shares for use, place, _ in uses_of(share)}
    births = {use: counters.births(series, use) for use, series in uses.items()}
    births = {use: born for use, born in births.items() if any(sample.value > 0 for sample in born.values())}
    with suppress(EvidenceError):
        pods: dict[str, set[str]] = {}
        for use, born in births.items():
            pods.setdefault(places.get(use, source.requests), set()).update(map(pod_in, born))
        past = {selector: reader.past(selector, named, end) for selector, named in pods.items()}
        for use, born in births.items():
            counters.remember(past[places.get(use, source.requests)], use, born)
        if source.starts and _large([*births.values(), counters.births(latency, "latency")]):
            starts = reader.prometheus.range_vector(source.starts, window_s, end)
            counters.started({start.process: start.samples[-1][1] for start in starts})


def _large(births: Iterable[Mapping[Key, Sample]]) -> bool:
    """Whether a counter that seems to be born has more than fits any time."""
    return any(sample.value > SLACK for born in births for sample in born.values())
