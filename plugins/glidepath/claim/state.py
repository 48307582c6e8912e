"""What a Lease says of a service: who holds it, for which release, with which token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from glidepath.kube import GROUP, TOKEN

LEASES = "coordination.k8s.io/v1/leases"
LABEL = f"{GROUP}/claim"
TAKEN = f"{GROUP}/taken"
# The routes as the claim found them.
ROUTES = f"{GROUP}/routes"
WATCHDOG = "glidepath-watchdog"
# How the release stands, as JSON (`release/summary.py`).
STATUS = f"{GROUP}/status"
# What a person may ask of the release that holds the service, by an annotation of the Lease; its value says why.
TAKE_BACK, COMMIT, HOLD, RESUME = "take-back", "commit", "hold", "resume"
# In the order in which they are heard where there are several.
ASKED = (TAKE_BACK, HOLD, RESUME, COMMIT)
# The outcome the watchdog leaves on a claim it took from a release nobody renewed.
ABANDONED = "abandoned"


@dataclass(frozen=True)
class Claim:
    """A service held for a release.

    Attributes:
        token: The fencing token every write of this release carries.
        duration_s: Seconds after which an unrenewed claim has expired.
    """

    namespace: str
    service: str
    holder: str
    token: int
    stable: str
    canary: str
    duration_s: float


@dataclass(frozen=True)
class ClaimState:
    """What the Lease says now. `holder` is empty when nobody holds the service; `renewed` is epoch seconds."""

    holder: str
    token: int
    renewed: float
    duration_s: float
    annotations: Mapping[str, str]
    resource_version: str

    def expired(self, now: float) -> bool:
        """Whether a held claim has not been renewed in time."""
        return bool(self.holder) and now > self.renewed + self.duration_s


def left(status: str, outcome: str) -> str:
    """The status of a release whose claim was taken from it: it has no traffic any more. What is no status stays as it is."""
    try:
        told = json.loads(status)
    except ValueError:
        return status
    if not isinstance(told, dict):
        return status
    why = "nobody renewed its claim: the watchdog put all traffic on stable"
    told |= {"phase": "rolled_back", "weight": 0, "outcome": outcome, "why": why}
    return json.dumps(told, separators=(",", ":"))


@dataclass(frozen=True)
class PersonsWord:
    """What a person asks of a release: `what` is one of ASKED; `who` is the client that wrote it."""

    what: str
    why: str
    who: str


def parse_state(lease: Mapping[str, Any]) -> ClaimState:
    """A Lease as a claim's state."""
    spec, metadata = lease.get("spec") or {}, lease["metadata"]
    annotations = metadata.get("annotations") or {}
    renewed = spec.get("renewTime")
    return ClaimState(
        holder=spec.get("holderIdentity") or "",
        token=int(annotations.get(TOKEN, "0")),
        renewed=datetime.fromisoformat(renewed).timestamp() if renewed else 0.0,
        duration_s=float(spec.get("leaseDurationSeconds") or 0),
        annotations=annotations,
        resource_version=metadata["resourceVersion"],
    )
