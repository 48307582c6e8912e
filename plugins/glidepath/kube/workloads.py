"""What runs pods: Deployments, and StatefulSets where the account may read them."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from glidepath.errors import ClusterError
from glidepath.kube.names import STATEFULSETS, WORKLOADS
from glidepath.kube.objects import Objects

Workload = tuple[str, dict[str, Any]]


def workload(objects: Objects, name: str) -> Workload | None:
    """The kind and the object of this name; None where there is none.

    Raises:
        ClusterError: The API refused or did not answer.
    """
    for kind in WORKLOADS:
        try:
            return kind, objects.get(kind, name)
        except ClusterError as error:
            if not _none(kind, error):
                raise
    return None


def workloads(objects: Objects, selector: str = "") -> list[Workload]:
    """The kind and the object of each that the labels select.

    Raises:
        ClusterError: The API refused or did not answer.
    """
    return [(kind, one) for kind in WORKLOADS for one in _listed(kind, lambda kind: objects.list(kind, selector))]


def workloads_metadata(objects: Objects, selector: str) -> list[Workload]:
    """As `workloads`; their metadata only."""
    return [
        (kind, one) for kind in WORKLOADS for one in _listed(kind, lambda kind: objects.list_metadata(kind, selector))
    ]


def _listed(kind: str, read: Callable[[str], Any]) -> list[dict[str, Any]]:
    try:
        return list(read(kind))
    except ClusterError as error:
        if not _none(kind, error):
            raise
        return []


def _none(kind: str, error: ClusterError) -> bool:
    """Whether an answer says that there is nothing. An account that may not read StatefulSets has no version that is one."""
    return error.status == HTTPStatus.NOT_FOUND or (kind == STATEFULSETS and error.status == HTTPStatus.FORBIDDEN)
