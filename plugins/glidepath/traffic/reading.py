"""The routing of one service as Istio's objects have it: which versions get requests, by which entries, and who wrote that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from glidepath.errors import ClusterError, PreflightError, TrafficDriftError
from glidepath.kube import HELD, editor
from glidepath.traffic.entries import Hosts, leads, left_alone
from glidepath.traffic.fenced import DESTINATION_RULES, VIRTUAL_SERVICES, FencedObjects, proper_token_of
from glidepath.traffic.fenced import state_of as _state
from glidepath.traffic.others import Others, others_of
from glidepath.traffic.routes import says, split_of
from glidepath.traffic.routing import Routing
from glidepath.traffic.split import Split, TrafficState

# Of deleted objects the API keeps nothing.
DELETED = "whoever deleted it; the API server's audit log knows"


class IstioRoutes(FencedObjects):
    """The routing of one service, to be read: its VirtualService and DestinationRule carry the service's name."""

    @property
    def _hosts(self) -> Hosts:
        return Hosts(self.service, self.namespace)

    def read(self) -> TrafficState:
        """The split in force, as the API has it.

        Raises:
            PreflightError: There is no VirtualService.
            TrafficDriftError: Its routes are not such a split.
        """
        return self._parse(self._virtual_service())

    def routing(self) -> Routing:
        """The VirtualService as it is, to be gone back to.

        Raises:
            PreflightError: There is none.
        """
        return Routing.of(self._virtual_service())

    def left_alone(self) -> list[str]:
        """The entries of the VirtualService that a release does not touch, for people."""
        return left_alone(self._virtual_service()["spec"].get("http") or [], self._hosts)

    def beside(self, routing: Routing) -> frozenset[str]:
        """The versions that a VirtualService leads to beside the weights, or mirrors to; see `TrafficState.beside`."""
        return leads(routing.http, self._hosts)

    def others(self, versions: Collection[str], everywhere: bool = False) -> Others:
        """Other VirtualServices that win over this one, or lead to versions of the service.

        Args:
            versions: The versions that nobody else may lead to.
            everywhere: Look into other namespaces, too, if the API lets us; the chart's own roles don't.
        """
        found: Sequence[Mapping[str, Any]] | None = None
        if everywhere:
            try:
                found = self._objects.list_everywhere(VIRTUAL_SERVICES)
            except ClusterError as error:
                if error.status != 403:
                    raise
        return others_of(self.service, found or self._objects.list(VIRTUAL_SERVICES), self.namespace, versions)

    def all_on(self, version: str) -> bool:
        """Whether every request goes to a version. Routes that can't be read as a split count as no."""
        try:
            return self.read().all_on(version)
        except TrafficDriftError:
            return False

    def subsets(self) -> tuple[set[str], str]:
        """The versions that the DestinationRule leads to, and who wrote that; none when it is gone or is another host's."""
        found = self._found(DESTINATION_RULES, self.service)
        if found is None:
            return set(), DELETED
        managed, subsets = found["metadata"].get("managedFields") or [], found["spec"].get("subsets") or []
        if found["spec"].get("host") not in self._hosts:
            return set(), editor(managed, "f:spec", "f:host")
        right = {str(one.get("name")) for one in subsets if (one.get("labels") or {}).get("version") == one.get("name")}
        return right, editor(managed, "f:spec", "f:subsets")

    @property
    def _name(self) -> str:
        return f"VirtualService {self.namespace}/{self.service}"

    def _virtual_service(self) -> dict[str, Any]:
        found = self._found(VIRTUAL_SERVICES, self.service)
        if found is None:
            raise PreflightError(
                f"{self._name} does not exist, expected the one of the service's chart; is Istio installed, "
                "and was the chart installed with istio.enabled?"
            )
        return found

    def _parse(self, found: Mapping[str, Any]) -> TrafficState:
        metadata, http = found["metadata"], found["spec"].get("http") or []
        return TrafficState(
            split=split_of(http, self._name, self._hosts),
            token=proper_token_of(found),
            held=_state(found) == HELD,
            edited_by=editor(metadata.get("managedFields") or [], "f:spec", "f:http"),
            resource_version=metadata["resourceVersion"],
            beside=leads(http, self._hosts),
            routing=Routing.of(found),
        )

    def _says(self, found: Mapping[str, Any], split: Split) -> bool:
        return says(found["spec"].get("http") or [], split, self._name, self._hosts)
