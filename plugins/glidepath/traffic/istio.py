"""Istio: the weights of one VirtualService, written by server-side apply under the claim's token.

`spec.http` is one atomic field with one owner at a time. `take` makes it ours (Helm's own apply of another value then
fails with a conflict and changes nothing), `open` gives it back. Only destinations and weights are changed; whatever
else a route says (matches, time-outs, retries) stays as it was read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kubernetes import client

from glidepath.claim.state import Claim
from glidepath.errors import ClaimLostError, ClusterError, PreflightError, StaleWriteError, TrafficDriftError
from glidepath.kube import HELD, OPEN, STATE, TOKEN, Objects, editor
from glidepath.traffic.routes import split_of, unshared, with_split
from glidepath.traffic.split import Split, TrafficState

VIRTUAL_SERVICES = "networking.istio.io/v1/virtualservices"
DESTINATION_RULES = "networking.istio.io/v1/destinationrules"
DEPLOYMENTS = "apps/v1/deployments"
KINDS = {
    VIRTUAL_SERVICES: ("networking.istio.io/v1", "VirtualService"),
    DESTINATION_RULES: ("networking.istio.io/v1", "DestinationRule"),
    DEPLOYMENTS: ("apps/v1", "Deployment"),
}

# Of what is gone the API keeps nothing.
DELETED = "whoever deleted it; the API server's audit log knows"


class IstioTraffic:
    """The routing of one service: its VirtualService and DestinationRule carry the service's name.

    Args:
        api: An API client.
        namespace: The service's namespace.
        service: The service.
    """

    def __init__(self, api: client.ApiClient, namespace: str, service: str) -> None:
        self._objects = Objects(api, namespace)
        self.namespace, self.service = namespace, service

    def read(self) -> TrafficState:
        """The split in force, as the API has it.

        Raises:
            PreflightError: There is no VirtualService.
            TrafficDriftError: Its routes are not such a split.
        """
        return self._parse(self._virtual_service())

    def take(self, claim: Claim) -> None:
        """Stamp every object with the claim's token and make `spec.http` ours, with the value it has.

        Raises:
            ClaimLostError: The objects carry a higher token.
        """
        found = self._virtual_service()
        self._write(claim, VIRTUAL_SERVICES, self.service, HELD, found, lambda now: now["spec"]["http"])
        self._stamp(claim, DESTINATION_RULES, self.service)
        for deployment in self._objects.list(DEPLOYMENTS, f"app={self.service}"):
            self._stamp(claim, DEPLOYMENTS, deployment["metadata"]["name"], HELD, deployment)

    def shift(self, claim: Claim, split: Split, still: Callable[[], bool] = lambda: True) -> TrafficState:
        """Make the split so and read it back; it is so already, nothing is written.

        Args:
            claim: The claim whose token the write carries.
            split: The split.
            still: Whether it is still wanted; asked between each read and the write that is bound to what was read.

        Raises:
            ClaimLostError: The object carries a higher token: somebody else holds the service.
            StaleWriteError: `still` said no; nothing was written.
            TrafficDriftError: What is read back is not what was written.
        """
        found = self._virtual_service()
        token = _token(found)
        if token > claim.token:
            raise ClaimLostError(f"{self._name} carries token {token}, this claim has {claim.token}: not written")
        if token == claim.token and self._reads(found, split):
            return self._parse(found)

        def routes(now: Mapping[str, Any]) -> list[dict[str, Any]]:
            if not still():
                raise StaleWriteError(f"{self._name}: {split} is no longer wanted; not written")
            return with_split(now["spec"].get("http") or [{}], split, self.service)

        self._write(claim, VIRTUAL_SERVICES, self.service, HELD, found, routes)
        after = self.read()
        if after.split != split:
            raise TrafficDriftError(f"{self._name} reads {after.split} after {split} was written; by {after.edited_by}")
        return after

    def all_on(self, version: str) -> bool:
        """Whether every request goes to a version. Routes that can't be read as a split count as no."""
        try:
            return self.read().all_on(version)
        except TrafficDriftError:
            return False

    def subsets(self) -> tuple[set[str], str]:
        """The versions that the DestinationRule leads to, and who wrote its subsets; none when it is gone."""
        try:
            found = self._objects.get(DESTINATION_RULES, self.service)
        except ClusterError as error:
            if error.status == 404:
                return set(), DELETED
            raise
        managed, subsets = found["metadata"].get("managedFields") or [], found["spec"].get("subsets") or []
        right = {str(one.get("name")) for one in subsets if (one.get("labels") or {}).get("version") == one.get("name")}
        return right, editor(managed, "f:spec", "f:subsets")

    def deployed_versions(self) -> set[str]:
        """The versions whose Deployments are there."""
        found = self._objects.list(DEPLOYMENTS, f"app={self.service}")
        return {one["metadata"]["labels"].get("version", "") for one in found} - {""}

    def held(self) -> set[str]:
        """The objects that a release holds, as `Deployment prices-v2`."""
        return {f"{KINDS[kind][1]} {one['metadata']['name']}" for kind, one in self._there() if _state(one) == HELD}

    def newest_token(self) -> int:
        """The highest token that an object carries; 0 for none."""
        return max(self.tokens(), default=0)

    def tokens(self) -> set[int]:
        """The tokens that the objects carry."""
        return {_token(one) for _, one in self._there()}

    def _there(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Every object that a release may hold, with its kind."""
        found: list[tuple[str, Mapping[str, Any]]] = [
            (DEPLOYMENTS, one) for one in self._objects.list(DEPLOYMENTS, f"app={self.service}")
        ]
        for kind in (VIRTUAL_SERVICES, DESTINATION_RULES):
            try:
                found.append((kind, self._objects.get(kind, self.service)))
            except ClusterError as error:
                if error.status != 404:
                    raise
        return found

    def hold_version(self, claim: Claim, version: str) -> None:
        """Stamp a version's Deployment with the claim's token: nobody without it can change or delete it."""
        self._stamp(claim, DEPLOYMENTS, f"{self.service}-{version}")

    def open_version(self, claim: Claim, version: str) -> None:
        """Let go of a version's Deployment, so that Helm can remove it. It is gone already: nothing to do.

        Raises:
            ClaimLostError: It carries a higher token.
        """
        if version in self.deployed_versions():
            self._stamp(claim, DEPLOYMENTS, f"{self.service}-{version}", OPEN)

    def open(self, claim: Claim) -> None:
        """Mark every object open and give up `spec`: plain helm and kubectl work again. Opened already is fine.

        Routes that nobody else owns (no helm upgrade with the final weights came before) stay ours: given up they
        would be gone.

        Raises:
            ClaimLostError: The objects carry a higher token.
        """
        found = self._virtual_service()
        if _token(found) > claim.token:
            raise ClaimLostError(
                f"{self._name} carries token {_token(found)}, this claim has {claim.token}: not opened"
            )
        for deployment in self._objects.list(DEPLOYMENTS, f"app={self.service}"):
            self._stamp(claim, DEPLOYMENTS, deployment["metadata"]["name"], OPEN, deployment)
        self._stamp(claim, DESTINATION_RULES, self.service, OPEN)
        self._write(claim, VIRTUAL_SERVICES, self.service, OPEN, found, unshared)

    @property
    def _name(self) -> str:
        return f"VirtualService {self.namespace}/{self.service}"

    def _virtual_service(self) -> dict[str, Any]:
        try:
            return self._objects.get(VIRTUAL_SERVICES, self.service)
        except ClusterError as error:
            if error.status == 404:
                raise PreflightError(
                    f"{self._name} does not exist, expected the one of the service's chart; is Istio installed, "
                    "and was the chart installed with istio.enabled?"
                ) from error
            raise

    def _parse(self, found: Mapping[str, Any]) -> TrafficState:
        metadata = found["metadata"]
        return TrafficState(
            split=split_of(found["spec"].get("http") or [], self._name),
            token=_token(found),
            held=_state(found) == HELD,
            edited_by=editor(metadata.get("managedFields") or [], "f:spec", "f:http"),
            resource_version=metadata["resourceVersion"],
        )

    def _reads(self, found: Mapping[str, Any], split: Split) -> bool:
        try:
            return self._parse(found).split == split
        except TrafficDriftError:
            return False

    def _stamp(
        self, claim: Claim, kind: str, name: str, state: str = HELD, found: Mapping[str, Any] | None = None
    ) -> None:
        """Write the claim's annotations; of what is gone there is nothing to hold.

        Raises:
            ClaimLostError: It carries a higher token.
        """
        try:
            found = found or self._objects.get(kind, name)
        except ClusterError as error:
            if error.status == 404:
                return
            raise
        self._write(claim, kind, name, state, found, tries=5)

    def _write(
        self,
        claim: Claim,
        kind: str,
        name: str,
        state: str,
        found: Mapping[str, Any],
        routes: Callable[[Mapping[str, Any]], list[dict[str, Any]] | None] = lambda _: None,
        tries: int = 2,
    ) -> None:
        """Apply the claim's annotations, and the routes made from the object as it was found, if there are any.

        Somebody wrote between our read and our write: look again, once, then it is theirs to explain; but a Deployment's
        status changes by itself. What is held the cluster guards; what is open has no fence, so that a claim of long ago
        does not lower its token is seen to here.
        """
        api_version, kind_name = KINDS[kind]
        for left in reversed(range(tries)):
            if _token(found) > claim.token and (_state(found) != HELD or left < tries - 1):
                raise ClaimLostError(f"{kind_name} {name} carries token {_token(found)}, this claim has {claim.token}")
            metadata: dict[str, Any] = {
                "name": name,
                "annotations": {TOKEN: str(claim.token), STATE: state},
                "resourceVersion": found["metadata"]["resourceVersion"],
            }
            body: dict[str, Any] = {"apiVersion": api_version, "kind": kind_name, "metadata": metadata}
            http = routes(found)
            body |= {"spec": {"http": http}} if http is not None else {}
            try:
                self._objects.apply(kind, body)
                return
            except ClusterError as error:
                if TOKEN in str(error):
                    raise ClaimLostError(f"{kind_name} {name}: refused by the cluster: {error}") from error
                if error.status != 409 or not left:
                    raise
            found = self._objects.get(kind, name)


def _state(found: Mapping[str, Any]) -> str:
    return str((found["metadata"].get("annotations") or {}).get(STATE) or "")


def _token(found: Mapping[str, Any]) -> int:
    """The fencing token an object carries; 0 for none.

    Raises:
        PreflightError: Somebody wrote something else there; of what is held the cluster would have refused it.
    """
    text = str((found["metadata"].get("annotations") or {}).get(TOKEN) or 0)
    if not text.isdecimal():
        raise PreflightError(
            f"{found['metadata']['name']} has the annotation {TOKEN}={text!r}, expected a whole number; remove it"
        )
    return int(text)
