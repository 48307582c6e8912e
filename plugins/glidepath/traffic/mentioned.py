"""Which of many VirtualServices and DestinationRules may meet a service's: those that mention a name of its hosts.

Hosts that Istio takes for the same have the same first label, so whatever mentions none of them meets nothing. Lists that
nobody changes, which are tuples, are gone through once for all who ask.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from glidepath.traffic.entries import destinations, host_of, mirrors
from glidepath.traffic.routing import BELOW

Found = Mapping[str, Any]
# How many lists are remembered.
KEPT = 32

_lock = threading.Lock()
_remembered: OrderedDict[int, tuple[tuple[Found, ...], dict[str, list[int]]]] = OrderedDict()


def mentioning(objects: Sequence[Found], labels: Collection[str]) -> Sequence[Found]:
    """Those of a list that have a name, or mention a host, whose first label is one of these; in the list's order."""
    if not isinstance(objects, tuple):
        return [one for one in objects if not labels_of(one).isdisjoint(labels)]
    places = _places(objects)
    return [objects[place] for place in sorted({place for label in labels for place in places.get(label, ())})]


def labels_of(found: Found) -> set[str]:
    """An object's name, and the first labels of all hosts that it mentions."""
    spec = found["spec"]
    entries = [entry for kind in ("http", *BELOW) for entry in spec.get(kind) or []]
    led = [host_of(way) for entry in entries for way in (*destinations(entry), *mirrors(entry))]
    hosts = [*(spec.get("hosts") or []), spec.get("host") or "", *led]
    return {str(found["metadata"]["name"]), *(str(host).split(".", 1)[0] for host in hosts)}


def _places(objects: tuple[Found, ...]) -> dict[str, list[int]]:
    key = id(objects)
    with _lock:
        known = _remembered.get(key)
        if known is not None and known[0] is objects:
            _remembered.move_to_end(key)
            return known[1]
    made: dict[str, list[int]] = {}
    for place, one in enumerate(objects):
        for label in labels_of(one):
            made.setdefault(label, []).append(place)
    with _lock:
        _remembered[key] = objects, made
        while len(_remembered) > KEPT:
            _remembered.popitem(last=False)
    return made
