"""All ports of a service that is released."""

from __future__ import annotations

from dataclasses import replace

from kubernetes import client

from glidepath.deploy import KubernetesWorkloads
from glidepath.evidence import Prometheus, SampledEvidence
from glidepath.evidence.shared import shared
from glidepath.handover import Handover, Sync
from glidepath.informers import WatchedObjects, reader
from glidepath.kube import Objects
from glidepath.policy import Policy
from glidepath.ports import Ports, Watched
from glidepath.record import Record
from glidepath.wiring.cluster import claims, mesh
from glidepath.wiring.deploy import deploys


def ports(
    policy: Policy,
    api: client.ApiClient,
    prometheus: Prometheus,
    handover: Handover | None,
    sync: Sync | None,
    record: Record | None = None,
) -> Ports:
    """The ports of a policy's service.

    Args:
        policy: Which service, by which chart.
        api: A client of its cluster.
        prometheus: Where its evidence comes from.
        handover, sync: Who is told of a promotion, and whose sync pauses meanwhile; None for nobody.
        record: Where releases are recorded; None: as the environment says.
    """
    traffic, fence = mesh(api, policy.namespace, policy.service)
    made = Ports(
        record=record or Record(),
        claims=claims(api, policy.namespace, policy.service),
        traffic=traffic,
        fence=fence,
        helm=deploys(policy, api),
        workloads=KubernetesWorkloads(api, policy.namespace, policy.service),
        evidence=SampledEvidence(prometheus, shared(prometheus)),
        handover=handover,
        sync=sync,
    )
    return replace(made, watch=lambda within_s: watched(made, policy, api, within_s))


def watched(ports: Ports, policy: Policy, api: client.ApiClient, within_s: float) -> Watched:
    """The same ports, but those to the cluster read what this process watches."""
    joined = reader(api, policy.connections.kubernetes, policy.namespace, within_s)

    def opened(own: client.ApiClient, namespace: str) -> Objects:
        return WatchedObjects(own, namespace, joined)

    traffic, fence = mesh(api, policy.namespace, policy.service, opened)
    made = replace(
        ports,
        claims=claims(api, policy.namespace, policy.service, opened=opened),
        traffic=traffic,
        fence=fence,
        workloads=KubernetesWorkloads(api, policy.namespace, policy.service, opened),
        reads=joined,
    )
    return Watched(made, joined.close)
