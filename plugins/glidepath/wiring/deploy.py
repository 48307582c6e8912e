"""The two ways to deploy: a Helm release of a chart that knows Glidepath, or one per version of any chart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kubernetes import client

from glidepath.deploy import Deploy, Helm, HelmPerVersion, KubernetesWorkloads
from glidepath.deploy.adoption import Adoption
from glidepath.deploy.live import Live
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
    helm, namespace = policy.helm, policy.namespace
    if helm.per_version:
        return per_version(policy, api, binary)
    return Helm(Path(helm.chart), helm.release, namespace, api, binary, helm.digest)


def per_version(policy: Policy, api: client.ApiClient, binary: str | None = None) -> HelmPerVersion:
    """A service whose versions are each a Helm release; arguments as for `deploys`."""
    helm, namespace, service = policy.helm, policy.namespace, policy.service
    objects = Objects(api, namespace)

    def of(version: str) -> Helm:
        labels = {SERVICE: service, VERSION: version}
        return Helm(Path(helm.chart), release_name(service, version), namespace, api, binary, helm.digest, labels)

    def there() -> frozenset[str]:
        kept = objects.list_metadata("v1/secrets", f"owner=helm,{SERVICE}={service}")
        return frozenset(secret["labels"][VERSION] for secret in kept if VERSION in secret["labels"])

    return HelmPerVersion(mapped(policy), _routes(policy, api, binary), of, there)


def mapped(policy: Policy) -> Mapped:
    """The service's values in its chart's own words."""
    return Mapped(policy.service, policy.helm.values, policy.helm.paths)


def adoption(
    policy: Policy, api: client.ApiClient, drain_s: float, say: Callable[[str], None], binary: str | None = None
) -> Adoption:
    """The way of a service from plain Helm to a Helm release per version, and back.

    Args:
        policy: Which service, by which chart.
        api: A client of its cluster, with the rights of whoever installs the service.
        drain_s: How long pods without traffic stay, seconds.
        say: Where facts go.
        binary: As for `deploys`.
    """
    helm, namespace = policy.helm, policy.namespace
    return Adoption(
        mapped(policy),
        per_version(policy, api, binary),
        _routes(policy, api, binary),
        Helm(Path(helm.chart), helm.release, namespace, api, binary, helm.digest),
        Live(api, helm.release, namespace),
        KubernetesWorkloads(api, namespace, policy.service),
        policy.deploy_timeout,
        drain_s,
        say,
    )


def _routes(policy: Policy, api: client.ApiClient, binary: str | None) -> Helm:
    return Helm(Path(policy.helm.routes), policy.helm.release, policy.namespace, api, binary)
