"""The routes of a VirtualService: which split they say, how one is put into them, and how a version is got out of them."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from glidepath.errors import NoWeightedRouteError, TrafficDriftError
from glidepath.traffic.entries import (
    EVERY_VERSION,
    Entry,
    Hosts,
    acts,
    destinations,
    host_of,
    is_weighted,
    left_alone,
    mirrors,
    named,
    served,
    version_of,
    weights_of,
)
from glidepath.traffic.split import Split

Http = list[dict[str, Any]]


def split_of(http: Sequence[Entry], name: str, hosts: Hosts) -> Split:
    """The split that all weighted entries agree on.

    Args:
        http: `spec.http` of the VirtualService.
        name: What the VirtualService is called in an error.
        hosts: The service's own names.

    Raises:
        NoWeightedRouteError: There is none.
        TrafficDriftError: They differ, or one is no split between versions.
    """
    if not http:
        raise TrafficDriftError(f"{name} has no spec.http, expected a route to the service's subsets")
    weighted = [(number, entry) for number, entry in enumerate(http, 1) if is_weighted(entry, hosts)]
    if not weighted:
        raise NoWeightedRouteError(
            f"{name} routes to [] by weights: it has {'; '.join(left_alone(http, hosts))}; expected an entry all of whose "
            f"destinations are subsets of {hosts.service}, that is not for some callers only"
        )
    splits = {_split(entry, name, number, len(http)) for number, entry in weighted}
    if len(splits) != 1:
        raise TrafficDriftError(f"{name} splits its routes differently: {', '.join(map(str, splits))}")
    return splits.pop()


def _split(entry: Entry, name: str, number: int, of: int) -> Split:
    route = destinations(entry)
    subsets = [version_of(destination) for destination in route]
    weights, total = weights_of(entry), sum(weights_of(entry))
    if total and not any(100 * weight % total for weight in weights):  # Istio takes them as proportions
        weights = [100 * weight // total for weight in weights]
    fits = all(subsets) and len(route) in (1, 2, 3) and sum(weights) in (0, 100)
    if not fits or (len(route) == 3 and (weights[1] != weights[2] or not weights[1])):
        which = f" in {named(number, entry)}" if of > 1 else ""
        raise TrafficDriftError(
            f"{name} routes to {subsets} with {weights}{which}, expected one or two subsets, or a third with as much as "
            "the second, and weights that sum to 100"
        )
    if len(route) == 1:
        return Split(subsets[0], None, 0)
    return Split(subsets[0], subsets[1], weights[1], *subsets[2:])


def with_split(http: Sequence[Entry], split: Split, hosts: Hosts) -> Http:
    """The routes with this split in every weighted entry; all else as it was.

    A destination keeps what it says beside its weight (headers, port); one that is new says what the first one says.
    What leads some callers to the version that was stable until now leads them to the one that is, once it is alone.

    Args:
        http: The routes as they are; a route of the service's own is made where there are none.
        split: The split.
        hosts: The service's own names.

    Raises:
        NoWeightedRouteError: No entry can take it.
    """
    changed: Http = [copy.deepcopy(dict(entry)) for entry in http]
    if not any(is_weighted(entry, hosts) for entry in changed):
        bare = next((entry for entry in changed if not destinations(entry) and not acts(entry)), {})
        if not bare and changed:
            raise NoWeightedRouteError(f"no entry can take {split}: there is {'; '.join(left_alone(http, hosts))}")
        changed = changed or [bare]
        bare["route"] = [{"destination": {"host": hosts.service}}]
    retired = _retired(changed, split, hosts)
    for entry in changed:
        if is_weighted(entry, hosts):
            entry["route"] = _weighted(destinations(entry), split)
        elif split.canary is None:
            _lead_elsewhere(entry, retired, split.stable, hosts)
    return changed


def _retired(http: Sequence[Entry], split: Split, hosts: Hosts) -> set[str]:
    """The versions that were stable until now and have no share of a split any more."""
    return {version_of(destinations(entry)[0]) for entry in http if is_weighted(entry, hosts)} - {*split.weights}


def followed(below: Sequence[Entry], http: Sequence[Entry], split: Split, hosts: Hosts) -> Http:
    """Routes of connections after `with_split`: once one version is alone, they lead to it.

    Args:
        below: Such routes as they are.
        http: `spec.http` as it was before.
        split: The split.
        hosts: The service's own names.
    """
    changed: Http = [copy.deepcopy(dict(entry)) for entry in below]
    for entry in changed if split.canary is None else ():
        _lead_elsewhere(entry, _retired(http, split, hosts), split.stable, hosts)
    return changed


def _weighted(route: Sequence[Entry], split: Split) -> list[dict[str, Any]]:
    """The destinations of an entry for a split."""
    by_version = {version_of(destination): destination for destination in reversed(route)}

    def made(version: str, weight: int) -> dict[str, Any]:
        like = by_version.get(version, route[0])
        destination = {**(like.get("destination") or {}), "subset": version}
        return {**copy.deepcopy(dict(like)), "destination": destination, "weight": weight}

    return [made(version, weight) for version, weight in split.weights.items()]


def _lead_elsewhere(entry: dict[str, Any], versions: Collection[str], instead: str, hosts: Hosts) -> None:
    for destination in entry.get("route") or []:
        if host_of(destination) in hosts and version_of(destination) in versions:
            destination["destination"]["subset"] = instead


def without(
    http: Sequence[Entry], split: Split, versions: Collection[str], before: Sequence[Entry], hosts: Hosts
) -> Http:
    """The routes with this split, and nothing beside it that leads to some versions.

    Args:
        http: The routes as they are, whatever they are.
        split: What the weighted entries get.
        versions: What no other entry may lead to, nor mirror to; a destination without a subset counts as one of them.
        before: The routes as the claim found them: what stood there then is a team's own, and stays.
        hosts: The service's own names.
    """
    changed: Http = [copy.deepcopy(dict(entry)) for entry in http]
    unwanted = {*versions, EVERY_VERSION}
    for entry in changed:
        if is_weighted(entry, hosts):
            entry["route"] = _weighted(destinations(entry), split)
        elif entry not in before:
            _lead_elsewhere(entry, unwanted, split.stable, hosts)
        _drop_mirrors(entry, unwanted, before, hosts)
    return changed


def without_below(
    entries: Sequence[Entry], stable: str, versions: Collection[str], before: Sequence[Entry], hosts: Hosts
) -> Http:
    """Routes of connections of which none leads to the versions, except those that stood there before; see `without`."""
    changed: Http = [copy.deepcopy(dict(entry)) for entry in entries]
    for entry in changed:
        if entry not in before:
            _lead_elsewhere(entry, {*versions, EVERY_VERSION}, stable, hosts)
    return changed


def is_without(
    http: Sequence[Entry], stable: str, versions: Collection[str], before: Sequence[Entry], hosts: Hosts
) -> bool:
    """Whether every weighted request goes to stable, and nothing else leads to the versions; see `without`."""
    weighted = [destination for entry in http if is_weighted(entry, hosts) for destination in served(entry)]
    if any(version_of(destination) != stable for destination in weighted):
        return False
    right = without(http, Split(stable, None, 0), versions, before, hosts)
    return all(
        {**made, "route": None} == {**entry, "route": None} if is_weighted(entry, hosts) else made == entry
        for made, entry in zip(right, http, strict=True)
    )


def _drop_mirrors(entry: dict[str, Any], versions: Collection[str], before: Sequence[Entry], hosts: Hosts) -> None:
    was = [copied for known in before for copied in mirrors(known)]

    def unwanted(copied: Entry) -> bool:
        return host_of(copied) in hosts and version_of(copied) in versions and copied not in was

    if entry.get("mirror") and unwanted({"destination": entry["mirror"]}):
        for field in ("mirror", "mirrorPercentage", "mirrorPercent"):
            entry.pop(field, None)
    if "mirrors" in entry:
        entry["mirrors"] = [copied for copied in entry["mirrors"] if not unwanted(copied)]
        if not entry["mirrors"]:
            del entry["mirrors"]


def ways_back(
    http: Sequence[Entry], split: Split, versions: Collection[str], before: Sequence[Entry], hosts: Hosts
) -> Iterator[Http]:
    """Routes that get versions out of the traffic, the gentlest first. Each next one is for a cluster that refuses the one before.

    All that is there; the service's own entries alone; the routes as the claim found them; one plain route.
    """
    yield without(http, split, versions, before, hosts)
    for entries in (http, before):
        own = [entry for entry in entries if is_weighted(entry, hosts)]
        if own:
            yield without(own if entries is http else entries, split, versions, before, hosts)
    plain = {"route": [{"destination": {"host": hosts.service, "subset": split.stable}}]}
    yield [{"route": _weighted(destinations(plain), split)}]


def says(http: Sequence[Entry], split: Split, name: str, hosts: Hosts) -> bool:
    """Whether the weighted entries say this very split."""
    try:
        return split_of(http, name, hosts) == split
    except TrafficDriftError:
        return False
