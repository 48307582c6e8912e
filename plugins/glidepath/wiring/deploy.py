"""The two ways to deploy: a Helm release of a chart that knows Glidepath, or one per version of any chart."""

from __future__ import annotations

from pathlib import Path

from kubernetes import client

from glidepath.deploy import Deploy, Helm, HelmPerVersion
from glidepath.deploy.mapped import Mapped
from glidepath.kube import GROUP, Objects
from glidepath.policy import Policy, release_name

# What Helm's own secrets of a version's release carry.
SERVICE, VERSION = f"{GROUP}/service", f"{GROUP}/version"


def deploys(policy: Policy, api: client.ApiClient, binary: str | None = None) -> Deploy:
    """How a policy's service is deployed.

    Args:
        policy: Which service, by which chart.
        api: A client of its cluster.
        binary: The Helm 4 binary; None: as the environment says.
    """
    asked, namespace = policy.helm, policy.namespace
    if asked.per_version:
        return per_version(policy, api, binary)
    return Helm(Path(asked.chart), asked.release, namespace, api, binary, asked.digest)


def per_version(policy: Policy, api: client.ApiClient, binary: str | None = None) -> HelmPerVersion:
    """A service whose versions are each a Helm release; arguments as for `deploys`."""
    asked, namespace, service = policy.helm, policy.namespace, policy.service
    objects = Objects(api, namespace)

    def of(version: str) -> Helm:
        labels = {SERVICE: service, VERSION: version}
        return Helm(Path(asked.chart), release_name(service, version), namespace, api, binary, asked.digest, labels)

    def there() -> frozenset[str]:
        kept = objects.list_metadata("v1/secrets", f"owner=helm,{SERVICE}={service}")
        return frozenset(one["labels"][VERSION] for one in kept if VERSION in one["labels"])

    routes = Helm(Path(asked.routes), asked.release, namespace, api, binary)
    return HelmPerVersion(Mapped(service, asked.values, asked.paths), routes, of, there)
