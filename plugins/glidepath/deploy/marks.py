"""Marks of controllers that bring objects to the state in git: such a controller would undo a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from glidepath.deploy.mesh import PATHS
from glidepath.errors import ClusterError
from glidepath.kube import WORKLOADS, Objects, workloads_metadata


@dataclass(frozen=True)
class Controller:
    """A controller, and what it writes: labels, annotations, and its names as a field manager."""

    name: str
    labels: frozenset[str] = frozenset()
    annotations: frozenset[str] = frozenset()
    managers: frozenset[str] = frozenset()


# `app.kubernetes.io/instance` is none: Argo CD can track by it, but every chart writes it too.
CONTROLLERS = (
    Controller(
        "Argo CD",
        labels=frozenset({"argocd.argoproj.io/instance"}),
        annotations=frozenset({"argocd.argoproj.io/tracking-id"}),
        managers=frozenset({"argocd-controller", "argocd-application-controller"}),
    ),
    Controller(
        "Flux (HelmRelease)",
        labels=frozenset({"helm.toolkit.fluxcd.io/name"}),
        managers=frozenset({"helm-controller"}),
    ),
    Controller(
        "Flux (Kustomization)",
        labels=frozenset({"kustomize.toolkit.fluxcd.io/name"}),
        managers=frozenset({"kustomize-controller"}),
    ),
    Controller("Rancher Fleet", managers=frozenset({"fleetagent"})),
    Controller(
        "kapp", labels=frozenset({"kapp.k14s.io/app"}), managers=frozenset({"kapp-server-side-apply"})
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Mark:
    """A controller's mark: on which object, as `Deployment prices-v1`, and what it is."""

    controller: str
    where: str
    what: str


def marks_on(where: str, metadata: Mapping[str, Any]) -> list[Mark]:
    """The marks of an object's metadata; one a controller, the plainest."""
    labels, notes = metadata.get("labels") or {}, metadata.get("annotations") or {}
    managers = {
        str(entry.get("manager"))
        for entry in metadata.get("managedFields") or []
        if entry.get("subresource") != "status"
    }
    marks = []
    for controller in CONTROLLERS:
        signs = [
            *(f"annotation {key}={notes[key]}" for key in sorted(controller.annotations & notes.keys())),
            *(f"label {key}={labels[key]}" for key in sorted(controller.labels & labels.keys())),
            *(f"field manager {name}" for name in sorted(controller.managers & managers)),
        ]
        if signs:
            marks.append(Mark(controller.name, where, signs[0]))
    return marks


def marks(objects: Objects, service: str, release: str) -> list[Mark]:
    """The marks on a service's routes, versions and Helm release.

    Raises:
        ClusterError: The API refused or did not answer.
    """
    return [mark for where, metadata in _read(objects, service, release) for mark in marks_on(where, metadata)]


def _read(objects: Objects, service: str, release: str) -> Iterable[tuple[str, Mapping[str, Any]]]:
    for kind, path in PATHS.items():
        try:
            yield f"{kind} {service}", objects.get(path, service)["metadata"]
        except ClusterError as error:
            if error.status != 404:
                raise
    for kind, metadata in workloads_metadata(objects, f"app={service}"):
        yield f"{WORKLOADS[kind]} {metadata['name']}", metadata
    for metadata in objects.list_metadata("v1/secrets", f"owner=helm,name={release}"):
        yield f"Helm's release {release}", metadata
