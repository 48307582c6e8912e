"""What a release needs of whoever deploys a service's versions; errors are those of `Helm` and `KubernetesWorkloads`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from glidepath.deploy.last_seen import LastSeen
from glidepath.deploy.marks import Mark
from glidepath.deploy.release import HelmRelease, Preview
from glidepath.deploy.shapes import Readiness, Revision, Selector, Shape


class Deploy(Protocol):
    """The installed service, as its users' values make it."""

    @property
    def release(self) -> str:
        """Its name, for whoever installed it."""

    @property
    def chart(self) -> str:
        """What it is made of, in the tool's words."""

    def check(self) -> str:
        """The tool's version, after making sure that it can be used."""

    def pinned(self) -> str | None:
        """The digest of what versions are made of, `sha256:...`, where a registry has it; None where none does."""

    def status(self) -> HelmRelease | None:
        """What is installed, with the values that its users gave; None for nothing."""

    def effective_values(self) -> Mapping[str, Any]:
        """The values in force, defaults included."""

    def upgrade(self, values: Mapping[str, Any], *, write: int | None = None) -> HelmRelease:
        """Bring it to these values; `write` is the number by which the fence lets it."""

    def preview(self, values: Mapping[str, Any]) -> Preview:
        """What an upgrade would apply; touches nothing."""

    def found(self, manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """A rendered object as the cluster has it."""

    def applied(self, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the cluster would make of an object; touches nothing."""


class Workloads(Protocol):
    """The pods of a service's versions."""

    def readiness(self, version: str) -> Readiness:
        """How many replicas of a version are ready."""

    def shape(self, version: str) -> Shape | None:
        """What a version's pods are, and how many are asked for; None where it is not deployed."""

    def selector(self) -> Selector | None:
        """The pods that callers of the service are led to; None where that is not known."""

    def helm_revision(self, release: str) -> Revision | None:
        """The newest revision of a Helm release, finished or not."""

    def marks(self, release: str) -> list[Mark]:
        """What controllers that own the service's values have left on it."""

    def wait_ready(
        self, version: str, timeout_s: float, listener: Callable[[Readiness], None] = lambda _: None, *, least: int = 1
    ) -> float:
        """Wait until a version has so many replicas, all of them ready; seconds it took."""

    def wait_gone(self, version: str, timeout_s: float) -> float:
        """Wait until nothing of a version is left; seconds it took."""

    def at_least(self, version: str, count: int) -> bool:
        """Scale a version up that has fewer replicas; True when that was written."""

    def last_seen(self, version: str, lines: int) -> LastSeen:
        """The pods of a version with so many lines of each log, before they are gone; what can't be read is named."""

    def remove_forgotten(self, version: str, release: str) -> bool:
        """Remove what Helm made of a version and forgot; True when it was there."""
