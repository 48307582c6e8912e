"""The Event by which a service's routes tell that its release was abandoned."""

from __future__ import annotations

from collections.abc import Mapping

from glidepath.claim.events import event
from glidepath.claim.state import WATCHDOG, Claim
from glidepath.errors import ClusterError
from glidepath.kube import Objects

REASON = "ReleaseAbandoned"


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
    uid = _uid(objects, regarding)
    about = {**regarding, **({"uid": uid} if uid else {})}
    event(objects, f"{claim.service}.glidepath-{claim.token}", about, REASON, message, now, WATCHDOG, warning=True)


def _uid(objects: Objects, regarding: Mapping[str, str]) -> str:
    """`kubectl describe` shows an object's events by its uid."""
    try:
        kind = f"{regarding['apiVersion']}/{regarding['kind'].lower()}s"
        return str(objects.get(kind, regarding["name"])["metadata"].get("uid", ""))
    except ClusterError as error:
        if error.status == 404:
            return ""
        raise
