"""Where a brake leads, and in which forms it can be written."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from glidepath.traffic.entries import Hosts
from glidepath.traffic.routes import Http, is_without, ways_back, without_below
from glidepath.traffic.routing import BELOW, EVERYWHERE, Routing
from glidepath.traffic.split import Split

Spec = Mapping[str, Any]


@dataclass(frozen=True)
class WayBack:
    """Where a brake leads.

    Attributes:
        split: What the weighted entries get: all traffic on the safe version.
        versions: Those that get no request any more by another entry.
        found: The VirtualService as the claim found it; None where nobody knows.
    """

    split: Split
    versions: Collection[str]
    found: Routing | None = None

    @property
    def before(self) -> Http:
        """The routes as the claim found them."""
        return [dict(entry) for entry in self.found.http] if self.found else []

    def reached(self, spec: Spec, hosts: Hosts) -> bool:
        """Whether a VirtualService leads there already."""
        http: Http = spec.get("http") or []
        without = is_without(http, self.split.stable, self.versions, self.before, hosts)
        return bool(http) and without and not self.moved(spec, hosts)

    def forms(self, spec: Spec, hosts: Hosts) -> list[dict[str, Any]]:
        """What may be written over a VirtualService's spec, the gentlest form first."""
        http: Http = spec.get("http") or self.before
        ways = ways_back(http, self.split, self.versions, self.before, hosts)
        return [{"http": routes, **self.moved(spec, hosts)} for routes in ways]

    def anew(self, hosts: Hosts) -> dict[str, Any]:
        """The spec of a VirtualService that is gone."""
        below = self.found.below if self.found else {}
        return {**{kind: list(entries) for kind, entries in below.items()}, **self.forms({}, hosts)[0]}

    def moved(self, spec: Spec, hosts: Hosts) -> dict[str, Any]:
        """What else has to be put back: hosts and gateways, without which the routes do nothing, and other ways to pods."""
        moved: dict[str, Any] = {}
        for kind in BELOW:
            now, before = list(spec.get(kind) or []), self.found.below.get(kind, ()) if self.found else ()
            right = without_below(now, self.split.stable, self.versions, before, hosts)
            moved |= {kind: right} if right != now else {}
        if self.found is None:
            return moved
        was = {"hosts": list(self.found.hosts), "gateways": list(self.found.gateways)}
        if self.found.exported is not None and list(spec.get("exportTo") or EVERYWHERE) != list(
            self.found.exported or EVERYWHERE
        ):
            was["exportTo"] = list(self.found.exported or EVERYWHERE)
        return moved | {key: value for key, value in was.items() if value and list(spec.get(key) or []) != value}
