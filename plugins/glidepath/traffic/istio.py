"""Istio: the weights of one VirtualService, written by server-side apply under the claim's token.

`spec.http` is one atomic field with one owner at a time. `take` makes it ours (Helm's own apply of another value then
fails with a conflict), `open` gives it back. Of its entries only the service's own are read and written; all else a
VirtualService says stays as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from glidepath.claim.state import Claim
from glidepath.errors import ClaimLostError, ClusterError, NoWeightedRouteError, StaleWriteError, TrafficDriftError
from glidepath.kube import HELD, OPEN, STATE, TOKEN
from glidepath.traffic.fenced import DEPLOYMENTS, DESTINATION_RULES, KINDS, VIRTUAL_SERVICES, token_of
from glidepath.traffic.fenced import state_of as _state
from glidepath.traffic.owned import owns_routes, unshared_routes
from glidepath.traffic.reading import IstioRoutes
from glidepath.traffic.routes import followed, with_split, without
from glidepath.traffic.routing import BELOW
from glidepath.traffic.split import Split, TrafficState
from glidepath.traffic.way_back import WayBack

Still = Callable[[], bool]


class IstioTraffic(IstioRoutes):
    """The routing of one service, to be read and, under a claim, to be written."""

    def take(self, claim: Claim) -> None:
        """Stamp every object with the claim's token and make `spec.http` ours, with the value it has.

        Raises:
            ClaimLostError: The objects carry a higher token.
        """
        found = self._virtual_service()
        self._write(claim, VIRTUAL_SERVICES, self.service, HELD, found, _routes_as_they_are)
        self._stamp(claim, DESTINATION_RULES, self.service)
        for deployment in self._objects.list(DEPLOYMENTS, f"app={self.service}"):
            self._stamp(claim, DEPLOYMENTS, deployment["metadata"]["name"], HELD, deployment)

    def shift(
        self, claim: Claim, split: Split, still: Still = lambda: True, way: WayBack | None = None
    ) -> TrafficState:
        """Write the split and read it back. Writes nothing if it is in force, with the claim's token, and owned.

        Args:
            claim: The claim whose token the write carries.
            split: The split.
            still: Whether it is still wanted; asked between each read and the write that is bound to what was read.
            way: Puts back as well what else leads to its versions, and hosts and gateways; None leaves that alone.

        Raises:
            ClaimLostError: The object carries a higher token: somebody else holds the service; or no claim ever held it.
            NoWeightedRouteError: No entry can take weights; nothing was written.
            StaleWriteError: `still` said no; nothing was written.
            TrafficDriftError: What is read back is not what was written.
        """
        found = self._virtual_service()
        token = token_of(found)
        if token > claim.token:
            raise ClaimLostError(f"{self._name} carries token {token}, this claim has {claim.token}: not written")
        if token < claim.token and _state(found) != HELD:
            raise ClaimLostError(f"{self._name} carries token {token}: this claim, with {claim.token}, never took it")
        if way is None and token == claim.token and owns_routes(found) and self._says(found, split):
            return self._parse(found)

        def routes(now: Mapping[str, Any]) -> dict[str, Any]:
            self._unless_stale(split, still)
            spec, was = now["spec"], now["spec"].get("http") or []
            http = with_split(was, split, self._hosts)
            if way is None:
                below = {kind: followed(spec[kind], was, split, self._hosts) for kind in BELOW if spec.get(kind)}
                return {"http": http, **{kind: made for kind, made in below.items() if made != spec[kind]}}
            return {
                "http": without(http, split, way.versions, way.before, self._hosts),
                **way.moved(spec, self._hosts),
            }

        self._write(claim, VIRTUAL_SERVICES, self.service, HELD, found, routes)
        after = self.read()
        if after.split != split:
            raise TrafficDriftError(f"{self._name} reads {after.split} after {split} was written; by {after.edited_by}")
        return after

    def leave(self, claim: Claim, version: str) -> bool:
        """Give a version alone every weighted entry. Where there is none nothing is to be left: False.

        Raises:
            ClaimLostError, TrafficDriftError: As for `shift`.
        """
        try:
            self.shift(claim, Split(version, None, 0))
        except NoWeightedRouteError:
            return False
        return True

    def stop(self, claim: Claim, way: WayBack, still: Still = lambda: True, mine: bool = False) -> bool:
        """Get versions out of the traffic, whatever the VirtualService says by now, and read that back.

        What the cluster refuses as invalid is tried in a plainer form; a VirtualService that is gone is made anew.

        Args:
            claim: The claim whose token the write carries.
            way: Where to.
            still: As for `shift`.
            mine: Whether the Lease was just seen to be the claim's: then an object that it never took is written too.

        Returns:
            Whether anything had to be written.

        Raises:
            ClaimLostError: The object carries a higher token, or is none that this claim ever took.
            SetupError: There is no VirtualService, and nobody knows what it said.
            StaleWriteError: `still` said no; nothing was written.
            TrafficDriftError: What is read back is not what was written.
        """
        found = self._found(VIRTUAL_SERVICES, self.service)
        others = found is not None and token_of(found) != claim.token
        if found is not None and way.reached(found["spec"], self._hosts) and (others or owns_routes(found)):
            return False
        self._make_sure(claim, found, way, mine)
        if found is None:
            self._unless_stale(way.split, still)
            self._make_anew(claim, way)
        else:
            self._write_back(claim, found, way, still)
        if not way.reached(self._virtual_service()["spec"], self._hosts):
            raise TrafficDriftError(
                f"{self._name} still leads to {', '.join(sorted(way.versions))} after {way.split} was written"
            )
        return True

    def _make_sure(self, claim: Claim, found: Mapping[str, Any] | None, way: WayBack, mine: bool) -> None:
        """Make sure that the claim may write what was found."""
        if found is None:
            if way.found is None:
                self._virtual_service()
            if not mine:
                raise ClaimLostError(f"{self._name} is gone; whether this claim is still held has to be seen first")
            return
        token = token_of(found)
        if token > claim.token:
            raise ClaimLostError(f"{self._name} carries token {token}, this claim has {claim.token}: not written")
        known = way.found is not None and found["metadata"]["uid"] == way.found.uid
        if token < claim.token and not known and not mine:
            raise ClaimLostError(f"{self._name} carries token {token}: this claim, with {claim.token}, never took it")

    def _write_back(self, claim: Claim, found: Mapping[str, Any], way: WayBack, still: Still) -> None:
        """Write the gentlest form that the cluster takes."""
        count = len(way.forms(found["spec"], self._hosts))
        for number in range(count):

            def form(now: Mapping[str, Any], number: int = number) -> dict[str, Any]:
                self._unless_stale(way.split, still)
                forms = way.forms(now["spec"], self._hosts)
                return forms[min(number, len(forms) - 1)]

            try:
                self._write(
                    claim, VIRTUAL_SERVICES, self.service, HELD, self._virtual_service() if number else found, form
                )
                return
            except ClusterError as error:
                if not _found_wrong(error) or number == count - 1:
                    raise

    def _make_anew(self, claim: Claim, way: WayBack) -> None:
        """Write a VirtualService that is gone as the claim found it."""
        assert way.found is not None
        api_version, kind = KINDS[VIRTUAL_SERVICES]
        annotations = {**way.found.annotations, TOKEN: str(claim.token), STATE: HELD}
        metadata = {"name": self.service, "labels": dict(way.found.labels), "annotations": annotations}
        body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": way.anew(self._hosts)}
        self._objects.apply(VIRTUAL_SERVICES, body)

    def _unless_stale(self, split: Split, still: Still) -> None:
        if not still():
            raise StaleWriteError(f"{self._name}: {split} is no longer wanted; not written")

    def open(self, claim: Claim) -> None:
        """Mark every object open and give up `spec`: plain helm and kubectl work again. Opened already is fine.

        Routes that nobody else owns (no helm upgrade with the final weights came before) stay ours: given up they
        would be gone.

        Raises:
            ClaimLostError: The objects carry a higher token.
        """
        found = self._virtual_service()
        if token_of(found) > claim.token:
            raise ClaimLostError(
                f"{self._name} carries token {token_of(found)}, this claim has {claim.token}: not opened"
            )
        for deployment in self._objects.list(DEPLOYMENTS, f"app={self.service}"):
            self._stamp(claim, DEPLOYMENTS, deployment["metadata"]["name"], OPEN, deployment)
        self._stamp(claim, DESTINATION_RULES, self.service, OPEN)
        self._write(claim, VIRTUAL_SERVICES, self.service, OPEN, found, _routes_of_nobody_else)


def _found_wrong(error: ClusterError) -> bool:
    """Whether a webhook, a policy engine or the schema refused the object itself, and not the one who wrote it."""
    # A webhook answers with whatever status it likes; its words, and those of a policy, are the API server's.
    return error.status in (400, 422) or any(words in str(error) for words in ("denied the request", "denied request"))


def _routes_as_they_are(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"http": found["spec"]["http"]}


def _routes_of_nobody_else(found: Mapping[str, Any]) -> dict[str, Any] | None:
    return _routes_as_they_are(found) if unshared_routes(found) else None
