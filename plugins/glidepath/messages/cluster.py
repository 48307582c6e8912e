"""A Kubernetes Event for each news of a release, on its service's Lease."""

from __future__ import annotations

from glidepath.claim.events import event
from glidepath.claim.state import LEASES
from glidepath.kube import FIELD_MANAGER, Objects
from glidepath.messages.news import news
from glidepath.policy.messages import About
from glidepath.record import Record
from glidepath.release.journal import Journal

REASONS: dict[About, str] = {
    "begun": "ReleaseBegun", "step": "ReleaseStep", "asks": "ReleaseAsks", "word": "ReleaseWord", "back": "ReleaseGoesBack",
    "observing": "ReleaseObserving", "ended": "ReleaseEnded",
}  # fmt: skip
WARNINGS: tuple[About, ...] = ("asks", "back")


class ClusterEvents:
    """Tells the cluster what is new in a release. One thread at a time may use it.

    Args:
        record: The record.
        release_id: The release's identity.
        objects: Of the service's namespace.
    """

    def __init__(self, record: Record, release_id: str, objects: Objects) -> None:
        self._record, self._release_id, self._objects = record, release_id, objects
        self._told: set[str] = set()

    def deliver(self) -> bool:
        """Write the Events that are not there yet, in order; whether the release has ended.

        Raises:
            ClusterError: The API refused or did not answer; the next call goes on from there.
            RecordError: The record can't be read.
        """
        release = self._record.get(self._release_id)
        items = list(news(Journal(self._record, self._release_id).entries()))
        new = [item for item in items if item.key not in self._told]
        if new and release.token is not None:
            lease = f"glidepath-{release.service}"
            uid = str(self._objects.get(LEASES, lease)["metadata"].get("uid", ""))
            about = {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "namespace": release.namespace,
                "name": lease,
            }
            for item in new:
                # A token may be another after a crash; the release's name is for good, and no name for an object.
                name = f"{release.service}.glidepath-{round(1000 * release.created):x}-{item.key}"
                text = f"{release.stable} -> {release.canary}: {item.text}"
                event(
                    self._objects, name, {**about, **({"uid": uid} if uid else {})}, REASONS[item.about], text, item.at,
                    FIELD_MANAGER, warning=item.about in WARNINGS,
                )  # fmt: skip
                self._told.add(item.key)
        return release.outcome is not None
