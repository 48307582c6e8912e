"""What was changed in a VirtualService since a claim found it, other than weights."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from glidepath.traffic.entries import EVERY_VERSION, Hosts, leads
from glidepath.traffic.routing import EVERYWHERE, Routing


def changed(
    name: str, now: Routing, before: Routing, versions: Collection[str], editors: Mapping[str, str], hosts: Hosts
) -> str | None:
    """What changed: versions get requests beside the weights, or the routes lost hosts; None for nothing.

    Args:
        name: The VirtualService, as people call it.
        now, before: As it is, and as the claim found it.
        versions: The versions that must get nothing beside the weights.
        editors: Who wrote `http`, `hosts`, `gateways` and `exportTo` last, and when.
        hosts: The service's own.
    """
    by = editors["http"]
    if now.uid != before.uid:
        return f"{name} was deleted and made anew; written by {by}"
    ways = {"hosts": (before.hosts, now.hosts), "gateways": (before.gateways, now.gateways)}
    if before.exported is not None and now.exported is not None:  # left out, every namespace goes by it
        ways["exportTo"] = (before.exported or EVERYWHERE, now.exported or EVERYWHERE)
    for what, (had, has) in ways.items():
        if has != had:
            who = editors.get(what, by)
            return f"{name} has {what} {', '.join(has)}, expected {', '.join(had)}; written by {who}"
    led = leads(now.http, hosts, now.all_below(), [*before.http, *before.all_below()])
    reached = sorted(led & {*versions, EVERY_VERSION})
    if not reached:
        return None
    names = " and ".join(version or "the pods of every version" for version in reached)
    return f"{name} leads to {names} beside the weights, or mirrors to them; written by {by}"
