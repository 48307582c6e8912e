"""A service in the API server in memory, as Helm installs it."""

from __future__ import annotations

from tests.support.apiserver import DEPLOYMENTS, MESH, SERVICE, ApiServer
from tests.support.fields import Object


def http_routes(weights: dict[str, int], **more: object) -> list[Object]:
    """`spec.http` with one route to these subsets."""
    route = [
        {"destination": {"host": SERVICE, "subset": version, "port": {"number": 8081}}, "weight": weight}
        for version, weight in weights.items()
    ]
    return [{"timeout": "2s", "retries": {"attempts": 0}, "route": route} | more]


def install(server: ApiServer, weights: dict[str, int]) -> None:
    """What the chart makes of a service, as Helm applies it."""
    labels = {"app": SERVICE}
    mesh = {"apiVersion": "networking.istio.io/v1", "metadata": {"name": SERVICE, "labels": labels}}
    subsets = [{"name": version, "labels": {"version": version}} for version in weights]
    rule = mesh | {"kind": "DestinationRule", "spec": {"host": SERVICE, "subsets": subsets}}
    server.put(f"{MESH}/destinationrules", rule)
    routing = {"hosts": [SERVICE], "gateways": ["mesh"], "http": http_routes(weights)}
    server.put(f"{MESH}/virtualservices", mesh | {"kind": "VirtualService", "spec": routing})
    for version in weights:
        metadata = {"name": f"{SERVICE}-{version}", "labels": labels | {"version": version}}
        body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"replicas": 2}}
        server.put(DEPLOYMENTS, body)
