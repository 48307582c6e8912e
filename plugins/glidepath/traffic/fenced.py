"""The objects of a service that a release holds: each carries its claim's token, and whether it is held or open."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from kubernetes import client

from glidepath.claim.state import Claim
from glidepath.errors import ClaimLostError, ClusterError, SetupError
from glidepath.kube import HELD, OPEN, STATE, TOKEN, WRITE, Objects
from glidepath.traffic.owned import carried, numbered_by_others

VIRTUAL_SERVICES = "networking.istio.io/v1/virtualservices"
DESTINATION_RULES = "networking.istio.io/v1/destinationrules"
DEPLOYMENTS = "apps/v1/deployments"
KINDS = {
    VIRTUAL_SERVICES: ("networking.istio.io/v1", "VirtualService"),
    DESTINATION_RULES: ("networking.istio.io/v1", "DestinationRule"),
    DEPLOYMENTS: ("apps/v1", "Deployment"),
}
# Digits of a token that a release may begin with, and of any claim's. By hand the fence lets 12 pass, and it reads 15: from
# each of them there is a next one.
TO_BEGIN, BY_CLAIMS = 13, 14
Found = Mapping[str, Any]
Spec = Callable[[Found], dict[str, Any] | None]


class FencedObjects:
    """The Deployments of a service's versions, its VirtualService and its DestinationRule.

    Args:
        api: An API client.
        namespace: The service's namespace.
        service: The service.
    """

    def __init__(self, api: client.ApiClient, namespace: str, service: str) -> None:
        self._objects = Objects(api, namespace)
        self.namespace, self.service = namespace, service

    def deployed_versions(self) -> set[str]:
        """The versions whose Deployments are there."""
        found = self._objects.list(DEPLOYMENTS, f"app={self.service}")
        return {one["metadata"]["labels"].get("version", "") for one in found} - {""}

    def held(self) -> set[str]:
        """The objects that a release holds, as `Deployment prices-v2`."""
        return {f"{KINDS[kind][1]} {one['metadata']['name']}" for kind, one in self._there() if state_of(one) == HELD}

    def newest_token(self) -> int:
        """The highest token that an object carries; 0 for none."""
        return max(self.tokens(), default=0)

    def tokens(self) -> set[int]:
        """The tokens that the objects carry."""
        return {token_of(one) for _, one in self._there()}

    def newest_write(self) -> int:
        """The highest number of an upgrade through Helm that an object carries; 0 for none."""
        numbers = [(one["metadata"].get("annotations") or {}).get(WRITE, "") for _, one in self._there()]
        return max((_number(one, BY_CLAIMS) or 0 for one in numbers), default=0)

    def free_writes(self) -> None:
        """Remove the numbers of upgrades through Helm that somebody else wrote: Helm's own would be a conflict."""
        for kind, one in self._there():
            self._free_write(kind, one["metadata"]["name"], one)

    def _free_write(self, kind: str, name: str, found: Found | None, tries: int = 5) -> None:
        while found is not None and numbered_by_others(found):
            tries -= 1
            notes = {"resourceVersion": found["metadata"]["resourceVersion"], "annotations": {WRITE: None}}
            try:
                self._objects.merge(kind, name, {"metadata": notes})
                return
            except ClusterError as error:  # a Deployment's status changes by itself
                if error.status != 409 or not tries:
                    raise
            found = self._found(kind, name)

    def _there(self) -> list[tuple[str, Found]]:
        """Every object that a release may hold, with its kind."""
        found: list[tuple[str, Found]] = [
            (DEPLOYMENTS, one) for one in self._objects.list(DEPLOYMENTS, f"app={self.service}")
        ]
        for kind in (VIRTUAL_SERVICES, DESTINATION_RULES):
            one = self._found(kind, self.service)
            if one is not None:
                found.append((kind, one))
        return found

    def _found(self, kind: str, name: str) -> dict[str, Any] | None:
        try:
            return self._objects.get(kind, name)
        except ClusterError as error:
            if error.status == 404:
                return None
            raise

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

    def _stamp(self, claim: Claim, kind: str, name: str, state: str = HELD, found: Found | None = None) -> None:
        """Write the claim's annotations; of what is gone there is nothing to hold.

        Raises:
            ClaimLostError: It carries a higher token.
        """
        found = found or self._found(kind, name)
        if found is not None:
            self._write(claim, kind, name, state, found, tries=5)

    def _write(
        self, claim: Claim, kind: str, name: str, state: str, found: Found, spec: Spec = lambda _: None, tries: int = 2
    ) -> None:
        """Apply the claim's annotations to the very object that was found, and the spec made from it, if there is one.

        Somebody wrote between our read and our write: look again, once, then it is theirs to explain; but a Deployment's
        status changes by itself. What is held the cluster guards; what is open has no fence, so that a claim of long ago
        does not lower its token is seen to here.
        """
        for left in reversed(range(tries)):
            if token_of(found) > claim.token and (state_of(found) != HELD or left < tries - 1):
                raise ClaimLostError(
                    f"{KINDS[kind][1]} {name} carries token {token_of(found)}, this claim has {claim.token}"
                )
            body = self._body(claim, kind, name, state, found, spec(found))
            try:
                self._objects.apply(kind, body)
                return
            except ClusterError as error:
                if TOKEN in str(error):
                    raise ClaimLostError(f"{KINDS[kind][1]} {name}: refused by the cluster: {error}") from error
                if error.status != 409 or not left:
                    raise
            found = self._objects.get(kind, name)

    def _body(
        self, claim: Claim, kind: str, name: str, state: str, found: Found, spec: dict[str, Any] | None
    ) -> dict[str, Any]:
        """What is applied. The uid sees to it that an object which is gone by then is not made anew out of this alone."""
        api_version, kind_name = KINDS[kind]
        own, was = carried(found, giving_up=state == OPEN), found["metadata"]
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


def state_of(found: Found) -> str:
    """Whether an object is HELD or OPEN; empty where no release has had it."""
    return str((found["metadata"].get("annotations") or {}).get(STATE) or "")


def token_of(found: Found) -> int:
    """The fencing token an object carries; 0 for none, or for what can be no claim's: it keeps nobody from writing."""
    return _number(_token(found), BY_CLAIMS) or 0


def proper_token_of(found: Found) -> int:
    """As `token_of`, for whoever is about to begin.

    Raises:
        SetupError: Somebody wrote something else there; of what is held the cluster would have refused it.
    """
    if _number(_token(found), TO_BEGIN) is None:
        raise SetupError(
            f"{found['metadata']['name']} has the annotation {TOKEN}={_token(found)!r}, expected a whole number of at most "
            f"{TO_BEGIN} digits; remove it"
        )
    return token_of(found)


def _number(text: str, digits: int) -> int | None:
    """A whole number as the fence reads one; None for anything else."""
    return int(text) if re.fullmatch(rf"[0-9]{{1,{digits}}}", text) else None


def _token(found: Found) -> str:
    return str((found["metadata"].get("annotations") or {}).get(TOKEN) or 0)
