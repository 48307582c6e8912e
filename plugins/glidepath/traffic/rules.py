"""The DestinationRules for a service's host, as Istio makes one of them.

Of several in a namespace it takes the subsets of all; of two with one name that of the oldest rule, and the oldest rule's
policy that has one (`mergeDestinationRule` in Istio's pilot). A rule with a `workloadSelector` is for some callers only,
one with a wildcard gives way to one that names the host.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glidepath.kube import editor
from glidepath.traffic.entries import Hosts
from glidepath.traffic.others import age, name_of

Found = Mapping[str, Any]


@dataclass(frozen=True)
class Subset:
    """A subset that is in force.

    Attributes:
        labels: Those of the pods that it leads to.
        policy: How callers are led there: its own traffic policy and the host's, and for whom.
        rule: The DestinationRule that it is of, without its namespace.
        by: Who wrote that rule last, and when.
    """

    labels: Mapping[str, str]
    policy: Mapping[str, Any]
    rule: str
    by: str

    def leads_to(self, version: str, pods: Mapping[str, str] | None) -> bool:
        """Whether it leads to the pods of a version alone.

        Args:
            version: The version, which its pods carry as the label `version`.
            pods: All labels of those pods; None where they are not known.
        """
        known = self.labels if pods is None else pods
        return self.labels.get("version") == version and self.labels.items() <= known.items()


def subsets_of(service: str, all_rules: Sequence[Found], namespace: str) -> dict[str, Subset]:
    """The subsets in force for callers of a service's own namespace, by their names.

    Args:
        service: The service.
        all_rules: All DestinationRules of its namespace.
        namespace: Its namespace.
    """
    rules = sorted(
        (rule for rule in all_rules if _meets(rule, service, namespace)), key=lambda rule: age(rule, namespace)
    )
    host: Mapping[str, Any] = next(
        (rule["spec"]["trafficPolicy"] for rule in rules if rule["spec"].get("trafficPolicy")), {}
    )
    subsets: dict[str, Subset] = {}
    for rule in rules:
        by = editor(rule["metadata"].get("managedFields") or [], "f:spec")
        for subset in rule["spec"].get("subsets") or []:
            policy = {"host": host, "own": subset.get("trafficPolicy") or {}}
            if rule["spec"].get("exportTo"):
                policy["exportTo"] = rule["spec"]["exportTo"]
            made = Subset(subset.get("labels") or {}, policy, name_of(rule, namespace)[1], by)
            subsets.setdefault(str(subset.get("name")), made)
    return subsets


def rules_beside(service: str, all_rules: Sequence[Found], namespace: str) -> list[str]:
    """Names of other DestinationRules of the service's host that some or all of its own callers go by."""
    listed = []
    for rule in all_rules:
        home, name = name_of(rule, namespace)
        if (home, name) == (namespace, service) or not _meets(rule, service, namespace, selecting=True):
            continue
        some = rule["spec"].get("workloadSelector") is not None
        listed.append(f"{home}/{name}" + (" (for some callers only)" if some else ""))
    return sorted(listed)


def _meets(rule: Found, service: str, namespace: str, selecting: bool = False) -> bool:
    """Whether a rule is for the service's host; one that selects callers counts with `selecting` only."""
    home, host = name_of(rule, namespace)[0], str(rule["spec"].get("host") or "")
    if rule["spec"].get("workloadSelector") is not None and not selecting:
        return False
    return (host if "." in host else f"{host}.{home}") in Hosts(service, namespace)
