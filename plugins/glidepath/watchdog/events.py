"""The Event by which a service's routes tell that its release was abandoned."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime

from glidepath.claim.state import WATCHDOG, Claim
from glidepath.errors import ClusterError
from glidepath.kube import Objects

EVENTS = "v1/events"
REASON = "ReleaseAbandoned"
MAX_MESSAGE = 1024  # of the API


def abandoned(objects: Objects, claim: Claim, regarding: Mapping[str, str], message: str, now: float) -> None:
    """Write the Event; one a claim, so that writing it again does nothing.

    Args:
        objects: Of the claim's namespace.
        claim: The claim that is over.
        regarding: The object that carries the routes: apiVersion, kind, namespace, name.
        message: What happened, for people.
        now: Epoch seconds.

    Raises:
        ClusterError: The API refused or did not answer.
    """
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    uid = _uid(objects, regarding)
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{claim.service}.glidepath-{claim.token}", "namespace": claim.namespace},
        "involvedObject": {**regarding, **({"uid": uid} if uid else {})},
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


def _uid(objects: Objects, regarding: Mapping[str, str]) -> str:
    """`kubectl describe` shows an object's events by its uid."""
    try:
        kind = f"{regarding['apiVersion']}/{regarding['kind'].lower()}s"
        return str(objects.get(kind, regarding["name"])["metadata"].get("uid", ""))
    except ClusterError as error:
        if error.status == 404:
            return ""
        raise
