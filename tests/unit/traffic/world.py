"""A service in a cluster in memory, and who else writes to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from glidepath.claim import Claim
from tests.support.apiserver import MESH, NAMESPACE, SERVICE, ApiServer
from tests.support.fields import Object
from tests.support.installed import http_routes
from tests.support.meshed import Meshed

CLAIM = Claim(NAMESPACE, SERVICE, "run-1", 7, "v1", "v2", 60.0)
OLD, NEXT = replace(CLAIM, token=6), replace(CLAIM, token=8, holder="run-2")
VIRTUAL_SERVICE = f"{MESH}/virtualservices/{SERVICE}"
KINDS = ["virtualservices", "destinationrules", "deployments"]


@dataclass
class RoutesInMemory:
    server: ApiServer
    traffic: Meshed = field(init=False)

    def __post_init__(self) -> None:
        self.traffic = Meshed(self.server.api(), NAMESPACE, SERVICE)

    def found(self) -> Object:
        return self.server.find("virtualservices", SERVICE)

    def edit(self, http: list[Object]) -> None:
        """A person's `kubectl edit`: keeps the annotations."""
        body: Object = {"spec": {"http": http}}
        status, answer = self.server.handle("PATCH", VIRTUAL_SERVICE, "application/merge-patch+json", body)
        assert status == 200, answer

    def behind_its_back(self, http: list[Object]) -> None:
        """An edit that triggers none of the server's rules, nor Istio's validation."""
        stored = self.server.objects[f"{MESH}/virtualservices", SERVICE]
        stored["spec"]["http"] = http
        stored["metadata"]["resourceVersion"] += "0"

    def helm(self, weights: dict[str, int]) -> tuple[int, Object]:
        """`helm upgrade`: applies its own routes, never by force."""
        found = self.found()
        metadata = {"name": SERVICE, "labels": found["metadata"]["labels"]}
        metadata["annotations"] = {key: found["metadata"]["annotations"][key] for key in ("glidepath.dev/token",)}
        spec = found["spec"] | {"http": http_routes(weights)}
        body = {key: found[key] for key in ("apiVersion", "kind")} | {"metadata": metadata, "spec": spec}
        return self.server.handle(
            "PATCH", f"{VIRTUAL_SERVICE}?fieldManager=helm&force=false", "application/apply-patch+yaml", body
        )

    def marks(self) -> set[tuple[str, str]]:
        """Token and state of all objects."""
        objects = [one for kind in KINDS for one in self.server.all(kind)]
        notes: list[dict[str, str]] = [one["metadata"].get("annotations", {}) for one in objects]
        return {(one.get("glidepath.dev/token", ""), one.get("glidepath.dev/state", "")) for one in notes}
