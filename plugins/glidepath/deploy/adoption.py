"""The way of a service from plain Helm to a Helm release per version, and back, without a failed request.

The Helm release of the service becomes that of the routes: its Service stays the very object with its address. Pods of before
and of the version are both the Service's for a while, and only the routes lead from the ones to the others: callers check
who answers (the mesh's identities), and fail where pods get requests before all callers know them. Each act waits until the
one before is known, and does nothing when it is done already, so that whoever was cut off is followed by the same command.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from glidepath.deploy import values as chart
from glidepath.deploy.adoptable import named, serving, without
from glidepath.deploy.adopting import Beside
from glidepath.deploy.adoption_plan import BEFORE, AdoptionPlan
from glidepath.deploy.manifests import Object
from glidepath.deploy.mesh import API, ROUTES, WAYS, shares_of, with_shares
from glidepath.errors import NotReadyError
from glidepath.policy.versions import Image


class Adoption(AdoptionPlan):
    """One service: each act is done once."""

    def forth(self, version: str, image: Image) -> None:
        """Make the service one whose versions are each a Helm release; this version is the stable one.

        Raises:
            PreflightError: It can't be adopted: names all that keeps it from it. Nothing was touched.
            NotReadyError: Its new pods were not ready in time; callers still have the old ones.
        """
        values, service = self._there(version), self.mapped.service
        if not values.get("roles"):
            values = self._begun(version, image)
        _, canary = chart.roles(values)
        if "selector" in values["service"]:
            self._there_again(values)
            self._wait_known("the routes")
            values = self._to(without(values, "service.selector"), f"{service}: has the pods of {version} as well")
        if canary == BEFORE:
            self._led_to(self.mapped.workload(version), version)
            values = self._to(_split(values, version, 0), f"{service}: {version} has all requests")
            self._wait_known(f"that {version} has them")
            self._to(_split(values, version, None), f"{service}: {version} is the stable version")
        self._remains()

    def back(self) -> None:
        """Make it one Helm release of its chart again, of the version that is stable.

        Raises:
            PreflightError: It is no such service, or a canary is there. Nothing was touched.
            NotReadyError: Its new pods were not ready in time; callers still have those of the version.
        """
        service = self.mapped.service
        if routes := self._way_back():
            self._unrouted(routes)
        for manifest in self._beside_the_service(self.plain.deployed().objects):
            self.live.keep_on_upgrade(manifest, False)
        self.say(f"{service}: is Helm's release {self.plain.release} of its chart again")
        for version in sorted(self.versions.there()):
            self.versions.remove(version)

    def _unrouted(self, now: dict[str, Any]) -> None:
        """Have the Service lead to pods of plain Helm; `now` are the routes' values."""
        service, (stable, canary) = self.mapped.service, chart.roles(now)
        values, workload, rendered = self._plainly(now)
        name = str(workload["metadata"]["name"])
        if canary is None or shares_of(now)["canary"] != 100:
            for manifest in self._beside_the_service(rendered):
                self.live.put(manifest)
            self._wait_ready(workload)
            self.live.label_pods(_selected(workload), {"app": service, "version": BEFORE})
            self._led_to(name, BEFORE)
            now = self._routed(_split(now, stable, 100), f"{service}: {name} has all requests")
        if "selector" not in now["service"]:
            self._wait_known(f"that {name} has them")
            selector = (named(rendered, "Service", service) or {})["spec"]["selector"]
            now["service"] = {**now["service"], "selector": selector}
            self._to(now, f"{service}: has the pods of {name} only")
        # A route to a version whose way is gone would fail.
        for kind in (ROUTES, WAYS):
            self._wait_known(f"what {service} has")
            self.live.delete({"apiVersion": API, "kind": kind, "metadata": {"name": service}})
        self.plain.upgrade(values)

    def _begun(self, version: str, image: Image) -> dict[str, Any]:
        """Install the version, and have routes lead to what was there before. Returns the routes' values."""
        values, before = self._fitting(version, image)
        service, now = self.mapped.service, self.routes.deployed().objects
        count = _replicas(before[0], self.live) if before else 1
        self.say(f"{self.mapped.workload(version)}: installed beside what runs, {count} replicas, no way leads to it")
        self.versions.install(chart.with_replicas(values, version, count), anew=True)
        self.workloads.wait_ready(version, self.timeout_s, lambda now: self.say(f"{now.version}: {now.why}"))
        if not before:
            return self._to(values, f"{service}: leads to {version}")
        for manifest in self._beside_the_service(now):
            self.live.keep_on_upgrade(manifest)
        self.live.label_pods(_selected(before[0]), {"app": service, "version": BEFORE})
        own = named(now, "Service", service) or {}
        values["service"] = {**values["service"], "selector": own["spec"]["selector"]}
        return self._routed(_split(values, version, 100), f"{service}: is led to what was there before, by routes")

    def _routed(self, values: dict[str, Any], fact: str) -> dict[str, Any]:
        """Bring the routes to values that may have a new way. Callers must know a way before a route leads there."""
        rule = named(self.routes.preview(values).objects, WAYS, self.mapped.service)
        if rule is not None:
            self.live.put(rule)
        self._wait_known("the ways to versions")
        return self._to(values, fact)

    def _there_again(self, values: Mapping[str, Any]) -> None:
        """Write the routes that the way back had deleted; Helm takes them for there."""
        for manifest in self.routes.preview(values).objects:
            if manifest["kind"] in (ROUTES, WAYS) and self.live.find(manifest) is None:
                self.live.put(manifest)
                self._wait_known(f"the {manifest['kind']}")

    def _to(self, values: dict[str, Any], fact: str) -> dict[str, Any]:
        self.routes.upgrade(values)
        self.say(fact)
        return values

    def _beside_the_service(self, objects: Sequence[Object]) -> list[Object]:
        its = ("Service", self.mapped.service)
        return [manifest for manifest in objects if (manifest["kind"], manifest["metadata"]["name"]) != its]

    def _remains(self) -> None:
        """Remove what plain Helm had made and forgot since."""
        before = next((made for made in self.routes.earlier() if serving(self.mapped.service, made)), [])
        gone = [manifest for manifest in self._beside_the_service(before) if self.live.delete_made(manifest)]
        for manifest in gone:
            self.say(f"{manifest['kind']} {manifest['metadata']['name']}: removed, it was there before the adoption")

    def _led_to(self, workload: str, version: str) -> None:
        """Wait until pods of this workload, which are called by a version, are the Service's, and every caller knows.

        Raises:
            NotReadyError: They are not after the time-out.
        """
        until = time.monotonic() + self.timeout_s
        ours, pods = {"app": self.mapped.service, "version": version}, self.live.endpoints(self.mapped.service)
        while not pods & self.live.pods(ours):
            if time.monotonic() > until:
                raise NotReadyError(
                    f"Service {self.mapped.service} has the pods {', '.join(sorted(pods)) or 'of nobody'} after {self.timeout_s:.0f} s, "
                    f"expected some of {workload}"
                )
            time.sleep(1)
            pods = self.live.endpoints(self.mapped.service)
        self._wait_known(f"the pods of {workload}")

    def _wait_known(self, what: str) -> None:
        self.say(f"{self.drain_s:.0f} s until every caller knows {what}")
        time.sleep(self.drain_s)

    def _wait_ready(self, workload: Object) -> None:
        until = time.monotonic() + self.timeout_s
        while True:
            live = self.live.find(workload) or {}
            wanted, status = int((live.get("spec") or {}).get("replicas") or 0), live.get("status") or {}
            if 0 < wanted <= min(int(status.get("updatedReplicas") or 0), int(status.get("availableReplicas") or 0)):
                return
            if time.monotonic() > until:
                raise NotReadyError(
                    f"{workload['kind']} {workload['metadata']['name']} has {status.get('availableReplicas', 0)} of {wanted} replicas "
                    f"ready after {self.timeout_s:.0f} s, expected all"
                )
            time.sleep(1)


def _replicas(workload: Object, live: Beside) -> int:
    found: Mapping[str, Any] = live.find(workload) or workload
    return max(1, int(found["spec"].get("replicas") or 1))


def _selected(workload: Object) -> Mapping[str, str]:
    """The labels by which a workload knows its pods."""
    return dict(workload["spec"]["selector"]["matchLabels"])


def _split(values: Mapping[str, Any], version: str, before: int | None) -> dict[str, Any]:
    """The routes' values with so many percent for what was there before; None: it has no route."""
    weight = before or 0
    shared = with_shares(values, {"stable": 100 - weight, "canary": weight})
    return shared | {"roles": {"stable": version, "canary": "" if before is None else BEFORE}}
