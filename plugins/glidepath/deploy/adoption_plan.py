"""What an adoption, or the way back, would do: it is examined before anything is touched, and told with --dry-run. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glidepath.deploy import values as chart
from glidepath.deploy.adoptable import differing, hindrances, images, named, ports, serving
from glidepath.deploy.adopting import Beside, OneRelease, Ready, VersionReleases
from glidepath.deploy.manifests import Object, workloads_named
from glidepath.deploy.mapped import Mapped, with_value
from glidepath.deploy.mesh import with_shares
from glidepath.errors import PreflightError
from glidepath.policy.versions import Image

Say = Callable[[str], None]
# What pods of plain Helm are called while routes lead to them.
BEFORE = "before"


@dataclass(frozen=True)
class AdoptionPlan:
    """One service.

    Attributes:
        mapped: Its values in its chart's own words.
        versions: The service as a Helm release per version.
        routes: The Helm release that is, or becomes, that of the routes.
        plain: The same Helm release, of the service's chart.
        live: What the cluster has, as that Helm release.
        workloads: The pods of its versions.
        timeout_s: How long pods may take to be ready, seconds.
        drain_s: How long what has no more traffic stays, seconds: until every caller knows.
        say: Where facts go.
    """

    mapped: Mapped
    versions: VersionReleases
    routes: OneRelease
    plain: OneRelease
    live: Beside
    workloads: Ready
    timeout_s: float
    drain_s: float
    say: Say

    def forth_would(self, version: str, image: Image) -> str:
        """What `forth` would do, in words. Touches nothing.

        Raises:
            PreflightError: As for `forth`.
        """
        service, values = self.mapped.service, self._there(version)
        if values.get("roles"):
            done = "selector" not in values["service"] and chart.roles(values)[1] is None
            return (
                f"{service}: is adopted as {version} already"
                if done
                else f"{service}: its adoption as {version} would go on"
            )
        _, before = self._fitting(version, image)
        what = self.mapped.workload(version)
        if not before:
            return f"{service}: {what} would be installed, and {service} lead there"
        name = before[0]["metadata"]["name"]
        return f"{service}: {what} would be installed beside {name}, get all requests, and {name} go"

    def back_would(self) -> str:
        """What `back` would do, in words. Touches nothing.

        Raises:
            PreflightError: As for `back`.
        """
        if routes := self._way_back():
            _, workload, _ = self._plainly(routes)
            name = workload["metadata"]["name"]
            return f"{self.mapped.service}: {name} would be installed, get all requests, and the pods of {chart.roles(routes)[0]} go"
        return f"{self.mapped.service}: its way back would go on; {', '.join(sorted(self.versions.there()))} would go"

    def _there(self, version: str) -> dict[str, Any]:
        """The routes' values, with roles if an adoption as this version has begun.

        Raises:
            PreflightError: Another version is there.
        """
        if version == BEFORE:
            raise PreflightError(
                f"a version {BEFORE!r} can't be adopted: so its pods of before are called; nothing was touched"
            )
        status = self.routes.status()
        values = dict(status.values) if status else {}
        if values.get("roles"):
            stable, canary = chart.roles(values)
            if stable != version or canary not in (None, BEFORE):
                also = f" and {canary}" if canary else ""
                raise PreflightError(
                    f"{self.mapped.service} is adopted already, with the stable version {stable}{also}"
                )
        return values

    def _way_back(self) -> dict[str, Any]:
        """The values of the routes that a way back removes; empty where it did.

        Raises:
            PreflightError: There is nothing of Glidepath's.
        """
        there = self.versions.status()
        if there is not None and there.values.get("roles"):
            return dict(there.values)
        if not self.versions.there():
            raise PreflightError(
                f"{self.mapped.service} has no version that Glidepath made; expected a service that was adopted"
            )
        return {}

    def _plainly(self, now: Mapping[str, Any]) -> tuple[Mapping[str, Any], Object, Sequence[Object]]:
        """What plain Helm would make: the values, the Deployment, all objects.

        Raises:
            PreflightError: The service can't go back.
        """
        service, (stable, canary) = self.mapped.service, chart.roles(now)
        if canary not in (None, BEFORE):
            raise PreflightError(f"{service} has the canary {canary}; expected no release under way")
        values = with_value(self.versions.values_of(stable), self.mapped.paths.name, service)
        rendered = self.plain.preview(values).objects
        if problems := list(hindrances(service, rendered)):
            raise PreflightError(f"{service} can't go back: {'; '.join(problems)}; nothing was touched")
        [workload] = serving(service, rendered)
        return values, workload, rendered

    def _fitting(self, version: str, image: Image) -> tuple[dict[str, Any], Sequence[Object]]:
        """The values of the routes to begin with, and the Deployment that runs, if one does.

        Raises:
            PreflightError: It can't be adopted.
        """
        service, now = self.mapped.service, self.routes.deployed().objects
        values = chart.with_image({"roles": {"stable": version, "canary": ""}}, version, image)
        made = self.versions.rendered(values)
        own = named(now, "Service", service) or named(made, "Service", self.mapped.workload(version))
        self._adoptable(version, now, made, own)
        values |= {"service": {"name": service, "ports": ports(own or {})}}
        return with_shares(values, {"stable": 100, "canary": 0}), serving(service, now)

    def _adoptable(self, version: str, now: Sequence[Object], made: Sequence[Object], own: Object | None) -> None:
        """Make sure that what runs can be adopted, and what is to be is what runs.

        Raises:
            PreflightError: Names all that is in the way.
        """
        service, problems = self.mapped.service, []
        name = self.mapped.workload(version)
        new = next(iter(workloads_named(made, name)), {})
        if missing := self._unfenced(str(new.get("kind"))):
            problems.append(
                f"{missing}: helm upgrade --install glidepath include/charts/glidepath -n "
                f"{self.live.namespace} --set 'services[0].name={service},services[0].perVersion=true'"
            )
        if own is None:
            problems.append(f"the chart makes no Service {name}, of which to take the ports")
        if now and (status := self.routes.status()):
            problems += [*hindrances(service, now), *differing(self.mapped, status.values)]
            for workload in serving(service, now)[:1]:
                if images(workload) != images(new):
                    problems.append(f"{', '.join(images(workload))} runs, {', '.join(images(new))} would be adopted")
        if problems:
            raise PreflightError(f"{service} can't be adopted as {version}: {'; '.join(problems)}; nothing was touched")

    def _unfenced(self, kind: str) -> str:
        """What its fence lacks for a version of this kind; empty for nothing."""
        name = f"glidepath-{self.live.namespace}-{self.mapped.service}"
        fence = {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy"}
        policy = self.live.find({**fence, "metadata": {"name": name}})
        if policy is None:
            return "its fence is not there"
        rules = ((policy.get("spec") or {}).get("matchConstraints") or {}).get("resourceRules") or []
        fenced = {resource for rule in rules for resource in rule.get("resources") or []}
        return "" if f"{kind.lower()}s" in fenced else f"its fence, of an earlier Glidepath, keeps nobody from a {kind}"
