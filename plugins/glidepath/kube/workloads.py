"""What runs pods: Deployments, and StatefulSets where the account may read them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
    return _each(lambda kind: objects.list(kind, selector))


def workloads_metadata(objects: Objects, selector: str) -> list[Workload]:
    """As `workloads`; their metadata only."""
    return _each(lambda kind: objects.list_metadata(kind, selector))


def _each(read: Callable[[str], Iterable[dict[str, Any]]]) -> list[Workload]:
    found: list[Workload] = []
    for kind in WORKLOADS:
        try:
            found += [(kind, each) for each in read(kind)]
        except ClusterError as error:
            if not _none(kind, error):
                raise
    return found


def _none(kind: str, error: ClusterError) -> bool:
    """Whether an answer says that there is nothing. An account that may not read StatefulSets has no version that is one."""
    return error.status == HTTPStatus.NOT_FOUND or (kind == STATEFULSETS and error.status == HTTPStatus.FORBIDDEN)
