"""Charts, installed by hand into namespaces of their own; and the plainest chart there is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config

from glidepath.deploy import HelmPerVersion
from glidepath.policy.load import parse_policy
from glidepath.wiring.deploy import per_version
from rig.environment import REPO, cluster, glidepath_kubeconfig, helm, kubectl

CHART = str(REPO / "include" / "helm-chart")
OWN_PARTS = str(REPO / "include" / "charts" / "glidepath")


@contextmanager
def fresh(namespace: str, release: str | None = None) -> Iterator[None]:
    """A namespace without what an earlier run left; after it, it goes, and before it Helm's release of that name.

    What a test left that failed is there to be looked at.
    """
    kubectl("delete", "namespace", namespace, "--ignore-not-found", "--wait", timeout_s=120)
    kubectl("create", "namespace", namespace)
    yield
    if release is not None:
        helm("uninstall", release, "-n", namespace)
    kubectl("delete", "namespace", namespace, "--wait=false")


def administrator() -> client.ApiClient:
    """The API as whoever installs the service."""
    return config.new_client_from_config(cluster()["KUBECONFIG"])


@contextmanager
def installed(namespace: str, given: str, chart: str = CHART) -> Iterator[None]:
    """Helm's release `app` with these values (as for `--set`); what an earlier run left is gone first, and it after."""
    with fresh(namespace, "app"):
        helm("install", "app", chart, "-n", namespace, "--set", given)
        yield


def plain_chart(folder: Path, name: str) -> Path:
    """What `helm create` makes; it knows nothing of Glidepath."""
    helm("create", str(folder / name))
    return folder / name


def install_plain(chart: Path, namespace: str, service: str, given: str) -> None:
    """Install v1 of a service as somebody does who knows nothing of Glidepath; `given` are values in YAML's flow style."""
    values: dict[str, Any] = yaml.safe_load(f"{{{given}}}") | {"fullnameOverride": service}
    values["image"] |= {"tag": "v1"}
    place = chart.parent / f"{service}.yaml"
    place.write_text(yaml.safe_dump(values))
    helm("install", service, str(chart), "-n", namespace, "-f", str(place))


@contextmanager
def any_chart(namespace: str, service: str, chart: Path, helm_values: str = "") -> Iterator[client.ApiClient]:
    """A namespace with Glidepath's parts and v1 of a service of any chart; the API as Glidepath's own account."""
    given = f"services[0].name={service},services[0].perVersion=true,watchdog.enabled=false"
    values = {
        "service": {"name": service}, "roles": {"stable": "v1", "canary": ""},
        "istio": {"trafficSplit": {"stable": 100, "canary": 0}},
    }  # fmt: skip
    with fresh(namespace, "glidepath"):
        helm("upgrade", "--install", "glidepath", OWN_PARTS, "-n", namespace, "--set", given)
        deploys_any(administrator(), namespace, service, chart, helm_values).upgrade(values)
        yield config.new_client_from_config(str(glidepath_kubeconfig(namespace)))


def deploys_any(
    api: client.ApiClient, namespace: str, service: str, chart: Path, helm_values: str = ""
) -> HelmPerVersion:
    """How such a service is deployed."""
    policy = parse_policy(any_policy(namespace, service, chart, helm_values), "p.yaml", Path("/checkout"))
    return per_version(policy, api, cluster()["HELM"])


def any_policy(namespace: str, service: str, chart: Path, helm_values: str = "") -> str:
    """A policy of such a service."""
    routes = REPO / "include" / "charts" / "routes"
    return f"""\
service: {service}
namespace: {namespace}
helm:
  release: {service}
  chart: {chart}
  routes: {routes}
  per_version: true
  values: {{{helm_values}}}
steps: [{{weight: 50, bake: 10s, min_requests: 100}}]
evidence: {{source: app, scrape: 5s, baseline: 10m}}
deploy_timeout: 180s
lease: 120s
"""
