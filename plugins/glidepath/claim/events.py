"""Kubernetes Events about a service's release: `kubectl get events` and `kubectl describe` show them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime

from glidepath.errors import ClusterError
from glidepath.kube import Objects

EVENTS = "v1/events"
MAX_MESSAGE = 1024  # of the API


def event(
    objects: Objects, name: str, regarding: Mapping[str, str], reason: str, message: str, now: float, component: str,
    warning: bool = False,
) -> None:  # fmt: skip
    """Write an Event once: under a name that is there already nothing is written.

    Args:
        objects: Of its namespace.
        name: Its name.
        regarding: What it is about: apiVersion, kind, namespace, name; `uid`, so that `kubectl describe` shows it.
        reason: What happened, in a word.
        message: The same for people; cut to what the API takes.
        now: When, epoch seconds.
        component: Who says so.
        warning: Whether it is a warning.

    Raises:
        ClusterError: The API refused or did not answer.
    """
    at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": objects.namespace},
        "involvedObject": dict(regarding),
        "type": "Warning" if warning else "Normal",
        "reason": reason,
        "message": message[:MAX_MESSAGE],
        "source": {"component": component},
        "reportingComponent": component,
        "reportingInstance": os.environ.get("HOSTNAME", component),
        "firstTimestamp": at,
        "lastTimestamp": at,
        "count": 1,
    }
    try:
        objects.create(EVENTS, body)
    except ClusterError as error:
        if error.status != 409:
            raise
