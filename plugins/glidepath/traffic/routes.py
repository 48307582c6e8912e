"""The routes of a VirtualService: which split they say, how one is put into them, and who owns them beside Glidepath."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from glidepath.errors import TrafficDriftError
from glidepath.kube import FIELD_MANAGER
from glidepath.traffic.split import Split


def split_of(http: Sequence[Mapping[str, Any]], name: str) -> Split:
    """The split that all routes agree on.

    Args:
        http: `spec.http` of the VirtualService.
        name: What the VirtualService is called in an error.

    Raises:
        TrafficDriftError: There is none, they differ, or one is no split between versions.
    """
    if not http:
        raise TrafficDriftError(f"{name} has no spec.http, expected a route to the service's subsets")
    splits = {_one(route.get("route") or [], name) for route in http}
    if len(splits) != 1:
        raise TrafficDriftError(f"{name} splits its routes differently: {', '.join(map(str, splits))}")
    return splits.pop()


def _one(route: Sequence[Mapping[str, Any]], name: str) -> Split:
    subsets = [str((entry.get("destination") or {}).get("subset") or "") for entry in route]
    weights = [int(entry.get("weight", 100 if len(route) == 1 else 0)) for entry in route]
    fits = all(subsets) and len(route) in (1, 2, 3) and sum(weights) in (0, 100)
    if not fits or (len(route) == 3 and (weights[1] != weights[2] or not weights[1])):
        raise TrafficDriftError(
            f"{name} routes to {subsets} with {weights}, expected one or two subsets, or a third with as much as "
            "the second, and weights that sum to 100"
        )
    if len(route) == 1:
        return Split(subsets[0], None, 0)
    return Split(subsets[0], subsets[1], weights[1], *subsets[2:])


def with_split(http: Sequence[Mapping[str, Any]], split: Split, service: str) -> list[dict[str, Any]]:
    """The routes with this split; all else (matches, time-outs, retries) as it was.

    Args:
        http: The routes as they are; `[{}]` where there are none.
        split: The split.
        service: The host of a route that names none.
    """
    changed: list[dict[str, Any]] = [copy.deepcopy(dict(route)) for route in http]
    for route in changed:
        destination = ((route.get("route") or [{}])[0]).get("destination") or {"host": service}
        route["route"] = [
            {"destination": {**destination, "subset": version}, "weight": weight}
            for version, weight in split.weights.items()
        ]
    return changed


def unshared(found: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """The routes of a VirtualService, if nobody beside Glidepath owns them."""
    managed = found["metadata"].get("managedFields") or []
    shared = any(_owns_routes(entry) for entry in managed if entry.get("manager") != FIELD_MANAGER)
    return None if shared else found["spec"]["http"]


def _owns_routes(entry: Mapping[str, Any]) -> bool:
    return "f:http" in ((entry.get("fieldsV1") or {}).get("f:spec") or {})
