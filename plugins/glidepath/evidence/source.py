"""Which series carry the evidence. The queries stand beside the rules by which their answer is read."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from glidepath.naming import workload_name
from glidepath.policy.labels import pattern_of


def quoted(value: str) -> str:
    """A PromQL string literal for any text."""
    return json.dumps(value, ensure_ascii=False)


def one_of(values: Sequence[str]) -> str:
    """A PromQL regular expression literal that matches exactly these texts."""
    return quoted("|".join(re.escape(value) for value in values))


# What Kubernetes appends to the name of a workload for its pods: a StatefulSet's their numbers; a Deployment's a hash of its
# template of up to ten letters and one of five, and what is before the last is cut at 58, so that some have no dash between.
OF_PODS = "(?:[0-9]+|[a-z0-9]{1,10}-[a-z0-9]{5}|[a-z0-9]{10,15})"
Rule = tuple[tuple[str, str], ...]
# Stands for the version of a service that runs as one: what is called by the service's name alone.
UNNAMED = ""


def matches(labels: Mapping[str, str], rule: Rule) -> bool:
    """Whether every label of a rule has a value that its pattern matches in full."""
    return all(re.fullmatch(pattern, labels.get(label, "")) is not None for label, pattern in rule)


def rule_of(labels: Mapping[str, str | Sequence[str]]) -> Rule:
    """A rule of exact values and patterns (`policy.labels`): each label has one of its."""
    return tuple(
        (label, "|".join(pattern_of(value) for value in ([values] if isinstance(values, str) else values)))
        for label, values in sorted(labels.items())
    )


@dataclass(frozen=True)
class Naming:
    """Where series name pod and version, if not in `pod` and a label of their own; `named` reads by it.

    Attributes:
        pod: The label that names the pod.
        label: The label that tells the version; with `pods` one of its series.
        versions: Each version, and the pattern that the label's value matches in full.
        pods: Selector of kube-state-metrics' series that tell pods' labels; empty: the series tell their version themselves.
    """

    pod: str
    label: str
    versions: tuple[tuple[str, str], ...]
    pods: str = ""


@dataclass(frozen=True)
class ShareSeries:
    """Series of a share of requests: events, and what they are a share of.

    Attributes:
        name: Of the share, as the judge has it.
        of: Selector of the counters of what it is a share of; `among`: which of them.
        events: Selector of the counters of events; `event`: which of them.
        version_label: Label that names the version.
        naming: As `Source.naming`.
        sum_seconds: Of a mean, whose events are a sum: how many seconds one unit of it is. None for a share.
    """

    name: str
    of: str
    among: Rule
    events: str
    event: Rule
    version_label: str
    naming: Naming | None = None
    sum_seconds: float | None = None


@dataclass(frozen=True)
class Source:
    """Series selectors of one kind of telemetry, and how to read them.

    Attributes:
        requests: Selector of the request counters of both versions.
        latency: Selector of the cumulative latency buckets, or of the native histograms; successful requests only where the
            source can say so. Empty: latency is not asked for.
        version_label: Label that names the version.
        error: Which of the request counters are errors.
        good: Which are successful.
        where: Selects both versions' series of any other counter.
        unit_seconds: How many seconds one unit of latency is.
        own_pods: Whether the label `pod` names the version's pods, not those of its callers.
        shares: Further shares that are counted.
        native: Whether latency is in native histograms.
        edges: Which finite buckets there are, seconds: where native ones are cut. Empty: what is there, and where those
            allow.
        starts: Selector of the times at which the pods' processes began, epoch seconds; empty where nobody tells.
        binned: Whether Envoy counts the latency, in bins of two digits of a unit.
        naming: Where pod and version stand, if not in `pod` and `version_label`.
    """

    requests: str
    latency: str
    version_label: str
    error: Rule
    good: Rule
    where: str
    unit_seconds: float
    own_pods: bool
    shares: tuple[ShareSeries, ...] = ()
    native: bool = False
    edges: tuple[float, ...] = ()
    starts: str = ""
    binned: bool = False
    naming: Naming | None = None

    def naming_of(self, selector: str) -> Naming | None:
        """Where the series of one of its selectors name pod and version; None where it is as usual."""
        for share in self.shares:
            if selector in (share.of, share.events):
                return share.naming
        return self.naming

    @property
    def as_usual(self) -> bool:
        """Whether all its series name pod and version as usual, so that Prometheus may make sums by them."""
        return self.naming is None and all(share.naming is None for share in self.shares)

    @property
    def le_seconds(self) -> float:
        """How many seconds one unit of a bucket's `le` is; native histograms are cut in seconds."""
        return 1.0 if self.native else self.unit_seconds

    def without(self, rule: Rule) -> Source:
        """The same without the requests of which any label matches its pattern; other counters stay whole."""
        more = ",".join(f"{label}!~{quoted(pattern)}" for label, pattern in rule)
        return replace(self, requests=narrowed(self.requests, more), latency=narrowed(self.latency, more))

    def is_error(self, labels: Mapping[str, str]) -> bool:
        """Whether a request counter counts errors."""
        return matches(labels, self.error)


def narrowed(selector: str, more: str) -> str:
    """A selector with more matchers, already quoted, beside those it has."""
    return f"{selector.removesuffix('}')},{more}}}" if selector and more else selector


def workload_of(service: str, version: str) -> str:
    """What runs the pods of a version is called so; that of an unnamed one as the service."""
    return service if version == UNNAMED else workload_name(service, version)


def pods_of(service: str, versions: Sequence[str]) -> str:
    """A PromQL regular expression literal that matches the names of the pods of these versions, and of no others."""
    names = "|".join(re.escape(workload_of(service, version)) for version in versions)
    return quoted(f"(?:{names})-{OF_PODS}")


def patterns_of_pods(service: str, versions: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Each version, and the pattern that the names of its pods match in full, as `pods_of`."""
    return tuple((version, f"{re.escape(workload_of(service, version))}-{OF_PODS}") for version in versions)


def app_source(namespace: str, service: str, versions: Sequence[str], native: bool = False) -> Source:
    """The service's own metrics: `app_predictions_total`, `app_prediction_latency_seconds`."""
    pods = pods_of(service, versions)
    where = f"namespace={quoted(namespace)},pod=~{pods},version=~{one_of(versions)}"
    return Source(
        requests=f"app_predictions_total{{{where}}}",
        latency=f'app_prediction_latency_seconds{"" if native else "_bucket"}{{{where},status="success"}}',
        version_label="version",
        error=(("status", "error"),),
        good=(("status", "success"),),
        where=where,
        unit_seconds=1.0,
        own_pods=True,
        native=native,
        starts=f"process_start_time_seconds{{namespace={quoted(namespace)},pod=~{pods}}}",
    )


def mesh_source(namespace: str, service: str, versions: Sequence[str], native: bool = False) -> Source:
    """What the callers' proxies saw: Istio's standard metrics, `reporter="source"`."""
    where = (
        f'reporter="source",destination_service_name={quoted(service)},'
        f"destination_service_namespace={quoted(namespace)},destination_version=~{one_of(versions)}"
    )
    return Source(
        requests=f"istio_requests_total{{{where}}}",
        latency=f"istio_request_duration_milliseconds{'' if native else '_bucket'}{{{where}}}",
        version_label="destination_version",
        error=(("response_code", "5..|0"),),
        good=(("response_code", "[1-4].."),),
        where=where,
        unit_seconds=0.001,
        own_pods=False,
        native=native,
        binned=not native,
    )


SOURCES = {"app": app_source, "mesh": mesh_source}
