"""What meets a service's VirtualService and DestinationRule, told in Istio's words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from glidepath.kube import DELETED, editor
from glidepath.traffic.entries import Hosts, left_alone, named
from glidepath.traffic.others import name_of, others_of
from glidepath.traffic.port import Pods, Surroundings, Way
from glidepath.traffic.routing import BELOW
from glidepath.traffic.rules import Subset, rules_beside, subsets_of

Objects = Sequence[Mapping[str, Any]]


def meeting(
    service: str, namespace: str, fresh: Collection[str], pods: Pods, services: Objects, rules: Objects
) -> Surroundings:
    """What meets a service's routes, and how callers are led to its versions.

    Args:
        service: The service, and the name of its VirtualService and DestinationRule.
        namespace: Its namespace.
        fresh: The versions that nobody else may lead to.
        pods: The versions that callers are led to, and the labels of their pods.
        services, rules: All VirtualServices and DestinationRules that may meet its own, those included.
    """
    others = others_of(service, services, namespace, fresh)
    home = [rule for rule in rules if name_of(rule, namespace)[0] == namespace]
    subsets = subsets_of(service, home, namespace)
    return Surroundings(
        outdone=(
            f"Istio goes by the older {'; '.join(others.winning)}: of several VirtualServices for a host the oldest wins"
            if others.winning
            else None
        ),
        misled=_misled(subsets, pods),
        lost=_lost(service, subsets, pods, _author(service, namespace, home)),
        ways={version: _way(version, subsets[version]) for version in pods if version in subsets},
        leading={name: f"VirtualService {name} leads to {versions}" for name, versions in others.leading.items()},
        remarks=(*_left_alone(service, namespace, services), *_beside(service, namespace, rules)),
    )


def _misled(subsets: Mapping[str, Subset], pods: Pods) -> str | None:
    for version, labels in pods.items():
        led = subsets.get(version)
        if led is not None and not led.leads_to(version, labels):
            return (
                f"subset {version} of DestinationRule {led.rule} leads to pods with {told(led.labels)}, written by {led.by}: "
                f"pods of {version} are none. Of several rules for a host Istio goes by the oldest that has the subset. "
                "Expected version alone, or labels that the pods have"
            )
    return None


def _lost(service: str, subsets: Mapping[str, Subset], pods: Pods, by: str) -> str | None:
    lost = sorted(
        version for version in pods if version not in subsets or not subsets[version].leads_to(version, pods[version])
    )
    if not lost:
        return None
    others = (subsets[version] for version in lost if version in subsets and subsets[version].rule != service)
    if (other := next(others, None)) is not None:
        return (
            f"subset {', '.join(lost)} of the older DestinationRule {other.rule} is in force, and leads to pods with "
            f"{told(other.labels)}; written by {other.by}"
        )
    return f"the DestinationRule has no subset that leads to {', '.join(lost)}; written by {by}"


def _author(service: str, namespace: str, rules: Objects) -> str:
    """Who wrote the subsets of the service's own DestinationRule."""
    own = next((rule for rule in rules if rule["metadata"]["name"] == service), None)
    if own is None:
        return DELETED
    field = "f:subsets" if own["spec"].get("host") in Hosts(service, namespace) else "f:host"
    return editor(own["metadata"].get("managedFields") or [], "f:spec", field)


def _way(version: str, subset: Subset) -> Way:
    digest = hashlib.sha256(json.dumps(subset.policy, sort_keys=True).encode()).hexdigest()[:16]
    return Way(
        digest,
        f"the traffic policy by which callers are led to {version} was changed; DestinationRule {subset.rule} was "
        f"written by {subset.by}",
    )


def _left_alone(service: str, namespace: str, services: Objects) -> list[str]:
    """The entries of the service's own VirtualService that a release does not touch."""
    own = next((routes for routes in services if name_of(routes, namespace) == (namespace, service)), None)
    if own is None:
        return []
    spec = own["spec"]
    below = [named(number, entry, kind) for kind in BELOW for number, entry in enumerate(spec.get(kind) or [], 1)]
    entries = [*left_alone(spec.get("http") or [], Hosts(service, namespace)), *below]
    return [f"{entry} of the VirtualService is left alone: it gets no canary" for entry in entries]


def _beside(service: str, namespace: str, rules: Objects) -> list[str]:
    """Other DestinationRules of the service's host."""
    return [
        f"WARNING: DestinationRule {name} is for {service}, too: whoever goes by it alone has only its subsets, and Istio "
        "merges it into the release's otherwise"
        for name in rules_beside(service, rules, namespace)
    ]


def told(labels: Mapping[str, str]) -> str:
    """Labels as people write them."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "no labels"
