"""What the ports of a service are made of: the one place that knows which mesh, and which way to deploy.

The watchdog's image has no evidence, no Helm and no record: what those need is imported where it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kubernetes import client

from glidepath.claim.lease import LeaseClaims
from glidepath.claim.port import Claims
from glidepath.fence.port import Fence
from glidepath.traffic.istio import istio
from glidepath.traffic.port import Traffic

if TYPE_CHECKING:
    from glidepath.evidence import Prometheus
    from glidepath.handover import Handover, Sync
    from glidepath.policy import Policy
    from glidepath.ports import Ports


def mesh(api: client.ApiClient, namespace: str, service: str) -> tuple[Traffic, Fence]:
    """The routes of a service, and the fence of its objects."""
    return istio(api, namespace, service)


def claims(api: client.ApiClient, namespace: str, service: str, now: Callable[[], float] | None = None) -> Claims:
    """The claims on a service; `now` is the clock, epoch seconds."""
    return LeaseClaims(api, namespace, service, now)


def ports(
    policy: Policy, api: client.ApiClient, prometheus: Prometheus, handover: Handover | None, sync: Sync | None
) -> Ports:
    """The ports of a policy's service.

    Args:
        policy: Which service, by which chart.
        api: A client of its cluster.
        prometheus: Where its evidence comes from.
        handover, sync: Who is told of a promotion, and whose sync pauses meanwhile; None for nobody.
    """
    from glidepath.deploy import Helm, KubernetesWorkloads
    from glidepath.ports import Ports
    from glidepath.record import Record

    asked = policy.helm
    traffic, fence = mesh(api, policy.namespace, policy.service)
    return Ports(
        record=Record(),
        claims=claims(api, policy.namespace, policy.service),
        traffic=traffic,
        fence=fence,
        helm=Helm(Path(asked.chart), asked.release, policy.namespace, api, digest=asked.digest),
        workloads=KubernetesWorkloads(api, policy.namespace, policy.service),
        prometheus=prometheus,
        handover=handover,
        sync=sync,
    )
