"""What a cluster has of a service, as far as a policy names it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from glidepath.cli.plain import Plain, given_to_version, plain, ready, version_by_labels
from glidepath.errors import ClusterError, GlidepathError, PreflightError
from glidepath.naming import workload_name

if TYPE_CHECKING:
    from kubernetes import client

    from glidepath.kube import Objects

NO_SERVICE = "no Service {}: what callers call, with the pods of all versions"


@dataclass(frozen=True)
class Looked:
    """A service in its cluster.

    Attributes:
        versions: Its versions, and how many replicas of each are ready.
        stable: The version that has the traffic, or, where no routes say so, the one with the most replicas.
        helm: The Helm release that made it, or its routes; empty where none did.
        missing: What a release needs and is not there, each a sentence.
        plain: What is to be adopted, where the service runs by plain Helm as one version.
        of_versions: What Helm's users gave, where each version is a Helm release of its own, without what Glidepath writes.
    """

    versions: Mapping[str, int]
    stable: str
    helm: str
    missing: tuple[str, ...]
    plain: Plain | None = None
    of_versions: Mapping[str, Any] | None = None

    @property
    def counted_as(self) -> tuple[str, ...]:
        """What stands for the stable version in what is counted."""
        return self.plain.counted_as if self.plain else (self.stable,)


def look(api: client.ApiClient, namespace: str, service: str) -> Looked:
    """Look, reading only.

    Raises:
        PreflightError: Nothing runs pods of the service.
        ClusterError: The API refused or did not answer.
    """
    from glidepath.kube import WORKLOADS, Objects, workloads

    objects = Objects(api, namespace)
    deployed, mine, others = workloads(objects), [], []
    for kind, workload in deployed:
        name = workload["metadata"]["name"]
        if version_by_labels(service, workload):
            mine.append(workload)
        elif (workload["metadata"].get("labels") or {}).get("app") == service or name == service:
            others.append(f"{WORKLOADS[kind]} {name}")
    called = _service(objects, service)
    if called is not None and (one := plain(api, objects, called, [found for _, found in deployed])):
        return Looked({one.version: one.ready}, one.version, one.helm, one.missing, one)
    missing = [
        f"{other} is no version of {service}: expected the name {service}-VERSION, and the labels app: {service} and version: VERSION"
        for other in others
    ]
    if not mine:
        raise PreflightError(
            f"namespace {namespace} has no Deployment or StatefulSet that a Service {service} leads to alone, and none that is a version, "
            f"such as {service}-v1 with the labels app: {service} and version: v1"
            + (f"; it has {', '.join(others)}" if others else "")
            + ". Expected one for the version that runs (docs/own-cluster.md)"
        )
    return _released(api, namespace, service, called, mine, missing)


def _released(
    api: client.ApiClient, namespace: str, service: str, called: Mapping[str, Any] | None, mine: Sequence[Mapping[str, Any]],
    missing: list[str],
) -> Looked:  # fmt: skip
    """A service whose versions have pods of their own; `called` is its Service."""
    from glidepath.wiring.cluster import mesh

    if called is None:
        missing.append(NO_SERVICE.format(service))

    versions = {version_by_labels(service, workload): ready(workload) for workload in mine}
    stable = max(versions, key=lambda version: versions[version])
    try:
        stable = mesh(api, namespace, service)[0].read().split.stable
    except GlidepathError as error:
        missing.append(f"no routes that can be shifted: {error}")
    if stable not in versions:
        missing.append(f"the routes lead to {stable}, and nothing runs {service}-{stable}")
    makers = {version_by_labels(service, workload): _maker(workload) for workload in mine}
    helm, own = next(filter(None, makers.values()), ""), makers.get(stable) or ""
    if not helm:
        missing.append("no Helm release made its versions: a release goes by `helm upgrade`")
    if own != workload_name(service, stable) or called is None or _maker(called) in ("", own):
        return Looked(versions, stable, helm, tuple(missing))
    values, unread = given_to_version(api, namespace, own)
    return Looked(versions, stable, _maker(called), (*missing, *unread), of_versions=values)


def _maker(made: Mapping[str, Any]) -> str:
    """The Helm release that made an object; empty for none."""
    from glidepath.deploy.live import MADE_BY

    return str((made["metadata"].get("annotations") or {}).get(MADE_BY) or "")


def _service(objects: Objects, name: str) -> Mapping[str, Any] | None:
    """The Service that callers use; None where it is not there."""
    try:
        return objects.get("v1/services", name)
    except ClusterError as error:
        if error.status != 404:
            raise
        return None
