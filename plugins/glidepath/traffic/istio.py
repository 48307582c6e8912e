"""Istio: the weights of one VirtualService, written by server-side apply under the claim's token.

`spec.http` is one atomic field with one owner at a time. Held, it is ours (Helm's own apply of another value then fails
with a conflict); open, it is given back. Of its entries only the service's own are read and written; all else a
VirtualService says stays as it was read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubernetes import client

from glidepath.claim.state import Claim
from glidepath.errors import ClaimLostError, ClusterError, StaleWriteError, TrafficDriftError, UnsupportedRoutesError
from glidepath.fence import FencedObjects, KubernetesFence
from glidepath.fence.marks import state_of, token_of
from glidepath.fence.objects import Spec
from glidepath.fence.owned import owns, unshared
from glidepath.kube import HELD, OPEN, Objects, Opened
from glidepath.traffic.kinds import DESTINATION_RULES, KEPT, KINDS, VIRTUAL_SERVICES
from glidepath.traffic.port import Still
from glidepath.traffic.reading import IstioRoutes
from glidepath.traffic.routes import followed, with_split, without
from glidepath.traffic.routing import BELOW
from glidepath.traffic.split import Routes, Split, TrafficState
from glidepath.traffic.way_back import WayBack

ROUTES = "http"


def istio(
    api: client.ApiClient, namespace: str, service: str, opened: Opened = Objects
) -> tuple[IstioTraffic, KubernetesFence]:
    """The routes of one service in Istio, and the fence of its objects; `opened` makes what reads and writes them."""
    objects = FencedObjects(api, namespace, service, KINDS, KEPT, opened)
    return IstioTraffic(objects), KubernetesFence(objects, VIRTUAL_SERVICES, (DESTINATION_RULES,))


class IstioTraffic(IstioRoutes):
    """The routing of one service, to be read and, under a claim, to be written; see `Traffic`."""

    def mark(self, claim: Claim, state: str) -> None:
        """See `Traffic.mark`."""
        live = self._virtual_service()
        if state == OPEN and token_of(live) > claim.token:
            raise ClaimLostError(f"{self._carries(live, claim)}: not opened")
        self._write(claim, state, live, _given_up if state == OPEN else _as_they_are)

    def write(
        self, claim: Claim, routes: Routes, still: Still = lambda: True, way: WayBack | None = None
    ) -> TrafficState:
        """See `Traffic.write`."""
        split = self._writable(routes)
        live = self._virtual_service()
        token = token_of(live)
        if token > claim.token:
            raise ClaimLostError(f"{self._carries(live, claim)}: not written")
        if token < claim.token and state_of(live) != HELD:
            raise ClaimLostError(f"{self._name} carries token {token}: this claim, with {claim.token}, never took it")
        if way is None and token == claim.token and owns(live, ROUTES) and self._says(live, split):
            return self._parse(live)

        def spec(now: Mapping[str, Any]) -> dict[str, Any]:
            self._unless_stale(split, still)
            live_spec, was = now["spec"], now["spec"].get("http") or []
            http = with_split(was, split, self._hosts)
            if way is None:
                below = {
                    kind: followed(live_spec[kind], was, split, self._hosts) for kind in BELOW if live_spec.get(kind)
                }
                return {"http": http, **{kind: made for kind, made in below.items() if made != live_spec[kind]}}
            return {
                "http": without(http, split, way.versions, way.before, self._hosts),
                **way.moved(live_spec, self._hosts),
            }

        self._write(claim, HELD, live, spec)
        after = self.read()
        if after.split != split:
            raise TrafficDriftError(f"{self._name} reads {after.split} after {split} was written; by {after.edited_by}")
        return after

    def _writable(self, routes: Routes) -> Split:
        """The weights, which are all that is written here.

        Raises:
            UnsupportedRoutesError: There is more.
        """
        if routes != Routes(routes.weights):
            raise UnsupportedRoutesError(
                f"{self._name}: given {routes}, expected weights alone: this port writes no mirrors and no matches; nothing "
                "was written"
            )
        return routes.weights

    def stop(self, claim: Claim, way: WayBack, still: Still = lambda: True, mine: bool = False) -> bool:
        """See `Traffic.stop`."""
        live = self._found()
        others = live is not None and token_of(live) != claim.token
        if live is not None and way.reached(live["spec"], self._hosts) and (others or owns(live, ROUTES)):
            return False
        self._make_sure(claim, live, way, mine)
        if live is None:
            self._unless_stale(way.split, still)
            self._make_anew(claim, way)
        else:
            self._write_back(claim, live, way, still)
        if not way.reached(self._virtual_service()["spec"], self._hosts):
            raise TrafficDriftError(
                f"{self._name} still leads to {', '.join(sorted(way.versions))} after {way.split} was written"
            )
        return True

    def _make_sure(self, claim: Claim, live: Mapping[str, Any] | None, way: WayBack, mine: bool) -> None:
        """Make sure that the claim may write what was found."""
        if live is None:
            if way.found is None:
                self._virtual_service()
            if not mine:
                raise ClaimLostError(f"{self._name} is gone; whether this claim is still held has to be seen first")
            return
        token = token_of(live)
        if token > claim.token:
            raise ClaimLostError(f"{self._carries(live, claim)}: not written")
        known = way.found is not None and live["metadata"]["uid"] == way.found.uid
        if token < claim.token and not known and not mine:
            raise ClaimLostError(f"{self._name} carries token {token}: this claim, with {claim.token}, never took it")

    def _write_back(self, claim: Claim, live: Mapping[str, Any], way: WayBack, still: Still) -> None:
        """Write the gentlest form that the cluster takes."""
        count = len(way.forms(live["spec"], self._hosts))
        for number in range(count):

            def form(now: Mapping[str, Any], number: int = number) -> dict[str, Any]:
                self._unless_stale(way.split, still)
                forms = way.forms(now["spec"], self._hosts)
                return forms[min(number, len(forms) - 1)]

            try:
                self._write(claim, HELD, self._virtual_service() if number else live, form)
                return
            except ClusterError as error:
                if not _found_wrong(error) or number == count - 1:
                    raise

    def _make_anew(self, claim: Claim, way: WayBack) -> None:
        """Write a VirtualService that is gone as the claim found it."""
        assert way.found is not None
        like = {"labels": way.found.labels, "annotations": way.found.annotations}
        self._objects.make(claim, VIRTUAL_SERVICES, self.service, like, way.anew(self._hosts))

    def _unless_stale(self, split: Split, still: Still) -> None:
        if not still():
            raise StaleWriteError(f"{self._name}: {split} is no longer wanted; not written")

    def _write(self, claim: Claim, state: str, live: Mapping[str, Any], spec: Spec) -> None:
        self._objects.write(claim, VIRTUAL_SERVICES, self.service, state, live, spec)

    def _carries(self, live: Mapping[str, Any], claim: Claim) -> str:
        return f"{self._name} carries token {token_of(live)}, this claim has {claim.token}"


def _found_wrong(error: ClusterError) -> bool:
    """Whether a webhook, a policy engine or the schema refused the object itself, not its writer."""
    # A webhook answers with whatever status it likes; its words, and those of a policy, are the API server's.
    return error.status in (400, 422) or any(words in str(error) for words in ("denied the request", "denied request"))


def _as_they_are(live: Mapping[str, Any]) -> dict[str, Any]:
    return {ROUTES: live["spec"][ROUTES]}


def _given_up(live: Mapping[str, Any]) -> dict[str, Any] | None:
    return _as_they_are(live) if unshared(live, ROUTES) else None
