"""A service that runs by plain Helm, as one version: what its first policy says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from glidepath.errors import HelmError
from glidepath.naming import workload_name
from glidepath.policy import ValuePaths

if TYPE_CHECKING:
    from kubernetes import client

    from glidepath.deploy import Helm, HelmRelease
    from glidepath.kube import Objects

# What a mesh calls the version of pods that name none.
UNKNOWN = "unknown"
# Where pods of plain Helm may name a version.
NAMED = ("version", "app.kubernetes.io/version")


@dataclass(frozen=True)
class Plain:
    """One Deployment, or StatefulSet, that has all of a service's pods.

    Attributes:
        ready: How many of its replicas are ready.
        version: The tag or digest of its image.
        helm: The Helm release that made it; empty where none did.
        counted_as: What stands for the version in what is counted of its pods: in their names, in the mesh.
        values: What Helm's users gave, without what Glidepath writes for each version.
        missing: What keeps it from being adopted, each a sentence.
    """

    ready: int
    version: str
    helm: str
    counted_as: tuple[str, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


def plain(
    api: client.ApiClient, objects: Objects, service: Mapping[str, Any], deployed: Sequence[Mapping[str, Any]]
) -> Plain | None:
    """What runs the pods of a Service, if that is one workload, and not called by a version.

    Args:
        api: A client of the cluster.
        objects: The objects of the Service's namespace.
        service: The Service.
        deployed: What runs pods in the namespace.

    Raises:
        ClusterError: The API refused or did not answer.
    """
    from glidepath.deploy.live import MADE_BY
    from glidepath.evidence.source import UNNAMED

    selector = (service.get("spec") or {}).get("selector") or {}
    serving = [workload for workload in deployed if selector and selector.items() <= _labels(workload).items()]
    name = service["metadata"]["name"]
    if len(serving) != 1 or version_by_labels(name, serving[0]):
        return None
    [workload] = serving
    release = (workload["metadata"].get("annotations") or {}).get(MADE_BY, "")
    called = [label for label in (_labels(workload).get(name) for name in NAMED) if label]
    values, missing = _given(api, objects.namespace, name, release)
    return Plain(
        ready(workload),
        version_of(str(workload["spec"]["template"]["spec"]["containers"][0].get("image"))),
        release,
        (UNNAMED, *called, UNKNOWN),
        values,
        missing,
    )


def version_by_labels(service: str, workload: Mapping[str, Any]) -> str:
    """The version of a service that a workload is, by its labels and its name; empty for none."""
    labels = workload["metadata"].get("labels") or {}
    version = str(labels.get("version") or "") if labels.get("app") == service else ""
    return version if version and workload["metadata"]["name"] == workload_name(service, version) else ""


def ready(workload: Mapping[str, Any]) -> int:
    """How many of a workload's replicas are ready."""
    return int((workload.get("status") or {}).get("availableReplicas") or 0)


def version_of(image: str) -> str:
    """The tag or digest of an image, such as `1.4.2` of `registry:5000/shop:1.4.2`."""
    name, at, digest = image.partition("@")
    return digest if at else name.rpartition("/")[2].partition(":")[2] or "latest"


def _given(
    api: client.ApiClient, namespace: str, service: str, release: str
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The values that a Helm release was given, and what is in the way of its adoption."""
    if not release:
        return {}, (f"no Helm release made what Service {service} leads to: adopt takes over what Helm has installed",)
    from glidepath.deploy.adoptable import hindrances

    try:
        helm = _installed(api, namespace, release)
        return _without(helm.status()), tuple(hindrances(service, helm.deployed().objects))
    except HelmError as error:
        return {}, (_unread(release, error),)


def given_to_version(api: client.ApiClient, namespace: str, release: str) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """The values that the Helm release of a version was given, and why they can't be said."""
    try:
        return _without(_installed(api, namespace, release).status()), ()
    except HelmError as error:
        return {}, (_unread(release, error),)


def _installed(api: client.ApiClient, namespace: str, release: str) -> Helm:
    from glidepath.wiring.deploy import installed

    return installed(api, namespace, release)


def _without(status: HelmRelease | None) -> Mapping[str, Any]:
    """What is written for each version is none of the policy's."""
    from glidepath.deploy.adoptable import without

    return without(status.values if status else {}, *ValuePaths().taken)


def _unread(release: str, error: HelmError) -> str:
    return f"helm.values: what Helm's release {release} was given could not be read: {error}"


def _labels(workload: Mapping[str, Any]) -> Mapping[str, str]:
    template = (workload.get("spec") or {}).get("template") or {}
    return dict((template.get("metadata") or {}).get("labels") or {})
