"""What a cluster has of a service, as far as a policy names it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glidepath.errors import ClusterError, GlidepathError, PreflightError

if TYPE_CHECKING:
    from kubernetes import client


@dataclass(frozen=True)
class Looked:
    """A service in its cluster.

    Attributes:
        versions: Its versions, and how many replicas of each are ready.
        stable: The version that has the traffic, or, where no routes say so, the one with the most replicas.
        helm: The Helm release that made it; empty where none did.
        missing: What a release needs and is not there, each a sentence.
    """

    versions: Mapping[str, int]
    stable: str
    helm: str
    missing: tuple[str, ...]


def look(api: client.ApiClient, namespace: str, service: str) -> Looked:
    """Look, reading only.

    Raises:
        PreflightError: There is no Deployment of the service.
        ClusterError: The API refused or did not answer.
    """
    from glidepath.deploy.live import MADE_BY
    from glidepath.kube import DEPLOYMENTS, Objects
    from glidepath.wiring.cluster import mesh

    objects = Objects(api, namespace)
    mine, others = [], []
    for one in objects.list(DEPLOYMENTS):
        name = one["metadata"]["name"]
        if name.startswith(f"{service}-"):
            mine.append(one)
        elif (one["metadata"].get("labels") or {}).get("app") == service or name == service:
            others.append(name)
    missing = [
        f"Deployment {name} is not named {service}-VERSION: releases know versions by Deployments of that name"
        for name in others
    ]
    if not mine:
        raise PreflightError(
            f"namespace {namespace} has no Deployment {service}-VERSION, such as {service}-v1"
            + (f"; it has {', '.join(others)}" if others else "")
            + ". Expected one for the version that runs (docs/own-cluster.md)"
        )
    versions = {one["metadata"]["name"].removeprefix(f"{service}-"): _ready(one) for one in mine}
    stable = max(versions, key=lambda version: versions[version])
    try:
        stable = mesh(api, namespace, service)[0].read().split.stable
    except GlidepathError as error:
        missing.append(f"no routes that can be shifted: {error}")
    try:
        objects.get("v1/services", service)
    except ClusterError as error:
        if error.status != 404:
            raise
        missing.append(f"no Service {service}: what callers call, with the pods of all versions")
    if stable not in versions:
        missing.append(f"the routes lead to {stable}, and there is no Deployment {service}-{stable}")
    helm = next((told for one in mine if (told := (one["metadata"].get("annotations") or {}).get(MADE_BY))), "")
    if not helm:
        missing.append("no Helm release made its Deployments: a release goes by `helm upgrade`")
    return Looked(versions, stable, helm, tuple(missing))


def _ready(deployment: Mapping[str, Any]) -> int:
    return int((deployment.get("status") or {}).get("availableReplicas") or 0)
