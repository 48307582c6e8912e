"""The series that a policy names as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from glidepath.evidence.source import SOURCES, Share, Source, rule_of
from glidepath.policy import ErrorsMetric, LatencyMetric, Policy, ShareMetric


def source_of(policy: Policy, versions: Sequence[str]) -> Source:
    """The source of a policy's evidence, with what its metrics ask for: shares, and latency if any is about it.

    Args:
        policy: Its metrics and where their counts come from.
        versions: The two versions.
    """

    def made(name: str) -> Source:
        native = policy.evidence.histograms == "native"
        source = SOURCES[name](policy.namespace, policy.service, versions, native)
        # Labels are those of the evidence's own counters.
        return source.without(rule_of(policy.evidence.ignore)) if name == policy.evidence.source else source

    shares: list[Share] = []
    for metric in policy.metrics:
        if isinstance(metric, ErrorsMetric) and metric.source is not None:
            seen = made(metric.source)
            shares.append(Share(metric.title, seen.requests, (), seen.requests, seen.error, seen.version_label))
        elif isinstance(metric, ShareMetric):
            shares.append(_share(metric, made(metric.source or policy.evidence.source)))
    source = replace(made(policy.evidence.source), shares=tuple(shares))
    asked = any(isinstance(metric, LatencyMetric) for metric in policy.metrics)
    return source if asked else replace(source, latency="")


def _share(metric: ShareMetric, source: Source) -> Share:
    """A share among the source's successful requests, or of other counters with the same labels."""
    if metric.counter is None:
        among = rule_of(metric.among) or source.good
        return Share(
            metric.name, source.requests, among, source.requests, (*among, *rule_of(metric.event)), source.version_label
        )
    of = f"{metric.counter}{{{source.where}}}"
    events = f"{metric.event_counter or metric.counter}{{{source.where}}}"
    among = rule_of(metric.among)
    return Share(metric.name, of, among, events, (*among, *rule_of(metric.event)), source.version_label)
