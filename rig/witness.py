"""The traffic generator as the outside witness: what callers saw, per version."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rig.environment import NAMESPACE, kubectl

PROXY = f"/api/v1/namespaces/{NAMESPACE}/services/traffic-generator:9090/proxy"


@dataclass(frozen=True)
class Seen:
    """What callers saw of one version. Times are epoch seconds; of the last request: when it was sent."""

    requests: int
    errors: int
    statuses: dict[str, int]
    last: float


def counts(since: float, until: float | None = None) -> dict[str, Seen]:
    """What was sent between two epoch seconds, per version that answered (`none`: no version answered)."""
    query = f"since={since:.3f}" + (f"&until={until:.3f}" if until is not None else "")
    answer: dict[str, Any] = json.loads(kubectl("get", "--raw", f"{PROXY}/counts?{query}"))
    return {
        version: Seen(one["requests"], one["errors"], one["statuses"], (one["last"] or 0) / 1000)
        for version, one in answer.items()
    }


def rate(per_second: float) -> None:
    """Send so many requests a second from now on."""
    kubectl("create", "--raw", f"{PROXY}/rate", "-f", "-", given=json.dumps({"rate": per_second}))


def routing_failures(seen: dict[str, Seen]) -> int:
    """Requests that failed before any version answered: the mesh's or the release's fault, not a version's."""
    return seen["none"].errors if "none" in seen else 0
