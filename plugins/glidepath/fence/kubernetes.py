"""The fence of a service in Kubernetes: annotations that an admission policy of the chart goes by."""

from __future__ import annotations

from collections.abc import Sequence

from glidepath.claim.state import Claim
from glidepath.errors import ClaimLostError
from glidepath.fence.marks import Found, state_of, token_of, write_of
from glidepath.fence.objects import FencedObjects
from glidepath.fence.port import Fenced
from glidepath.kube import HELD, OPEN, WORKLOADS


class KubernetesFence:
    """The fence of one service; see `Fence`.

    Args:
        objects: The service's objects.
        routes: The kind of the object that carries the routes; the mesh stamps it itself.
        beside: Other kinds of the mesh, of which one object carries the service's name.
    """

    def __init__(self, objects: FencedObjects, routes: str, beside: Sequence[str]) -> None:
        self._objects, self._routes, self._beside = objects, routes, beside

    def state(self) -> Fenced:
        """See `Fence.state`."""
        there = self._live()
        deployed = (live["metadata"]["labels"].get("version", "") for kind, live in there if kind in WORKLOADS)
        held = (self._objects.named(kind, live["metadata"]["name"]) for kind, live in there if state_of(live) == HELD)
        return Fenced(
            versions=frozenset(deployed) - {""},
            held=frozenset(held),
            tokens=frozenset(token_of(live) for _, live in there),
            write=max((write_of(live) for _, live in there), default=0),
        )

    def take(self, claim: Claim) -> None:
        """See `Fence.take`."""
        for kind in self._beside:
            self._objects.stamp(claim, kind, self._objects.service)
        for kind, live in self._objects.deployed():
            self._objects.stamp(claim, kind, live["metadata"]["name"], HELD, live)

    def hold(self, claim: Claim, version: str) -> None:
        """See `Fence.hold`."""
        self._mark(claim, version, HELD)

    def let_go(self, claim: Claim, version: str) -> None:
        """See `Fence.let_go`."""
        self._mark(claim, version, OPEN)

    def open(self, claim: Claim) -> None:
        """See `Fence.open`. Where the routes carry a higher token nothing is opened."""
        routes = self._objects.found(self._routes, self._objects.service)
        if routes is not None and token_of(routes) > claim.token:
            raise ClaimLostError(
                f"{self._objects.named(self._routes, self._objects.service)} carries token {token_of(routes)}, this claim has "
                f"{claim.token}: not opened"
            )
        for kind, live in self._objects.deployed():
            self._objects.stamp(claim, kind, live["metadata"]["name"], OPEN, live)
        for kind in self._beside:
            self._objects.stamp(claim, kind, self._objects.service, OPEN)

    def free_writes(self) -> None:
        """See `Fence.free_writes`."""
        for kind, live in self._live():
            self._objects.free_write(kind, live["metadata"]["name"], live)

    def _mark(self, claim: Claim, version: str, state: str) -> None:
        found = self._objects.version(version)
        if found is not None:
            kind, live = found
            self._objects.stamp(claim, kind, live["metadata"]["name"], state, live)

    def _live(self) -> list[tuple[str, Found]]:
        """Every object that a release may hold, with its kind."""
        service = self._objects.service
        named = [(kind, self._objects.found(kind, service)) for kind in (self._routes, *self._beside)]
        return [*self._objects.deployed(), *((kind, live) for kind, live in named if live is not None)]
