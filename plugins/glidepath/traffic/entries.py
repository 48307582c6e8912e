"""The entries of `spec.http`: which of them are a service's own, and where the others lead.

An entry is *weighted*, the release's to read and write, if all its destinations are the service. Left alone is what
selects callers (a match on headers, query parameters or sources) and leads them to one version, what leads to other
services as well, and what has no destinations: a redirect, a direct response, a delegate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Entry = Mapping[str, Any]
# Parts of a match that select who asks, not what is asked for.
CALLERS = frozenset({"headers", "withoutHeaders", "queryParams", "sourceLabels", "sourceNamespace"})
# What an entry does instead of leading to destinations.
ACTIONS = ("redirect", "directResponse", "delegate")
# A destination without a subset leads to the pods of every version.
EVERY_VERSION = ""


@dataclass(frozen=True)
class Hosts:
    """The names by which a VirtualService of the service's namespace calls the service."""

    service: str
    namespace: str

    def __contains__(self, host: object) -> bool:
        labels = str(host).split(".")
        return labels[0] == self.service and (labels[1:2] or [self.namespace]) == [self.namespace] and (
            labels[2:3] or ["svc"]
        ) == ["svc"]  # fmt: skip


def destinations(entry: Entry) -> Sequence[Entry]:
    """The weighted destinations of an entry; none for a redirect, a direct response, a delegate."""
    route: Sequence[Entry] = entry.get("route") or []
    return route


def host_of(destination: Entry) -> str:
    """The host of one of `destinations`, or of a mirror's."""
    return str((destination.get("destination") or {}).get("host") or "")


def version_of(destination: Entry) -> str:
    """The subset of one of `destinations`; EVERY_VERSION for none."""
    return str((destination.get("destination") or {}).get("subset") or EVERY_VERSION)


def is_weighted(entry: Entry, hosts: Hosts) -> bool:
    """Whether an entry is the release's to read and write."""
    route = destinations(entry)
    return bool(route) and all(host_of(destination) in hosts for destination in route) and not is_fixed(entry)


def is_fixed(entry: Entry) -> bool:
    """Whether an entry selects callers and leads them all to one destination."""
    matches = entry.get("match") or []
    return len(destinations(entry)) == 1 and bool(matches) and all(CALLERS & set(match) for match in matches)


def acts(entry: Entry) -> bool:
    """Whether an entry answers by itself, or has another object answer."""
    return any(entry.get(action) is not None for action in ACTIONS)


def mirrors(entry: Entry) -> list[Mapping[str, Any]]:
    """The destinations that an entry's requests are copied to, in the form of `destinations`."""
    single = [{"destination": entry["mirror"]}] if entry.get("mirror") else []
    return [*single, *(entry.get("mirrors") or [])]


def leads(
    http: Sequence[Entry], hosts: Hosts, below: Sequence[Entry] = (), before: Sequence[Entry] = ()
) -> frozenset[str]:
    """The versions that get requests, or copies of them, beside the weights; EVERY_VERSION among them for all.

    Args:
        http: The routes.
        hosts: The service's own names.
        below: Those of `spec.tls` and `spec.tcp`, which have no weighted entries of a release's.
        before: Entries that don't count, nor the destinations that they mirror to: they were there before.
    """
    entries = [*(entry for entry in http if not is_weighted(entry, hosts)), *below]
    others = [destination for entry in entries if entry not in before for destination in served(entry)]
    known = [destination for entry in before for destination in mirrors(entry)]
    copies = [destination for entry in http for destination in mirrors(entry) if destination not in known]
    return frozenset(version_of(destination) for destination in (*others, *copies) if host_of(destination) in hosts)


def weights_of(entry: Entry) -> list[int]:
    """The shares of an entry's destinations, as they stand there: one that is alone gets all, whatever its weight."""
    route = destinations(entry)
    return [100] if len(route) == 1 else [int(destination.get("weight", 0)) for destination in route]


def served(entry: Entry) -> list[Entry]:
    """The destinations of an entry that get requests."""
    return [destination for destination, weight in zip(destinations(entry), weights_of(entry), strict=True) if weight]


def named(number: int, entry: Entry, of: str = "") -> str:
    """What an entry is called where people read it: its place from 1, in `http` or where else, its name, and what it does."""
    called = f" {entry['name']!r}" if entry.get("name") else ""
    return f"{f'{of} ' if of else ''}entry {number}{called} ({_does(entry)})"


def _does(entry: Entry) -> str:
    for action in ACTIONS:
        if entry.get(action) is not None:
            return action
    ways = [f"{host_of(destination)}/{version_of(destination) or 'no subset'}" for destination in destinations(entry)]
    return f"{'callers by header, ' if is_fixed(entry) else ''}to {', '.join(ways) or 'nothing'}"


def left_alone(http: Sequence[Entry], hosts: Hosts) -> list[str]:
    """The entries of `http` that a release does not read or write, for people."""
    return [named(number, entry) for number, entry in enumerate(http, 1) if not is_weighted(entry, hosts)]
