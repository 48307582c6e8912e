"""The ports that lead to a service's cluster, for tasks, guard and watchdog alike."""

from __future__ import annotations

from collections.abc import Callable

from kubernetes import client

from glidepath.claim.lease import LeaseClaims
from glidepath.fence.port import Fence
from glidepath.kube import Objects, Opened
from glidepath.traffic.istio import istio
from glidepath.traffic.port import Traffic


def mesh(api: client.ApiClient, namespace: str, service: str, opened: Opened = Objects) -> tuple[Traffic, Fence]:
    """The routes of a service, and the fence of its objects; `opened` makes what reads and writes them."""
    return istio(api, namespace, service, opened)


def claims(
    api: client.ApiClient,
    namespace: str,
    service: str,
    now: Callable[[], float] | None = None,
    opened: Opened = Objects,
) -> LeaseClaims:
    """The claims on a service; `now` is the clock, epoch seconds, `opened` as for `mesh`."""
    return LeaseClaims(api, namespace, service, now, opened)
