"""A Helm release per version, on the in-memory API server: `HelmPerVersion` itself, over Helm releases in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from glidepath.deploy import Deploy, HelmPerVersion, HelmRelease, Preview
from glidepath.deploy.added import Field, with_fields
from glidepath.deploy.live import KEEPER
from glidepath.deploy.mapped import Mapped
from glidepath.errors import HelmError
from glidepath.naming import workload_name
from glidepath.policy.helm import ValuePaths
from glidepath.wiring.deploy import SERVICE as OF
from glidepath.wiring.deploy import VERSION
from tests.support.apiserver import SECRETS, SERVICE, ApiServer
from tests.support.fields import Object, clone
from tests.support.helm import BASES, HelmInMemory

GIVEN = {"image": {"repository": "localhost/prices"}, "config": "as of this version"}


class VersionInMemory(HelmInMemory):
    """The Helm release of one version, of a chart as `helm create` makes it."""

    removes = False

    def __init__(self, server: ApiServer, version: str, ready: Callable[[str], bool], kind: str) -> None:
        super().__init__(server)
        self.version, self.ready, self.kind = version, ready, kind
        self.release = workload_name(SERVICE, version)
        self.labels = {OF: SERVICE, VERSION: version}
        self.added: Sequence[Field] = ()

    def effective_values(self) -> Mapping[str, Any]:
        return {"replicaCount": 1, **clone(self.values)}

    def upgrade(self, values: Mapping[str, Any], write: int | None = None, added: Sequence[Field] = ()) -> HelmRelease:
        if values != self.values:
            self.added = added
        return super().upgrade(values, write)

    def preview(self, values: Mapping[str, Any], added: Sequence[Field] = ()) -> Preview:
        before, self.added = self.added, added
        try:
            return super().preview(values)
        finally:
            self.added = before

    def deployed(self) -> Preview:
        return super().preview(self.values) if self.revision else Preview(())

    def uninstall(self) -> None:
        name = f"{BASES[self.kind]}/{SERVICE}-{self.version}"
        status, answer = self.server.handle("DELETE", name, "", None)
        if status not in (200, 404):
            raise HelmError(f"helm uninstall failed: {answer['message']}")
        for secret in self.server.all("secrets"):
            if secret["metadata"]["labels"]["name"] == self.release:
                self.server.handle("DELETE", f"{SECRETS}/{secret['metadata']['name']}", "", None)
        self.values, self.revision, self.newest = {}, 0, 0

    def _objects(self, values: Mapping[str, Any]) -> list[Object]:
        name, image = values["fullnameOverride"], {"repository": "nginx", "tag": "", **values.get("image", {})}
        labels = {"app.kubernetes.io/name": "shop", "app.kubernetes.io/instance": self.release}
        containers = [{"name": "shop", "image": f"{image['repository']}:{image['tag']}"}]
        template = {"metadata": {"labels": dict(labels)}, "spec": {"containers": containers}}
        spec = {"replicas": values["replicaCount"], "selector": {"matchLabels": labels}, "template": template}
        made = {"meta.helm.sh/release-name": self.release}
        metadata = {"name": name, "labels": dict(labels), "annotations": made}
        rendered = [{"apiVersion": "apps/v1", "kind": self.kind, "metadata": metadata, "spec": spec}]
        return list(with_fields(rendered, self.added))


class PerVersionInMemory(HelmInMemory):
    """Such a service. Its attributes are those of the Helm release of its routes."""

    removes = False
    # What the chart runs a version as.
    kind = "Deployment"

    def __init__(self, server: ApiServer) -> None:
        super().__init__(server)
        self.releases: dict[str, VersionInMemory] = {}
        self.given: dict[str, Any] = GIVEN
        self.port = self.in_process(lambda port: port)

    def again(self, server: ApiServer) -> PerVersionInMemory:
        now = type(self)(server)
        now._go_on_from(self)
        for version, was in self.releases.items():
            now.of(version)._go_on_from(was)
            now.of(version).added = was.added
        return now

    def of(self, version: str) -> VersionInMemory:
        """The Helm release of a version, installed or not."""
        if version not in self.releases:
            self.releases[version] = VersionInMemory(self.server, version, lambda one: self.ready(one), self.kind)
        return self.releases[version]

    def in_process(self, linked: Callable[[Any], Any]) -> Deploy:
        routes = linked(_Routes(self))
        mapped = Mapped(SERVICE, self.given, ValuePaths())
        return HelmPerVersion(mapped, routes, lambda version: linked(self.of(version)), self._there)

    def upgrade(self, values: Mapping[str, Any], write: int | None = None) -> HelmRelease:
        return self.port.upgrade(values, write=write)

    def effective_values(self) -> Mapping[str, Any]:
        return self.port.effective_values()

    def preview(self, values: Mapping[str, Any]) -> Preview:
        return self.port.preview(values)

    def _there(self) -> frozenset[str]:
        kept = [one["metadata"]["labels"] for one in self.server.all("secrets")]
        return frozenset(labels[VERSION] for labels in kept if labels.get(OF) == SERVICE)

    def _objects(self, values: Mapping[str, Any]) -> list[Object]:
        return [one for one in super()._objects(values) if one["kind"] != "Deployment"]


class SetsInMemory(PerVersionInMemory):
    """Such a service of a chart that makes a StatefulSet."""

    kind = "StatefulSet"


class _Routes:
    """The Helm release of the routes alone."""

    release, chart = HelmInMemory.release, "routes"

    def __init__(self, whole: PerVersionInMemory) -> None:
        self._whole = whole

    def check(self) -> str:
        return self._whole.check()

    def pinned(self) -> str | None:
        return None

    def status(self) -> HelmRelease | None:
        return self._whole.status()

    def effective_values(self) -> Mapping[str, Any]:
        return clone({"versions": {}, **self._whole.values})

    def upgrade(self, values: Mapping[str, Any], *, write: int | None = None) -> HelmRelease:
        return HelmInMemory.upgrade(self._whole, values, write)

    def preview(self, values: Mapping[str, Any]) -> Preview:
        return HelmInMemory.preview(self._whole, values)

    def keep(self, manifest: Mapping[str, Any], fields: Sequence[Field]) -> None:
        if self.found(manifest) is not None:
            [made] = with_fields([dict(manifest)], fields)
            self._whole.server.put(BASES[made["kind"]], made, KEEPER, force=True)

    def found(self, manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
        return HelmInMemory.found(self._whole, manifest)

    def applied(self, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        return HelmInMemory.applied(self._whole, manifest)
