"""A source out of what a policy has counted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from glidepath.errors import PolicyError
from glidepath.evidence.named import VERSION
from glidepath.evidence.source import Naming, Rule, Source, patterns_of_pods, pods_of, quoted, rule_of, workload_of
from glidepath.policy.counted import COMPLETE, Counted, Latency, VersionPlace, filled

UNITS = {"seconds": 1.0, "milliseconds": 0.001}
PLAIN = "{version}"


def counted_source(counted: Counted, namespace: str, service: str, versions: Sequence[str], native: bool) -> Source:
    """The series of a service's versions.

    Args:
        counted: What is counted; complete.
        namespace, service: Whose.
        versions: Those that are told apart.
        native: Whether latency is in native histograms.

    Raises:
        PolicyError: It does not say what is counted, or which of it are errors.
    """
    _complete(counted, service)
    assert counted.version is not None
    names, pod, own = {"service": service, "namespace": namespace}, counted.pod or "pod", counted.seen_by != "callers"
    naming, by_version = _naming(counted.version, pod, names, versions)
    where = {label: quoted(pattern) for label, pattern in _rule(counted.where or {}, names)}
    if own and not (naming and naming.pods):
        where.setdefault(pod, pods_of(service, versions))
    scope = _joined(where)
    label, literal = by_version
    if label:
        where.setdefault(label, literal)
    matchers = _joined(where)
    latency = counted.latency
    source = Source(
        requests=f"{counted.requests}{{{matchers}}}",
        latency=_histogram(latency, matchers, native) if latency else "",
        version_label=VERSION if naming else counted.version.label or VERSION,
        error=rule_of(counted.errors or {}),
        good=rule_of(counted.good or {}),
        where=matchers,
        unit_seconds=UNITS[latency.unit] if latency else 1.0,
        own_pods=own,
        native=native,
        starts=f"process_start_time_seconds{{{scope}}}" if own and scope else "",
        binned=bool(latency and latency.binned and not native),
        naming=naming,
    )
    return source.without(rule_of(counted.ignore)) if counted.ignore else source


def _complete(counted: Counted, service: str) -> None:
    """Make sure that it says what is counted.

    Raises:
        PolicyError: It says nothing of some of it.
    """
    missing = [name for name in COMPLETE if not getattr(counted, name)]
    if missing:
        raise PolicyError(
            f"evidence.counts of {service} says nothing of {' and '.join(missing)}: expected a counter of requests, the labels "
            "of those that are errors, and where the version is; nothing was touched"
        )


def _joined(where: Mapping[str, str]) -> str:
    """Labels and the literals that they match, as a selector has them."""
    return ",".join(f"{label}=~{literal}" for label, literal in where.items())


def _histogram(latency: Latency, matchers: str, native: bool) -> str:
    """The selector of a latency's histogram among what the matchers select."""
    among = "".join(f",{name}=~{quoted(pattern)}" for name, pattern in rule_of(latency.among))
    return f"{latency.histogram}{'' if native else '_bucket'}{{{matchers}{among}}}"


def _rule(labels: Mapping[str, str | list[str]], names: Mapping[str, str]) -> Rule:
    return tuple(
        (label, "|".join(filled(value, names) for value in ([values] if isinstance(values, str) else values)))
        for label, values in sorted(labels.items())
    )


def _naming(
    place: VersionPlace, pod: str, names: Mapping[str, str], versions: Sequence[str]
) -> tuple[Naming | None, tuple[str, str]]:
    """How series are named where they have not the usual labels, and the label and literal that select the versions."""
    if place.pod_label is not None:
        selector = [f"namespace={quoted(names['namespace'])}"]
        selector += [f"{_told(label)}=~{quoted(pattern)}" for label, pattern in _rule(place.pods, names)]
        known = tuple((version, re.escape(version)) for version in versions)
        return Naming(pod, _told(place.pod_label), known, f"kube_pod_labels{{{','.join(selector)}}}"), ("", "")
    if place.pod_name:
        return Naming(pod, pod, patterns_of_pods(names["service"], versions)), ("", "")
    assert place.label is not None
    known = tuple((version, filled(place.value, {**names, **_of(names["service"], version)})) for version in versions)
    literal = quoted("|".join(pattern for _, pattern in known))
    plain = place.value == PLAIN
    if plain and pod == "pod":
        return None, (place.label, literal)
    return Naming(pod, place.label, known), (place.label, literal)


def _of(service: str, version: str) -> dict[str, str]:
    """The names of a version, by what stands for them."""
    return {"version": version, "workload": workload_of(service, version)}


def _told(label: str) -> str:
    """How kube-state-metrics calls a label of pods."""
    return "label_" + re.sub(r"[^a-zA-Z0-9_]", "_", label)
