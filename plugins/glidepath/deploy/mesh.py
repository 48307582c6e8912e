"""What charts render for the mesh: its kinds, the fields that a release is about, the values that say the weights.

The one module of `deploy` that names a mesh; for another one this is what has to be said anew.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from glidepath.kube import WORKLOAD_KINDS

API = "networking.istio.io/v1"
ROUTES, WAYS = "VirtualService", "DestinationRule"
# By kind as people say it: the API's path of it.
PATHS = {ROUTES: f"{API}/virtualservices", WAYS: f"{API}/destinationrules"}
# Where each has what a release is about.
SPLIT_FIELD, WAYS_FIELD = (ROUTES, ("spec", "http")), (WAYS, ("spec", "subsets"))
# What a release holds, and what leads callers to a service past its Service.
HELD_KINDS = (*WORKLOAD_KINDS, ROUTES, WAYS)
LEADING = ("Ingress", "HTTPRoute", "GRPCRoute", ROUTES, WAYS)
# The mesh's own container: what it logs is about callers, not about the version.
PROXY = "istio-proxy"
# What takes the canary out of the traffic, as `helm --set` has it.
NO_CANARY = "istio.trafficSplit.stable=100,istio.trafficSplit.canary=0"


def shares_of(values: Mapping[str, Any]) -> Mapping[str, int]:
    """Percent of the requests by role, as the charts' values have them."""
    shares: Mapping[str, int] = values["istio"]["trafficSplit"]
    return shares


def with_shares(values: Mapping[str, Any], shares: Mapping[str, int]) -> dict[str, Any]:
    """The charts' values with other shares."""
    new = copy.deepcopy(dict(values))
    new["istio"] = {**(new.get("istio") or {}), "trafficSplit": dict(shares)}
    return new


def ways_as_live(was: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The rendered subsets, each as it is live where it is there and leads to its version."""
    live = {way.get("name"): way for way in now if (way.get("labels") or {}).get("version") == way.get("name")}
    return [live.get(way.get("name"), way) for way in was]


def splits_alike(was: Any, now: Any) -> bool:
    """Whether every rendered entry of routes that is still there splits the traffic as rendered.

    An entry is known by what it matches; what else is there is somebody's own.
    """
    rendered = dict(_splits(was))
    return all(split == rendered[match] for match, split in _splits(now) if match in rendered)


def _splits(http: Any) -> Iterator[tuple[str, dict[tuple[str, str], int]]]:
    """For each entry with destinations: what it matches, and who gets how much. Who gets nothing is left out."""
    for entry in http or []:
        if route := entry.get("route") or []:
            shares = {
                _way(destination): int(destination.get("weight") or (100 if len(route) == 1 else 0))
                for destination in route
            }
            match = json.dumps(entry.get("match") or [], sort_keys=True)
            yield match, {way: share for way, share in shares.items() if share}


def _way(destination: Mapping[str, Any]) -> tuple[str, str]:
    to = destination.get("destination") or {}
    return str(to.get("host") or ""), str(to.get("subset") or "")
