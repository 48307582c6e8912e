"""The series that a policy names as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from glidepath.evidence.counted import counted_source
from glidepath.evidence.source import SOURCES, Share, Source, rule_of
from glidepath.policy import ErrorsMetric, LatencyMetric, MeanMetric, Policy, ShareMetric
from glidepath.policy.presets import counted_by


def source_of(policy: Policy, versions: Sequence[str]) -> Source:
    """The source of a policy's evidence, with what its metrics ask for: shares, and latency if any is about it.

    Args:
        policy: Its metrics and where their counts come from.
        versions: The two versions.

    Raises:
        PolicyError: It does not say what is counted.
    """
    seen = policy.evidence

    def made(name: str) -> Source:
        native = seen.histograms == "native"
        mine = name == seen.source
        if name in SOURCES:
            source = SOURCES[name](policy.namespace, policy.service, versions, native)
        else:
            counted = counted_by(name, seen.counts if mine else None)
            source = counted_source(counted, policy.namespace, policy.service, versions, native)
        # Labels are those of the evidence's own counters.
        return source.without(rule_of(seen.ignore)) if mine else source

    shares: list[Share] = []
    for metric in policy.metrics:
        if isinstance(metric, ErrorsMetric) and metric.source is not None:
            of = made(metric.source)
            shares.append(Share(metric.title, of.requests, (), of.requests, of.error, of.version_label, of.naming))
        elif isinstance(metric, ShareMetric):
            shares.append(_share(metric, made(metric.source or seen.source)))
        elif isinstance(metric, MeanMetric):
            shares.append(_mean(metric, made(seen.source)))
    source = replace(made(seen.source), shares=tuple(shares))
    has_latency = any(isinstance(metric, LatencyMetric) for metric in policy.metrics)
    return source if has_latency else replace(source, latency="")


def _mean(metric: MeanMetric, source: Source) -> Share:
    """The histogram's sum, and what it is the sum of."""
    of, events = (source.latency.replace("_bucket{", f"{end}{{", 1) for end in ("_count", "_sum"))
    return Share(metric.title, of, (), events, (), source.version_label, source.naming, source.unit_seconds)


def _share(metric: ShareMetric, source: Source) -> Share:
    """A share among the source's successful requests, or of other counters with the same labels."""
    among, label, naming = rule_of(metric.among), source.version_label, source.naming
    if metric.counter is None:
        among = among or source.good
        event = (*among, *rule_of(metric.event))
        return Share(metric.name, source.requests, among, source.requests, event, label, naming)
    of = f"{metric.counter}{{{source.where}}}"
    events = f"{metric.event_counter or metric.counter}{{{source.where}}}"
    return Share(metric.name, of, among, events, (*among, *rule_of(metric.event)), label, naming)
