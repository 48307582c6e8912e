"""What `glidepath.deploy.Helm` does, on the in-memory API server, as field manager `helm`.

As Helm 4 does it: every object that can be applied is, and then the upgrade ends with the conflicts of the rest, leaving a
failed revision and removing nothing. Fields that somebody else owns are left to him by Glidepath's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from glidepath.deploy import Deploy, HelmRelease, Preview
from glidepath.deploy import values as chart
from glidepath.deploy.helm import TRIES
from glidepath.deploy.overlay import Laid, foreign, overlaid
from glidepath.errors import ClusterError, HelmError
from glidepath.kube import STATE, TOKEN, WORKLOAD_KINDS
from tests.support.apiserver import DEPLOYMENTS, MESH, NAMESPACE, SECRETS, SERVICE, STATEFULSETS, ApiServer
from tests.support.fields import Object, Refused, apply, clone, owners_of
from tests.support.installed import http_routes

BASES = {
    "Deployment": DEPLOYMENTS,
    "StatefulSet": STATEFULSETS,
    "DestinationRule": f"{MESH}/destinationrules",
    "VirtualService": f"{MESH}/virtualservices",
}


class HelmInMemory:
    """Helm's release `shop`. `values` and `revision` are the last deployed ones, `newest` and `state` the last of all."""

    release, chart = "shop", "chart"
    # What Helm's own secrets carry beside that.
    labels: Mapping[str, str] = {}
    # Whether its upgrades remove Deployments.
    removes = True
    # Versions whose Deployments were made by an upgrade that was cut off: none of its revisions removes them.
    forgot: tuple[str, ...] = ()

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.values: dict[str, Any] = {}
        self.revision = self.newest = 0
        self.state = "deployed"
        self.ready: Callable[[str], bool] = lambda _: True
        self.before: Callable[[], object] = lambda: None
        self.hooks: list[dict[str, Any]] = []
        self.random: tuple[str, ...] = ()

    def again(self, server: ApiServer) -> HelmInMemory:
        """The same, on a copy of its server."""
        now = type(self)(server)
        now._go_on_from(self)
        return now

    def _go_on_from(self, was: HelmInMemory) -> None:
        self.values, self.revision, self.newest, self.state = clone(was.values), was.revision, was.newest, was.state

    def in_process(self, linked: Callable[[Any], Any]) -> Deploy:
        """As a process has it; `linked` is what stands between it and each of Helm's releases."""
        port: Deploy = linked(self)
        return port

    def check(self) -> str:
        return "v4.0.0"

    def pinned(self) -> str | None:
        return None

    def status(self) -> HelmRelease | None:
        if not self.revision:
            return None
        return HelmRelease(
            self.release, NAMESPACE, self.revision, self.state, clone(self.values), max(self.newest, self.revision)
        )

    def effective_values(self) -> Mapping[str, Any]:
        return {"replicas": {"stable": 2, "canary": 1}, "versions": {}, **clone(self.values)}

    def preview(self, values: Mapping[str, Any]) -> Preview:
        found = self._objects(values)
        return Preview(found, self.hooks, tuple(laid for one in found for laid in self._foreign(one)), self.random)

    def found(self, manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return self._live(manifest)

    def applied(self, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        live = self._live(manifest)
        try:
            return apply(live, dict(manifest), owners_of(live), "helm", force=False)
        except Refused as error:
            raise ClusterError(error.message, error.status) from error

    def upgrade(self, values: Mapping[str, Any], write: int | None = None) -> HelmRelease:
        if values == self.values and self.state == "deployed":
            return HelmRelease(self.release, NAMESPACE, self.revision, "deployed", dict(values), self.revision)
        given, before = clone(dict(values)), None
        for left in reversed(range(TRIES)):
            laid = tuple(one for manifest in self._objects(given) for one in self._foreign(manifest, take=True))
            self.before()
            refused = self._apply(given, laid, None if write is None else write + TRIES - 1 - left)
            if not refused:
                break
            self.by_hand("failed")
            if "conflict" not in refused or laid == before or not left:
                raise HelmError(f"helm upgrade failed: {refused}")
            before = laid
        self.values = given
        self.by_hand("deployed")
        return HelmRelease(self.release, NAMESPACE, self.revision, "deployed", given, self.revision, laid)

    def by_person(self, values: Mapping[str, Any]) -> str:
        """A person's plain `helm upgrade`; what it was refused with, empty when it went through."""
        given = clone(dict(values))
        refused = self._apply(given, ())
        if not refused:
            self.values = given
        self.by_hand("failed" if refused else "deployed")
        return refused

    def by_hand(self, state: str) -> None:
        """Write a new revision down, as Helm's secret says it."""
        self.newest, self.state = max(self.newest, self.revision) + 1, state
        if state == "deployed":
            self.revision = self.newest
        labels = {"owner": "helm", "name": self.release, "version": str(self.newest), "status": state, **self.labels}
        metadata = {"name": f"{self.release}.v{self.newest}", "labels": labels}
        self.server.put(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": metadata})

    def _live(self, manifest: Mapping[str, Any]) -> Object | None:
        return self.server.objects.get((BASES.get(manifest["kind"], ""), manifest["metadata"]["name"]))

    def _foreign(self, manifest: Mapping[str, Any], take: bool = False) -> list[Laid]:
        live = self._live(manifest)
        theirs = foreign(manifest, live) if live else []
        for one in theirs if take else ():
            if one.taken and live:
                notes = live["metadata"].get("annotations") or {}
                ours = {key: text for key, text in notes.items() if key in (TOKEN, STATE)}
                metadata = {"name": one.name, "annotations": ours}
                body = {"apiVersion": manifest["apiVersion"], "kind": one.kind, "metadata": metadata}
                spec = {str(one.path[-1]): one.value}
                self.server.put(BASES[one.kind], body | {"spec": spec}, "glidepath", force=True)
        return theirs

    def _objects(self, values: Mapping[str, Any]) -> list[Object]:
        """What the chart renders."""
        roles, split = values["roles"], values["istio"]["trafficSplit"]
        token = (values.get("release") or {}).get("token")
        marks = {"annotations": {"glidepath.dev/token": token}} if token else {}
        found = [self._deployment(version, values, marks) for version in _versions(values)]
        metadata = {"name": SERVICE, "labels": {"app": SERVICE}, **marks}
        mesh: Object = {"apiVersion": "networking.istio.io/v1", "metadata": metadata}
        subsets = [{"name": version, "labels": {"version": version}} for version in _versions(values)]
        found.append(mesh | {"kind": "DestinationRule", "spec": {"host": SERVICE, "subsets": subsets}})
        weights = {roles["stable"]: split["stable"], **({roles["canary"]: split["canary"]} if roles["canary"] else {})}
        if split.get("baseline"):
            weights[roles["baseline"]] = split["baseline"]
        routing = {"hosts": [SERVICE], "gateways": ["mesh"], "http": http_routes(weights)}
        return [*found, mesh | {"kind": "VirtualService", "spec": routing}]

    def _deployment(self, version: str, values: Mapping[str, Any], marks: Mapping[str, Any]) -> Object:
        role = "stable" if version == values["roles"]["stable"] else "canary"
        wanted = (values.get("versions") or {}).get(version, {}).get("replicas") or {"stable": 2, "canary": 1}[role]
        labels = {"app": SERVICE, "version": version}
        made = {"annotations": {"meta.helm.sh/release-name": self.release, **marks.get("annotations", {})}}
        template: Object = {"metadata": {"labels": labels}}
        image = chart.image_of(values, version)
        if isinstance(values.get("image"), str):
            template["spec"] = {"image": values["image"]}
        elif image.tag or image.digest:
            template["spec"] = {"image": f"shop:{image.digest or image.tag}"}
        spec = {"replicas": wanted, "selector": {"matchLabels": labels}, "template": template}
        metadata = {"name": f"{SERVICE}-{version}", "labels": labels, **made}
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}

    def _apply(self, values: dict[str, Any], laid: tuple[Laid, ...], number: int | None = None) -> str:
        """Apply every object that can be; what the rest is refused with."""
        refused = []
        for one in self._objects(values):
            there = self._live(one) is not None
            try:
                self.server.put(BASES[one["kind"]], _numbered(overlaid(one, laid), number))
            except Refused as error:
                refused.append(error.message)
                if not there:  # one that can't be made ends it at once
                    break
            if one["kind"] in WORKLOAD_KINDS and self._live(one):
                self._pods(one)
        return "; ".join(refused) or (self._remove(values) if self.removes else "")

    def _remove(self, values: Mapping[str, Any]) -> str:
        """Remove what is rendered no more; what that is refused with."""
        versions = _versions(values)
        for one in self.server.all("deployments"):
            if one["metadata"]["labels"]["version"] not in (*versions, *self.forgot):
                status, answer = self.server.handle("DELETE", f"{DEPLOYMENTS}/{one['metadata']['name']}", "", None)
                if status >= 300:
                    return str(answer["message"])
        return ""

    def _pods(self, manifest: Object) -> None:
        """What the workload's controller and the kubelet would report."""
        stored = self.server.objects[(BASES[manifest["kind"]], manifest["metadata"]["name"])]
        ready = stored["spec"]["replicas"] if self.ready(stored["metadata"]["labels"]["version"]) else 0
        stored["metadata"].setdefault("generation", 1)
        stored["status"] = {"observedGeneration": 1, "updatedReplicas": ready, "availableReplicas": ready}


def _versions(values: Mapping[str, Any]) -> list[str]:
    roles = values["roles"]
    return [one for one in (roles["stable"], roles["canary"], roles.get("baseline")) if one]


def _numbered(manifest: Object, number: int | None) -> Object:
    """With the number of one of a release's own upgrades."""
    if number is not None:
        notes = manifest["metadata"].get("annotations") or {}
        manifest["metadata"]["annotations"] = {**notes, "glidepath.dev/write": str(number)}
    return manifest
