"""A cluster in memory with one service, and clocks that are set by hand."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from kubernetes import client

from glidepath.claim import Claim, LeaseClaims
from glidepath.traffic import Routes, Split
from glidepath.watchdog.facts import Health
from glidepath.watchdog.loop import Watchdog
from tests.support.apiserver import NAMESPACE, SERVICE, ApiServer
from tests.support.meshed import Meshed

LEASE_S = 60.0


@dataclass
class Abandoned:
    """The cluster, the time, and the release that is about to be abandoned."""

    server: ApiServer
    wall: float = 1_800_000_000.0
    steady: float = 500.0
    facts: Health = field(default_factory=Health)

    def claims(self, api: client.ApiClient | None = None) -> LeaseClaims:
        return LeaseClaims(api or self.server.api(), NAMESPACE, SERVICE, lambda: self.wall)

    def traffic(self) -> Meshed:
        return Meshed(self.server.api(), NAMESPACE, SERVICE)

    def watchdog(self, api: client.ApiClient | None = None) -> Watchdog:
        return Watchdog(
            api or self.server.api(), NAMESPACE, self.facts, now=lambda: self.wall, monotonic=lambda: self.steady
        )

    def acquire(self, holder: str, after: Collection[str] = ()) -> Claim:
        """Take the service for a release of v2."""
        return self.claims().acquire(Claim(NAMESPACE, SERVICE, holder, 0, "v1", "v2", LEASE_S), after=after)

    def release(self, weight: int) -> Claim:
        """A release of v2 with a share of the traffic."""
        claim = self.acquire("run-1")
        self.traffic().take(claim)
        self.traffic().write(claim, Routes(Split("v1", "v2", weight)))
        return claim

    def wait(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def watch(self, watchdog: Watchdog, seconds: float, step: float = 1.0) -> None:
        """Passes for so many seconds."""
        for _ in range(round(seconds / step)):
            self.wait(step)
            watchdog.look()

    def split(self) -> Split:
        return self.traffic().read().split
