"""A Helm release per version, of a chart that knows nothing of Glidepath; and one of the routes, which says who has which role.

To a release this is one thing with values, as a chart that knows Glidepath is: those of the routes. Bringing it to other
values is three acts, each of which does nothing when it is done already: the versions that have a role are there, the routes
are as the values say, the versions that have none are gone. Whoever is cut off in between is followed by somebody who asks
for the same, or for the way back.

A version that is stable is left alone, with the values that it was released with: only its own release, by a person, changes
what has all requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from glidepath.deploy import values as chart
from glidepath.deploy.added import Field, labelled, marked, with_fields
from glidepath.deploy.fits import fits
from glidepath.deploy.live import MADE_BY
from glidepath.deploy.manifests import Object
from glidepath.deploy.mapped import Mapped
from glidepath.deploy.overlay import Laid
from glidepath.deploy.port import Deploy
from glidepath.deploy.release import HelmRelease, Preview
from glidepath.errors import HelmError, PreflightError, SetupError
from glidepath.fence.marks import state_of, token_of
from glidepath.kube import HELD, WORKLOAD_KINDS

# A canary, or a baseline, of which nobody has said how many.
REPLICAS = 1


class Installed(Deploy, Protocol):
    """One Helm release; `Helm` says more."""

    def upgrade(
        self, values: Mapping[str, Any], *, write: int | None = None, added: Sequence[Field] = ()
    ) -> HelmRelease:
        """Bring it to these values, with fields beside what the chart renders."""

    def preview(self, values: Mapping[str, Any], added: Sequence[Field] = ()) -> Preview:
        """What an upgrade would apply."""

    def deployed(self) -> Preview:
        """What is deployed, and what of it is its owners' by now."""

    def keep(self, manifest: Mapping[str, Any], fields: Sequence[Field]) -> None:
        """Own fields of an object beside Helm."""

    def uninstall(self) -> None:
        """Remove it with all that it made; nothing is done where there is none."""


class HelmPerVersion:
    """See `Deploy`.

    Args:
        mapped: The service's values in its chart's own words.
        routes: The Helm release of the routes.
        of: The Helm release of a version, installed or not.
        there: The versions that have a Helm release.
    """

    def __init__(
        self, mapped: Mapped, routes: Installed, of: Callable[[str], Installed], there: Callable[[], frozenset[str]]
    ) -> None:
        self._mapped, self._routes, self._of, self._there = mapped, routes, of, there

    @property
    def release(self) -> str:
        """The Helm release of the routes."""
        return self._routes.release

    @property
    def chart(self) -> str:
        """The chart of the routes."""
        return self._routes.chart

    def pinned(self) -> str | None:
        """See `Deploy.pinned`; of the versions' chart."""
        return self._of("any").pinned()

    def check(self) -> str:
        """See `Deploy.check`; both charts are looked for."""
        self._of("any").check()
        return self._routes.check()

    def status(self) -> HelmRelease | None:
        """See `Deploy.status`."""
        return self._routes.status()

    def effective_values(self) -> Mapping[str, Any]:
        """See `Deploy.effective_values`; how many replicas stable has is what its own release says."""
        values = dict(self._routes.effective_values())
        stable, _ = chart.roles(values)
        replicas = self._mapped.replicas(self._of(stable).effective_values()) if stable in self._there() else None
        return chart.without_replicas(values, stable) | {
            "replicas": {"stable": REPLICAS if replicas is None else replicas, "canary": REPLICAS},
            "autoscaling": {"external": self._mapped.paths.replicas is None},
        }

    def upgrade(self, values: Mapping[str, Any], *, write: int | None = None) -> HelmRelease:
        """See `Deploy.upgrade`; what was left to its owners is that of all Helm releases.

        Raises:
            SetupError: The stable version has no Helm release of its own, and a release is under way.
            HelmError: Helm refused.
        """
        there = self._there()
        if write is not None:
            self._adopted(values, there)
        laid = self.install(values, write)
        done = self._routes.upgrade(values, write=write)
        for version in sorted(there - set(versions(values))):
            self._removable(values, version)
            self._of(version).uninstall()
        return replace(done, laid=(*laid, *done.laid))

    def install(self, values: Mapping[str, Any], write: int | None = None, anew: bool = False) -> tuple[Laid, ...]:
        """Install the versions that have a role; no route leads to them yet. Returns what was left to its owners.

        Args:
            values: Those of the routes.
            write: As for `upgrade`.
            anew: Whether a stable version that is there is brought to what the policy says, too: no way leads to it.

        Raises:
            HelmError: Helm refused.
        """
        laid: list[Laid] = []
        for version, own in self._wanted(values, frozenset() if anew else self._there()).items():
            done = self._of(version).upgrade(own, write=write, added=self._added(values, version))
            for kind in WORKLOAD_KINDS:
                self._routes.keep(self._called(kind, version), self._labels(version))
            laid += done.laid
        return tuple(laid)

    def preview(self, values: Mapping[str, Any]) -> Preview:
        """See `Deploy.preview`; of the stable version it is what is deployed.

        Raises:
            PreflightError: The chart does not make what a version needs to be.
        """
        there = self._there()
        try:
            self._adopted(values, there)
        except SetupError as error:
            raise PreflightError(f"{error}; nothing was touched") from error
        parts = [self._kept(values, version) for version in versions(values)[:1] if version in there]
        for version, own in self._wanted(values, there).items():
            self._free(version, there)
            seen = self._of(version).preview(own, self._added(values, version))
            fits(self._mapped, values, version, seen.objects)
            parts.append(seen)
        parts.append(self._routes.preview(values))
        return Preview(
            [manifest for part in parts for manifest in part.objects], [hook for part in parts for hook in part.hooks],
            tuple(field for part in parts for field in part.laid), tuple(path for part in parts for path in part.random),
        )  # fmt: skip

    def _kept(self, values: Mapping[str, Any], version: str) -> Preview:
        """What is deployed of a version, with the token that it carries by now."""
        seen = self._of(version).deployed()
        return replace(seen, objects=with_fields(seen.objects, self._added(values, version)))

    def rendered(self, values: Mapping[str, Any]) -> Sequence[Object]:
        """What the chart would make of the versions, were all of them installed; touches nothing.

        Raises:
            PreflightError: The chart does not make what a version needs to be.
        """
        manifests: list[Object] = []
        there = self._there()
        for version, own in self._wanted(values, frozenset()).items():
            self._free(version, there)
            seen = self._of(version).preview(own, self._added(values, version)).objects
            fits(self._mapped, values, version, seen)
            manifests += seen
        return manifests

    def values_of(self, version: str) -> Mapping[str, Any]:
        """The values that a version was released with."""
        status = self._of(version).status()
        return status.values if status else {}

    def there(self) -> frozenset[str]:
        """The versions that have a Helm release."""
        return self._there()

    def remove(self, version: str) -> None:
        """Remove a version to which no way leads."""
        self._of(version).uninstall()

    def found(self, manifest: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """See `Deploy.found`."""
        return self._routes.found(manifest)

    def applied(self, manifest: Mapping[str, Any]) -> Mapping[str, Any]:
        """See `Deploy.applied`; as the Helm release that made it."""
        live = self.found(manifest)
        made_by = ((live or {}).get("metadata", {}).get("annotations") or {}).get(MADE_BY)
        owner = next((release for release in map(self._of, self._there()) if release.release == made_by), self._routes)
        return owner.applied(manifest)

    def _wanted(self, values: Mapping[str, Any], there: frozenset[str]) -> dict[str, dict[str, Any]]:
        """The values of each version that is to be brought to some: not of a stable one that is there."""
        stable, *others = versions(values)
        wanted = {}
        for version in others if stable in there else [stable, *others]:
            replicas = ((values.get("versions") or {}).get(version) or {}).get("replicas") or REPLICAS
            if version == values["roles"].get("baseline"):
                like = self._of(stable).status()
                wanted[version] = self._mapped.named(like.values if like else {}, version, replicas)
            else:
                wanted[version] = self._mapped.released(version, chart.image_of(values, version), replicas)
        return wanted

    def _called(self, kind: str, version: str) -> Object:
        return {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": self._mapped.workload(version)}}

    def _labels(self, version: str) -> list[Field]:
        return labelled(self._mapped.workload(version), self._mapped.service, version)

    def _added(self, values: Mapping[str, Any], version: str) -> list[Field]:
        token = str((values.get("release") or {}).get("token") or "")
        return [*self._labels(version), *(marked(self._mapped.workload(version), token) if token else [])]

    def _free(self, version: str, there: frozenset[str]) -> None:
        """Make sure that a version's Helm release is not somebody else's: it would be overwritten, and removed with the version.

        Raises:
            PreflightError: It is: of another service, whose name this one's begins, or installed by hand.
        """
        own = self._of(version)
        if version not in there and own.status() is not None:
            raise PreflightError(
                f"Helm's release {own.release} is there already, and is none that Glidepath made for {self._mapped.service}: expected "
                f"the name to be free for version {version}; uninstall it, or give the version another name; nothing was touched"
            )

    def _adopted(self, values: Mapping[str, Any], there: frozenset[str]) -> None:
        """Make sure that the stable version is not installed anew.

        Raises:
            SetupError: It would be.
        """
        stable, *_ = versions(values)
        if stable not in there and self.status() is not None:
            raise SetupError(
                f"the stable version {stable} of {self._mapped.service} has no Helm release of its own that Glidepath made; "
                "expected one by `glidepath adopt`"
            )

    def _removable(self, values: Mapping[str, Any], version: str) -> None:
        """Make sure that a version is no release's before Helm removes what is around its pods.

        Raises:
            HelmError: It is held, or a later release has had it.
        """
        name, ours = self._mapped.workload(version), int((values.get("release") or {}).get("token") or 0)
        for kind in WORKLOAD_KINDS:
            live = self.found(self._called(kind, version))
            if live is not None and (state_of(live) == HELD or (ours and token_of(live) > ours)):
                raise HelmError(f"{kind} {name} is a release's, with token {token_of(live)}: its Helm release stays")


def versions(values: Mapping[str, Any]) -> list[str]:
    """The versions that have a role, the stable one first."""
    roles = values["roles"]
    return [str(version) for version in (roles["stable"], roles.get("canary"), roles.get("baseline")) if version]
