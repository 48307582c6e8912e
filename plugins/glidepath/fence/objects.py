"""One write of an object under a claim's token: bound to what was read, and refused by the cluster with a lower one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from kubernetes import client

from glidepath.claim.state import Claim
from glidepath.errors import ClaimLostError, ClusterError
from glidepath.fence.marks import Found, state_of, token_of
from glidepath.fence.owned import carried, numbered_by_others
from glidepath.kube import (
    HELD,
    OPEN,
    STATE,
    TOKEN,
    WORKLOADS,
    WRITE,
    Objects,
    Opened,
    workload,
    workloads,
)
from glidepath.naming import workload_name

Kinds = Mapping[str, tuple[str, str]]
Spec = Callable[[Found], dict[str, Any] | None]
# How often what changes by itself is read again for a write: a workload's status does.
TRIES = 5


class FencedObjects:
    """The objects of one service that a release holds: what runs its versions' pods, and what leads callers to them.

    Args:
        api: An API client.
        namespace: The service's namespace.
        service: The service.
        kinds: The mesh's kinds, as `group/version/plural`, with their apiVersion and kind.
        kept: The fields of their specs, beside the routes, that a way back writes, so that every write has to repeat them.
        opened: Makes what reads and writes the objects of a namespace.
    """

    def __init__(
        self,
        api: client.ApiClient,
        namespace: str,
        service: str,
        kinds: Kinds,
        kept: Collection[str] = (),
        opened: Opened = Objects,
    ) -> None:
        self.api = opened(api, namespace)
        self.namespace, self.service = namespace, service
        self.kinds: Kinds = {**{kind: ("apps/v1", name) for kind, name in WORKLOADS.items()}, **kinds}
        self._kept = kept

    def deployed(self) -> Sequence[tuple[str, dict[str, Any]]]:
        """What runs the pods of all versions, with its kind."""
        return workloads(self.api, f"app={self.service}")

    def version(self, version: str) -> tuple[str, dict[str, Any]] | None:
        """What runs the pods of one version, with its kind; None where it is gone."""
        return workload(self.api, workload_name(self.service, version))

    def found(self, kind: str, name: str) -> dict[str, Any] | None:
        """An object, or None where there is none."""
        try:
            return self.api.get(kind, name)
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

    def named(self, kind: str, name: str) -> str:
        """An object as people call it: `Deployment prices-v2`."""
        return f"{self.kinds[kind][1]} {name}"

    def stamp(self, claim: Claim, kind: str, name: str, state: str = HELD, live: Found | None = None) -> None:
        """Write the claim's annotations; of what is gone there is nothing to hold.

        Raises:
            ClaimLostError: It carries a higher token.
        """
        live = live or self.found(kind, name)
        if live is not None:
            self.write(claim, kind, name, state, live, tries=TRIES)

    def write(
        self, claim: Claim, kind: str, name: str, state: str, live: Found, spec: Spec = lambda _: None, tries: int = 2
    ) -> None:
        """Apply the claim's annotations to exactly the object that was read, and the spec that is made from it, if any.

        Somebody wrote between our read and our write: look again, once, then it is theirs to explain; but a workload's
        status changes by itself. What is held the cluster guards; what is open has no fence, so that a claim of long ago
        does not lower its token is seen to here.

        Raises:
            ClaimLostError: It carries a higher token, or the cluster refused ours.
            ClusterError: The API refused or did not answer; with status 409 somebody was first each time.
        """
        for left in reversed(range(tries)):
            if token_of(live) > claim.token and (state_of(live) != HELD or left < tries - 1):
                raise ClaimLostError(
                    f"{self.named(kind, name)} carries token {token_of(live)}, this claim has {claim.token}"
                )
            body = self._body(claim, kind, name, state, live, spec(live))
            try:
                self.api.apply(kind, body)
                return
            except ClusterError as error:
                if TOKEN in str(error):
                    raise ClaimLostError(f"{self.named(kind, name)}: refused by the cluster: {error}") from error
                if error.status != 409 or not left:
                    raise
            live = self.api.get(kind, name)

    def free_write(self, kind: str, name: str, live: Found | None) -> None:
        """Remove the number of the last upgrade through Helm, if somebody beside Helm wrote it.

        Raises:
            ClusterError: As for `write`.
        """
        for left in reversed(range(TRIES)):
            if live is None or not numbered_by_others(live):
                return
            notes = {"resourceVersion": live["metadata"]["resourceVersion"], "annotations": {WRITE: None}}
            try:
                self.api.merge(kind, name, {"metadata": notes})
                return
            except ClusterError as error:
                if error.status != 409 or not left:
                    raise
            live = self.found(kind, name)

    def make(self, claim: Claim, kind: str, name: str, like: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
        """Write an object that is gone: with labels and annotations as `like` has them, held.

        Raises:
            ClusterError: The API refused or did not answer.
        """
        api_version, kind_name = self.kinds[kind]
        annotations = {**like["annotations"], TOKEN: str(claim.token), STATE: HELD}
        metadata = {"name": name, "labels": dict(like["labels"]), "annotations": annotations}
        self.api.apply(kind, {"apiVersion": api_version, "kind": kind_name, "metadata": metadata, "spec": dict(spec)})

    def _body(
        self, claim: Claim, kind: str, name: str, state: str, live: Found, spec: dict[str, Any] | None
    ) -> dict[str, Any]:
        """What is applied. Its uid keeps the API from making an object anew that was deleted meanwhile."""
        api_version, kind_name = self.kinds[kind]
        own, was = carried(live, state == OPEN, self._kept), live["metadata"]
        metadata: dict[str, Any] = {
            "name": name,
            "uid": was["uid"],
            "resourceVersion": was["resourceVersion"],
            "annotations": {**own.annotations, TOKEN: str(claim.token), STATE: state},
        }
        if own.labels:
            metadata["labels"] = own.labels
        body: dict[str, Any] = {"apiVersion": api_version, "kind": kind_name, "metadata": metadata}
        if spec is not None or own.spec:
            body["spec"] = {**own.spec, **(spec or {})}
        return body
