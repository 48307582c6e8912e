"""A Lease in an API server in memory, and a clock."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from glidepath.claim import Claim, LeaseClaims
from glidepath.claim.state import ClaimState
from tests.support.apiserver import NAMESPACE, SERVICE, ApiServer
from tests.support.fields import Object

NAME = f"glidepath-{SERVICE}"
PATCHED = "application/merge-patch+json"


@dataclass
class Leases:
    server: ApiServer
    now: float = 1_800_000_000.0

    def claims(self) -> LeaseClaims:
        return LeaseClaims(self.server.api(), NAMESPACE, SERVICE, lambda: self.now)

    def acquire(self, holder: str = "run-1", after: Collection[str] = ()) -> Claim:
        wanted = Claim(NAMESPACE, SERVICE, holder, 0, "v1", "v2", 60.0)
        return self.claims().acquire(wanted, "http://airflow/run-1", after)

    def state(self) -> ClaimState:
        found = self.claims().read()
        assert found is not None
        return found

    def lease(self) -> Object:
        return self.server.find("leases", NAME)
