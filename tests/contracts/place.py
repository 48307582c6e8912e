"""Where a contract is tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from glidepath.claim import Claim, Claims
from glidepath.deploy import Deploy, Workloads
from glidepath.fence import Fence
from glidepath.traffic import Traffic


@dataclass(frozen=True)
class Place:
    """A service that is installed, and ports of it.

    Attributes:
        namespace, service: Which.
        claims, traffic, fence, deploy, workloads: The ports; each use gets one of a process of its own.
    """

    namespace: str
    service: str
    claims: Callable[[], Claims]
    traffic: Callable[[], Traffic]
    fence: Callable[[], Fence]
    deploy: Callable[[], Deploy]
    workloads: Callable[[], Workloads]

    def claim(self, holder: str, token: int = 0) -> Claim:
        """A claim as a release wants it."""
        return Claim(self.namespace, self.service, holder, token, "v1", "v2", 60.0)
