"""A service that runs by plain Helm, as one version: what its first policy says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glidepath.errors import HelmError
from glidepath.policy import ValuePaths

if TYPE_CHECKING:
    from kubernetes import client

    from glidepath.kube import Objects

# What Kubernetes tells pods of one template by, and what a mesh calls the version of pods that name none.
HASH, UNKNOWN = "pod-template-hash", "unknown"
# Where pods of plain Helm may name a version.
NAMED = ("version", "app.kubernetes.io/version")


@dataclass(frozen=True)
class Plain:
    """One Deployment that has all of a service's pods.

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
    api: client.ApiClient, objects: Objects, service: Mapping[str, Any], deployments: Sequence[Mapping[str, Any]]
) -> Plain | None:
    """What runs the pods of a Service, if that is one Deployment, and not called by a version.

    Args:
        api: A client of the cluster.
        objects: The objects of the Service's namespace.
        service: The Service.
        deployments: Those of the namespace.

    Raises:
        ClusterError: The API refused or did not answer.
    """
    from glidepath.deploy.live import MADE_BY

    selector = (service.get("spec") or {}).get("selector") or {}
    serving = [deployment for deployment in deployments if selector and selector.items() <= _labels(deployment).items()]
    name = service["metadata"]["name"]
    if len(serving) != 1 or serving[0]["metadata"]["name"].startswith(f"{name}-"):
        return None
    [workload] = serving
    release = (workload["metadata"].get("annotations") or {}).get(MADE_BY, "")
    called = [_hash(objects, selector), *(_labels(workload).get(label, "") for label in NAMED), UNKNOWN]
    values, missing = _given(api, objects.namespace, name, release)
    return Plain(
        ready(workload),
        version_of(str(workload["spec"]["template"]["spec"]["containers"][0].get("image"))),
        release,
        tuple(filter(None, called)),
        values,
        missing,
    )


def ready(deployment: Mapping[str, Any]) -> int:
    """How many of a Deployment's replicas are ready."""
    return int((deployment.get("status") or {}).get("availableReplicas") or 0)


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
    from glidepath.deploy import Helm
    from glidepath.deploy.adoptable import hindrances, without
    from glidepath.deploy.charts import LocalChart

    helm = Helm(LocalChart(Path()), release, namespace, api)
    try:
        status = helm.status()
        problems = tuple(hindrances(service, helm.deployed().objects))
    except HelmError as error:
        return {}, (f"helm.values: what Helm's release {release} was given could not be read: {error}",)
    return without(status.values if status else {}, *ValuePaths().taken), problems


def _hash(objects: Objects, selector: Mapping[str, str]) -> str:
    """The hash in the names of most of the pods."""
    labels = ",".join(f"{key}={text}" for key, text in selector.items())
    counted = Counter((pod["metadata"].get("labels") or {}).get(HASH, "") for pod in objects.list("v1/pods", labels))
    return max(counted, key=lambda text: counted[text], default="")


def _labels(deployment: Mapping[str, Any]) -> Mapping[str, str]:
    template = (deployment.get("spec") or {}).get("template") or {}
    return dict((template.get("metadata") or {}).get("labels") or {})
