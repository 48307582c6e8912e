"""Other VirtualServices that meet a service's own: those that win over it, and those that lead to its versions.

Of several for one host Istio goes by the oldest, and the others route nothing. One for another host, or that ours
delegates to, leads its own callers wherever it says, whatever the weights of ours are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glidepath.traffic.entries import EVERY_VERSION, Hosts, host_of, mirrors, served, version_of
from glidepath.traffic.routing import BELOW

Found = Mapping[str, Any]
MESH = "mesh"


@dataclass(frozen=True)
class Others:
    """Other VirtualServices that meet a service's own, for people.

    Attributes:
        winning: Those that Istio goes by instead of it.
        leading: By name, those that lead callers or copies of requests to certain versions of the service, and to which.
    """

    winning: Sequence[str]
    leading: Mapping[str, str]


def others_of(service: str, all_routes: Sequence[Found], namespace: str, versions: Collection[str]) -> Others:
    """What others there are; none where the service has no VirtualService.

    Args:
        service: The service, and the name of its VirtualService.
        all_routes: All VirtualServices that may meet it, that one included.
        namespace: Its namespace.
        versions: The versions that nobody else may lead to; a destination without a subset leads to all.
    """
    own = next((routes for routes in all_routes if name_of(routes, namespace) == (namespace, service)), None)
    if own is None:
        return Others((), {})
    hosts, gateways = _hosts(own, service, namespace), _gateways(own, namespace)
    winning = [
        f"VirtualService {'/'.join(name_of(other, namespace))} of {other['metadata'].get('creationTimestamp')} "
        f"(for {', '.join(sorted(shared))})"
        for other in all_routes
        if age(other, namespace) < age(own, namespace)
        and (shared := hosts & _hosts(other, service, namespace))
        and gateways & _gateways(other, namespace)
    ]
    leading = {
        "/".join(name_of(other, namespace)): ", ".join(
            version or "the pods of every version" for version in sorted(led)
        )
        for other in all_routes
        if other is not own and (led := _led(other, service, namespace) & {*versions, EVERY_VERSION})
    }
    return Others(winning, leading)


def _led(live: Found, service: str, namespace: str) -> set[str]:
    """The versions of the service that one leads to, or mirrors to, by their subsets."""
    entries = [entry for kind in ("http", *BELOW) for entry in live["spec"].get(kind) or []]
    ways = [destination for entry in entries for destination in (*served(entry), *mirrors(entry))]
    ours, home = Hosts(service, namespace), name_of(live, namespace)[0]
    return {version_of(destination) for destination in ways if _full(host_of(destination), home) in ours}


def name_of(live: Found, namespace: str) -> tuple[str, str]:
    """An object's namespace, which lists of one namespace may leave out, and its name."""
    metadata = live["metadata"]
    return str(metadata.get("namespace") or namespace), str(metadata["name"])


def age(live: Found, namespace: str) -> tuple[str, str, str]:
    """What Istio sorts by: the time in whole seconds, then the name, then the namespace."""
    home, name = name_of(live, namespace)
    return str(live["metadata"].get("creationTimestamp") or ""), name, home


def _hosts(live: Found, service: str, namespace: str) -> set[str]:
    """Its hosts; a name without dots is a service of its own namespace."""
    home = name_of(live, namespace)[0]
    ours = Hosts(service, namespace)

    def called(host: str) -> str:
        full = _full(host, home)
        return f"{service}.{namespace}" if full in ours else full

    return {called(str(host)) for host in live["spec"].get("hosts") or []}


def _full(host: str, home: str) -> str:
    return host if "." in host else f"{host}.{home}"


def _gateways(live: Found, namespace: str) -> set[str]:
    home = name_of(live, namespace)[0]
    named = [str(gateway) for gateway in live["spec"].get("gateways") or [MESH]]
    return {gateway if gateway == MESH or "/" in gateway else f"{home}/{gateway}" for gateway in named}
