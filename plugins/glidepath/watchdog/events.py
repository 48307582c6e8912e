"""The Event by which a service's VirtualService tells that its release was abandoned."""

from __future__ import annotations

import os
from datetime import UTC, datetime

from glidepath.claim.state import WATCHDOG, Claim
from glidepath.errors import ClusterError
from glidepath.kube import Objects
from glidepath.traffic.fenced import KINDS, VIRTUAL_SERVICES

EVENTS = "v1/events"
REASON = "ReleaseAbandoned"
MAX_MESSAGE = 1024  # of the API


def abandoned(objects: Objects, claim: Claim, message: str, now: float) -> None:
    """Write the Event; one a claim, so that writing it again does nothing.

    Raises:
        ClusterError: The API refused or did not answer.
    """
    api_version, kind = KINDS[VIRTUAL_SERVICES]
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    regarding = {"apiVersion": api_version, "kind": kind, "namespace": claim.namespace, "name": claim.service}
    uid = _uid(objects, claim.service)
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{claim.service}.glidepath-{claim.token}", "namespace": claim.namespace},
        "involvedObject": regarding | ({"uid": uid} if uid else {}),
        "type": "Warning",
        "reason": REASON,
        "message": message[:MAX_MESSAGE],
        "source": {"component": WATCHDOG},
        "reportingComponent": WATCHDOG,
        "reportingInstance": os.environ.get("HOSTNAME", WATCHDOG),
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
    try:
        objects.create(EVENTS, event)
    except ClusterError as error:
        if error.status != 409:
            raise


def _uid(objects: Objects, service: str) -> str:
    """`kubectl describe` shows an object's events by its uid."""
    try:
        return str(objects.get(VIRTUAL_SERVICES, service)["metadata"].get("uid", ""))
    except ClusterError as error:
        if error.status == 404:
            return ""
        raise
