"""What an adoption needs: one Helm release, those of the versions, the cluster beside Helm, and pods that get ready."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from glidepath.deploy.manifests import Object
from glidepath.deploy.release import HelmRelease, Preview
from glidepath.deploy.shapes import Readiness

Values = Mapping[str, Any]


class OneRelease(Protocol):
    """A Helm release of the service's name; `Helm` says more."""

    release: str

    def status(self) -> HelmRelease | None:
        """What is installed."""

    def deployed(self) -> Preview:
        """What is deployed."""

    def earlier(self) -> Iterable[Sequence[Object]]:
        """The objects of each revision, the newest first."""

    def preview(self, values: Values) -> Preview:
        """What an upgrade would apply."""

    def upgrade(self, values: Values) -> object:
        """Bring it to these values."""


class VersionReleases(Protocol):
    """The Helm releases of the versions; `HelmPerVersion` says more."""

    def status(self) -> HelmRelease | None:
        """What is installed of the routes."""

    def rendered(self, values: Values) -> Sequence[Object]:
        """What the chart would make of the versions."""

    def install(self, values: Values, *, anew: bool = False) -> object:
        """Install the versions that have a role."""

    def there(self) -> frozenset[str]:
        """The versions that have a Helm release."""

    def values_of(self, version: str) -> Mapping[str, Any]:
        """The values that a version was released with."""

    def remove(self, version: str) -> None:
        """Remove a version to which no way leads."""


class Beside(Protocol):
    """What is read and written beside Helm; `Live` says more."""

    namespace: str

    def find(self, manifest: Object) -> Mapping[str, Any] | None:
        """An object as the cluster has it."""

    def endpoints(self, service: str) -> set[str]:
        """The pods that a Service leads to now."""

    def pods(self, selector: Mapping[str, str]) -> set[str]:
        """The pods that have these labels."""

    def keep_on_upgrade(self, manifest: Object, keep: bool = True) -> None:
        """Have Helm keep an object that its release no longer makes, or not."""

    def label_pods(self, selector: Mapping[str, str], labels: Mapping[str, str]) -> None:
        """Label the pods that are there."""

    def put(self, manifest: Object) -> None:
        """Apply an object as Helm would."""

    def delete(self, manifest: Object) -> None:
        """Delete an object with all that belongs to it."""

    def delete_made(self, manifest: Object) -> bool:
        """Delete an object if this release made it; True when it did."""


class Ready(Protocol):
    """Pods of versions; `Workloads` says more."""

    def wait_ready(self, version: str, timeout_s: float, listener: Callable[[Readiness], None]) -> float:
        """Wait until a version is ready; seconds it took."""
