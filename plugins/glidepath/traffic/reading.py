"""The routing of one service as Istio's objects have it: which versions get requests, by which entries, and who wrote that."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from glidepath.errors import ClusterError, NoRoutesError
from glidepath.fence.marks import proper_token_of, state_of
from glidepath.fence.objects import FencedObjects
from glidepath.kube import HELD, editor
from glidepath.traffic.entries import Hosts, leads
from glidepath.traffic.kinds import DESTINATION_RULES, KINDS, VIRTUAL_SERVICES
from glidepath.traffic.meeting import meeting
from glidepath.traffic.mentioned import mentioning
from glidepath.traffic.others import name_of
from glidepath.traffic.port import Pods, Surroundings
from glidepath.traffic.routes import says, split_of
from glidepath.traffic.routing import Routing
from glidepath.traffic.since import changed
from glidepath.traffic.split import Split, TrafficState

# Who goes by the routes.
WHERE = ("hosts", "gateways", "exportTo")


class IstioRoutes:
    """The routing of one service, to be read: its VirtualService and DestinationRule carry the service's name.

    Args:
        objects: The service's objects.
    """

    def __init__(self, objects: FencedObjects) -> None:
        self._objects = objects
        self.namespace, self.service = objects.namespace, objects.service

    @property
    def reference(self) -> Mapping[str, str]:
        """See `Traffic.reference`."""
        api_version, kind = KINDS[VIRTUAL_SERVICES]
        return {"apiVersion": api_version, "kind": kind, "namespace": self.namespace, "name": self.service}

    @property
    def _hosts(self) -> Hosts:
        return Hosts(self.service, self.namespace)

    def read(self, before: Routing | None = None, versions: Collection[str] = ()) -> TrafficState:
        """See `Traffic.read`."""
        return self._parse(self._virtual_service(), before, versions)

    def around(self, fresh: Collection[str], pods: Pods | None = None, everywhere: bool = False) -> Surroundings:
        """See `Traffic.around`."""
        listed = self._everywhere if everywhere else self._objects.api.list
        services, rules = listed(VIRTUAL_SERVICES), mentioning(listed(DESTINATION_RULES), {self.service})
        named = mentioning(services, {self.service})
        own = next((one for one in named if name_of(one, self.namespace) == (self.namespace, self.service)), None)
        hosts = own["spec"].get("hosts") or () if own is not None else ()
        met = mentioning(services, {self.service, *(str(host).split(".", 1)[0] for host in hosts)})
        return meeting(self.service, self.namespace, fresh, pods or {}, met, rules)

    def _everywhere(self, kind: str) -> Sequence[Mapping[str, Any]]:
        """All objects of a kind: in every namespace, or in the service's own where the API lets us see no other."""
        try:
            return self._objects.api.list_everywhere(kind)
        except ClusterError as error:
            if error.status != 403:
                raise
        return self._objects.api.list(kind)

    @property
    def _name(self) -> str:
        return f"VirtualService {self.namespace}/{self.service}"

    def _found(self) -> dict[str, Any] | None:
        return self._objects.found(VIRTUAL_SERVICES, self.service)

    def _virtual_service(self) -> dict[str, Any]:
        live = self._found()
        if live is None:
            raise NoRoutesError(
                f"{self._name} does not exist, expected the one of the service's chart; is Istio installed, "
                "and was the chart installed with istio.enabled?"
            )
        return live

    def _parse(
        self, live: Mapping[str, Any], before: Routing | None = None, versions: Collection[str] = ()
    ) -> TrafficState:
        metadata, http = live["metadata"], live["spec"].get("http") or []
        routing, managed = Routing.of(live), metadata.get("managedFields") or []
        split, by = split_of(http, self._name, self._hosts), editor(managed, "f:spec", "f:http")
        editors = {"http": by, **{what: editor(managed, "f:spec", f"f:{what}") for what in WHERE}}
        return TrafficState(
            name=self._name,
            split=split,
            token=proper_token_of(live),
            held=state_of(live) == HELD,
            edited_by=by,
            resource_version=metadata["resourceVersion"],
            beside=leads(http, self._hosts, routing.all_below()),
            routing=routing,
            since=changed(self._name, routing, before, versions, editors, self._hosts) if before else None,
        )

    def _says(self, live: Mapping[str, Any], split: Split) -> bool:
        return says(live["spec"].get("http") or [], split, self._name, self._hosts)
