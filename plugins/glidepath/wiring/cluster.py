"""The ports that lead to a service's cluster, for tasks, guard and watchdog alike."""

from __future__ import annotations

from collections.abc import Callable

from kubernetes import client

from glidepath.claim.lease import LeaseClaims
from glidepath.fence.port import Fence
from glidepath.traffic.istio import istio
from glidepath.traffic.port import Traffic


def mesh(api: client.ApiClient, namespace: str, service: str) -> tuple[Traffic, Fence]:
    """The routes of a service, and the fence of its objects."""
    return istio(api, namespace, service)


def claims(api: client.ApiClient, namespace: str, service: str, now: Callable[[], float] | None = None) -> LeaseClaims:
    """The claims on a service; `now` is the clock, epoch seconds."""
    return LeaseClaims(api, namespace, service, now)
