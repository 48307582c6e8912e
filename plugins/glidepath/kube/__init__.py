"""The Kubernetes API: calls that end in time, objects, and who wrote them."""

from glidepath.kube.calls import at_once, may_pass, refused, request
from glidepath.kube.editors import UNKNOWN, editor
from glidepath.kube.names import (
    DELETED,
    DEPLOYMENTS,
    FIELD_MANAGER,
    GROUP,
    HELD,
    HELM,
    OPEN,
    STATE,
    STATEFULSETS,
    TOKEN,
    WORKLOAD_KINDS,
    WORKLOADS,
    WRITE,
)
from glidepath.kube.objects import APPLY, MERGE, METADATA_ONLY, Objects, Opened
from glidepath.kube.workloads import workload, workloads, workloads_metadata

__all__ = [
    "APPLY",
    "DELETED",
    "DEPLOYMENTS",
    "FIELD_MANAGER",
    "GROUP",
    "HELD",
    "HELM",
    "MERGE",
    "METADATA_ONLY",
    "OPEN",
    "Objects",
    "Opened",
    "STATE",
    "STATEFULSETS",
    "TOKEN",
    "UNKNOWN",
    "WORKLOADS",
    "WORKLOAD_KINDS",
    "WRITE",
    "at_once",
    "editor",
    "may_pass",
    "refused",
    "request",
    "workload",
    "workloads",
    "workloads_metadata",
]
