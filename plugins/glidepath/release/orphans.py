"""Releases that were planned and whose run ended before it claimed the service: no task of theirs can close them."""

from __future__ import annotations

from collections.abc import Callable

from glidepath.policy import ReleaseSpec
from glidepath.record import Record, Release
from glidepath.release.phases import Phase
from glidepath.release.run import Ports, Say


def releases_of(record: Record, spec: ReleaseSpec) -> list[Release]:
    """What the record has lately of the very service of a spec: its name, namespace and cluster are the same."""
    cluster = spec.connections.kubernetes

    def same(one: Release) -> bool:
        connections = one.spec.get("connections") or {}
        return one.namespace == spec.namespace and connections.get("kubernetes", cluster) == cluster

    return [one for one in record.recent(spec.service) if same(one)]


def close_orphans(spec: ReleaseSpec, ports: Ports, over: Callable[[str], bool], say: Say, at: float) -> None:
    """Close in the record what was planned for this service and can't go on. Call while nobody holds the service.

    Args:
        spec: A release of the service.
        ports: The outside.
        over: Whether the run of a release has ended, or is gone.
        say: Where facts go.
        at: Epoch seconds.
    """
    for one in releases_of(ports.record, spec):
        if one.phase == Phase.PLANNED and one.token is None and over(one.id):
            reason = "its run ended before it had claimed the service; the canary had no traffic"
            if ports.record.close(one.id, Phase.REFUSED, reason, at):
                say(f"plan: release {one.id} is closed: {Phase.REFUSED}: {reason}")
