"""Other VirtualServices for the same hosts: of several, Istio goes by the oldest, and the others route nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from glidepath.traffic.entries import Hosts

Found = Mapping[str, Any]
MESH = "mesh"


def rivals_of(service: str, found: Sequence[Found], namespace: str) -> list[str]:
    """The VirtualServices that win over a service's own, for people; none where it has none.

    Args:
        service: The service, and the name of its VirtualService.
        found: All VirtualServices that may meet it, that one included.
        namespace: Its namespace.
    """
    own = next((one for one in found if _name(one, namespace) == (namespace, service)), None)
    if own is None:
        return []
    hosts, gateways = _hosts(own, service, namespace), _gateways(own, namespace)
    return [
        f"VirtualService {'/'.join(_name(one, namespace))} of {one['metadata'].get('creationTimestamp')} "
        f"(for {', '.join(sorted(shared))})"
        for one in found
        if _age(one, namespace) < _age(own, namespace)
        and (shared := hosts & _hosts(one, service, namespace))
        and gateways & _gateways(one, namespace)
    ]


def _name(found: Found, namespace: str) -> tuple[str, str]:
    metadata = found["metadata"]
    return str(metadata.get("namespace") or namespace), str(metadata["name"])


def _age(found: Found, namespace: str) -> tuple[str, str, str]:
    """What Istio sorts by: the time in whole seconds, then the name, then the namespace."""
    home, name = _name(found, namespace)
    return str(found["metadata"].get("creationTimestamp") or ""), name, home


def _hosts(found: Found, service: str, namespace: str) -> set[str]:
    """Its hosts; a name without dots is a service of its own namespace."""
    home = _name(found, namespace)[0]
    ours = Hosts(service, namespace)

    def called(host: str) -> str:
        full = host if "." in host else f"{host}.{home}"
        return f"{service}.{namespace}" if full in ours else full

    return {called(str(host)) for host in found["spec"].get("hosts") or []}


def _gateways(found: Found, namespace: str) -> set[str]:
    home = _name(found, namespace)[0]
    named = [str(one) for one in found["spec"].get("gateways") or [MESH]]
    return {one if one == MESH or "/" in one else f"{home}/{one}" for one in named}
