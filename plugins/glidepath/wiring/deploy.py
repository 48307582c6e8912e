"""The two ways to deploy: a Helm release of a chart that knows Glidepath, or one per version of any chart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kubernetes import client

from glidepath.deploy import Deploy, Helm, HelmPerVersion, KubernetesWorkloads, values
from glidepath.deploy.adoption import Adoption
from glidepath.deploy.charts import Chart, LocalChart, RegistryChart
from glidepath.deploy.command import Command
from glidepath.deploy.live import Live
from glidepath.deploy.mapped import Mapped
from glidepath.kube import GROUP, Objects
from glidepath.naming import workload_name
from glidepath.policy import Policy, ReleaseSpec, for_run

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
    return Helm(chart_of(policy, api, binary), helm.release, namespace, api, binary)


def installed(api: client.ApiClient, namespace: str, release: str) -> Helm:
    """A Helm release of whatever chart, to be read only."""
    return Helm(LocalChart(Path()), release, namespace, api)


def chart_of(policy: Policy, api: client.ApiClient, binary: str | None = None) -> Chart:
    """Where a policy's chart is; of one whose version is what is released, that of the release.

    Args:
        policy: Which service, or the spec of a release.
        api, binary: As for `deploys`.
    """
    helm, version = policy.helm, policy.helm.version
    if helm.chart_is_released:
        version = policy.chart_version if isinstance(policy, ReleaseSpec) else None
    if helm.in_registry:
        run = Command(api, policy.namespace, binary).run
        return RegistryChart(helm.chart, version, helm.digest, helm.plain_http, run)
    path = f"{helm.chart}-{version}.tgz" if helm.version else helm.chart
    return LocalChart(Path(path), helm.digest)


def per_version(policy: Policy, api: client.ApiClient, binary: str | None = None) -> HelmPerVersion:
    """A service whose versions are each a Helm release; arguments as for `deploys`."""
    namespace, service = policy.namespace, policy.service
    objects, of_versions = Objects(api, namespace), chart_of(policy, api, binary)

    def of(version: str) -> Helm:
        labels = {SERVICE: service, VERSION: version}
        return Helm(of_versions, workload_name(service, version), namespace, api, binary, labels)

    def there() -> frozenset[str]:
        kept = objects.list_metadata("v1/secrets", f"owner=helm,{SERVICE}={service}")
        return frozenset(secret["labels"][VERSION] for secret in kept if VERSION in secret["labels"])

    return HelmPerVersion(mapped(policy), _routes(policy, api, binary), of, there)


def of_stable(policy: Policy, api: client.ApiClient, binary: str | None = None) -> Policy:
    """The policy; where the chart's version is what is released, as the spec of the stable version; arguments as for `deploys`."""
    status = _routes(policy, api, binary).status() if policy.helm.chart_is_released else None
    stable, _ = values.roles(status.values) if status else ("", None)
    if status is None or not stable:
        return policy
    return for_run(policy, {"version": (values.image_of(status.values, stable).tag or stable).replace("_", "+")})


def mapped(policy: Policy) -> Mapped:
    """The service's values in its chart's own words."""
    return Mapped(policy.service, policy.helm.values, policy.helm.paths, policy.helm.chart_is_released)


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
        Helm(chart_of(policy, api, binary), helm.release, namespace, api, binary),
        Live(api, helm.release, namespace),
        KubernetesWorkloads(api, namespace, policy.service),
        policy.deploy_timeout,
        drain_s,
        say,
    )


def _routes(policy: Policy, api: client.ApiClient, binary: str | None) -> Helm:
    return Helm(LocalChart(Path(policy.helm.routes)), policy.helm.release, policy.namespace, api, binary)
