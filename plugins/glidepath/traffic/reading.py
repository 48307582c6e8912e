"""The routing of one service as Istio's objects have it: which versions get requests, by which entries, and who wrote that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from glidepath.errors import ClusterError, SetupError, TrafficDriftError
from glidepath.kube import HELD, editor
from glidepath.traffic.entries import Hosts, leads, left_alone, named
from glidepath.traffic.fenced import DESTINATION_RULES, VIRTUAL_SERVICES, FencedObjects, proper_token_of
from glidepath.traffic.fenced import state_of as _state
from glidepath.traffic.others import Others, others_of
from glidepath.traffic.routes import says, split_of
from glidepath.traffic.routing import BELOW, Routing
from glidepath.traffic.rules import Subset, rules_beside, subsets_of
from glidepath.traffic.split import Split, TrafficState

# The API keeps nothing about deleted objects.
DELETED = "whoever deleted it; the API server's audit log knows"

# Who goes by the routes.
WHERE = ("hosts", "gateways", "exportTo")


class IstioRoutes(FencedObjects):
    """The routing of one service, to be read: its VirtualService and DestinationRule carry the service's name."""

    @property
    def _hosts(self) -> Hosts:
        return Hosts(self.service, self.namespace)

    def read(self) -> TrafficState:
        """The split in force, as the API has it.

        Raises:
            SetupError: There is no VirtualService.
            TrafficDriftError: Its routes are not such a split.
        """
        return self._parse(self._virtual_service())

    def routing(self) -> Routing:
        """The VirtualService as it is, to be gone back to.

        Raises:
            SetupError: There is none.
        """
        return Routing.of(self._virtual_service())

    def left_alone(self) -> list[str]:
        """The entries of the VirtualService that a release does not touch, for people."""
        spec = self._virtual_service()["spec"]
        below = [named(number, one, kind) for kind in BELOW for number, one in enumerate(spec.get(kind) or [], 1)]
        return [*left_alone(spec.get("http") or [], self._hosts), *below]

    def led_since(self, now: Routing, before: Routing) -> frozenset[str]:
        """The versions that get requests or copies beside the weights by what was not there before; see `TrafficState.beside`."""
        return leads(now.http, self._hosts, now.all_below(), [*before.http, *before.all_below()])

    def others(self, versions: Collection[str], everywhere: bool = False) -> Others:
        """Other VirtualServices that win over this one, or lead to versions of the service.

        Args:
            versions: The versions that nobody else may lead to.
            everywhere: Look into other namespaces, too, if the API lets us; the chart's own roles don't.
        """
        found = self._all(VIRTUAL_SERVICES) if everywhere else self._objects.list(VIRTUAL_SERVICES)
        return others_of(self.service, found, self.namespace, versions)

    def all_on(self, version: str) -> bool:
        """Whether every request goes to a version. Routes that can't be read as a split count as no."""
        try:
            return self.read().all_on(version)
        except TrafficDriftError:
            return False

    def subsets(self) -> tuple[dict[str, Subset], str]:
        """The subsets in force, by name, and who wrote those of the service's own DestinationRule."""
        rules = self._objects.list(DESTINATION_RULES)
        own = next((one for one in rules if one["metadata"]["name"] == self.service), None)
        if own is None:
            by = DELETED
        else:
            field = "f:subsets" if own["spec"].get("host") in self._hosts else "f:host"
            by = editor(own["metadata"].get("managedFields") or [], "f:spec", field)
        return subsets_of(self.service, rules, self.namespace), by

    def rules_beside(self) -> list[str]:
        """Other DestinationRules of the service's host, for people; of every namespace if the API lets us."""
        return rules_beside(self.service, self._all(DESTINATION_RULES), self.namespace)

    def _all(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """All objects of a kind: in every namespace, or in the service's own where the API lets us see no other."""
        try:
            return self._objects.list_everywhere(kind)
        except ClusterError as error:
            if error.status != 403:
                raise
        return self._objects.list(kind)

    @property
    def _name(self) -> str:
        return f"VirtualService {self.namespace}/{self.service}"

    def _virtual_service(self) -> dict[str, Any]:
        found = self._found(VIRTUAL_SERVICES, self.service)
        if found is None:
            raise SetupError(
                f"{self._name} does not exist, expected the one of the service's chart; is Istio installed, "
                "and was the chart installed with istio.enabled?"
            )
        return found

    def _parse(self, found: Mapping[str, Any]) -> TrafficState:
        metadata, http = found["metadata"], found["spec"].get("http") or []
        routing, managed = Routing.of(found), metadata.get("managedFields") or []
        return TrafficState(
            split=split_of(http, self._name, self._hosts),
            token=proper_token_of(found),
            held=_state(found) == HELD,
            edited_by=editor(managed, "f:spec", "f:http"),
            editors={what: editor(managed, "f:spec", f"f:{what}") for what in WHERE},
            resource_version=metadata["resourceVersion"],
            beside=leads(http, self._hosts, routing.all_below()),
            routing=routing,
        )

    def _says(self, found: Mapping[str, Any], split: Split) -> bool:
        return says(found["spec"].get("http") or [], split, self._name, self._hosts)
