"""The series that a policy names as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch

from glidepath.evidence.counted import counted_source
from glidepath.evidence.source import SOURCES, ShareSeries, Source, rule_of
from glidepath.policy import ErrorsMetric, MeanMetric, Policy, ShareMetric
from glidepath.policy.metrics import MetricForm
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

    asked = (share_of(metric, made(metric.counted_by or seen.source)) for metric in policy.metrics)
    source = replace(made(seen.source), shares=tuple(share for share in asked if share is not None))
    return source if any(metric.reads_buckets for metric in policy.metrics) else replace(source, latency="")


@singledispatch
def share_of(metric: MetricForm, source: Source) -> ShareSeries | None:  # noqa: ARG001 - each kind has its own
    """What a metric has counted beside the source's requests, errors and latency; None for nothing. A function a kind.

    Args:
        metric: The metric.
        source: What counts it.
    """
    return None


@share_of.register
def _(metric: ErrorsMetric, source: Source) -> ShareSeries | None:
    """The errors of a source of its own."""
    if metric.source is None:
        return None
    requests = source.requests
    return ShareSeries(metric.title, requests, (), requests, source.error, source.version_label, source.naming)


@share_of.register
def _(metric: MeanMetric, source: Source) -> ShareSeries:
    """The histogram's sum, and what it is the sum of."""
    of, events = (source.latency.replace("_bucket{", f"{end}{{", 1) for end in ("_count", "_sum"))
    return ShareSeries(metric.title, of, (), events, (), source.version_label, source.naming, source.unit_seconds)


@share_of.register
def _(metric: ShareMetric, source: Source) -> ShareSeries:
    """A share among the source's successful requests, or of other counters with the same labels."""
    among, label, naming = rule_of(metric.among), source.version_label, source.naming
    if metric.counter is None:
        among = among or source.good
        event = (*among, *rule_of(metric.event))
        return ShareSeries(metric.name, source.requests, among, source.requests, event, label, naming)
    of = f"{metric.counter}{{{source.where}}}"
    events = f"{metric.event_counter or metric.counter}{{{source.where}}}"
    return ShareSeries(metric.name, of, among, events, (*among, *rule_of(metric.event)), label, naming)
