"""Which presets fit what Prometheus has of a service."""

from __future__ import annotations

from dataclasses import dataclass, replace

from glidepath.errors import EvidenceError
from glidepath.evidence.cadence import WINDOW_S, Cadence, cadence
from glidepath.evidence.counted import PLAIN, counted_source
from glidepath.evidence.edges import latency_edges
from glidepath.evidence.effect import requests_of
from glidepath.evidence.named import named
from glidepath.evidence.series import Samples, Series
from glidepath.evidence.source import UNNAMED, Source, app_source
from glidepath.evidence.tally import of_version
from glidepath.policy.presets import PRESETS

# What takes the place of another that reads the same series.
BEFORE = {"istio-grpc": "istio"}


@dataclass(frozen=True)
class Fit:
    """A source that has series of a version.

    Attributes:
        source: Its name in a policy.
        per_s: Requests a second, over five minutes.
        pods: How many pods counted them: the version's own, or its callers'.
        edges: Latency buckets' finite edges, seconds; empty where there are none.
        native: Whether latency is in native histograms.
        cadence: How often pods are scraped, and how late it can be read; None where there are too few samples.
        remark: What keeps its latency from being read.
    """

    source: str
    per_s: float
    pods: int
    edges: tuple[float, ...]
    native: bool
    cadence: Cadence | None
    remark: str = ""


def fitting(prometheus: Samples, namespace: str, service: str, *versions: str) -> list[Fit]:
    """The sources that have series of a version with the labels that tell errors; those with traffic first.

    Args:
        prometheus: Where the samples are.
        namespace, service: Whose.
        versions: What stands for the version: of each source the first that it has series of.

    Raises:
        EvidenceError: Prometheus did not answer.
    """
    fitted: list[Fit] = []
    for name in (*PRESETS, "app"):
        fits = (
            _fit(prometheus, name, _source(name, namespace, service, version), version)
            for version in versions
            if version != UNNAMED or _by_name(name)
        )
        fitted += [fit for fit in fits if fit is not None][:1]
    hidden = {BEFORE[fit.source] for fit in fitted if fit.source in BEFORE}
    return sorted((fit for fit in fitted if fit.source not in hidden), key=lambda fit: fit.per_s == 0)


def _by_name(source: str) -> bool:
    """Whether what has no version is known by its name: a label that has just the version says nothing then."""
    place = PRESETS[source].counts.version if source in PRESETS else None
    return place is not None and (place.pod_name or place.value != PLAIN)


def _source(name: str, namespace: str, service: str, version: str) -> Source:
    if name not in PRESETS:
        return app_source(namespace, service, [version])
    return counted_source(PRESETS[name].counts, namespace, service, [version], False)


def _fit(prometheus: Samples, name: str, source: Source, version: str) -> Fit | None:
    reader, now = named(prometheus, source), prometheus.now()
    series = of_version(reader.range_vector(source.requests, WINDOW_S, now), source.version_label, version)
    labels = [label for label, _ in source.error]
    if not any(counter.labels.get(label) for counter in series for label in labels):
        return None
    requests, pods = requests_of(prometheus, source, version, WINDOW_S)
    edges, native, remark = _edges(reader, source, version, now)
    seconds = _seconds(series)
    return Fit(name, requests / seconds if seconds else 0.0, pods, edges, native, cadence(series, now), remark)


def _seconds(series: list[Series]) -> float:
    """How long there have been samples, at most the window."""
    times = [at for counter in series for at, _ in counter.samples]
    return max(times) - min(times)


def _edges(reader: Samples, source: Source, version: str, now: float) -> tuple[tuple[float, ...], bool, str]:
    """The latency edges, whether they are of native histograms, and what is wrong with them."""
    buckets = of_version(reader.range_vector(source.latency, WINDOW_S, now), source.version_label, version)
    if buckets:
        try:
            return latency_edges(buckets, source), False, ""
        except EvidenceError as error:
            return (), False, str(error)
    native = replace(source, latency=source.latency.replace("_bucket{", "{", 1))
    return (), bool(reader.range_histograms(native.latency, WINDOW_S, now)), ""
