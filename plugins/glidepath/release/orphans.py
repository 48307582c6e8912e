"""Releases that were planned and whose run ended before it claimed the service: no task of theirs can close them."""

from __future__ import annotations

from collections.abc import Callable

from glidepath.release.phases import Phase
from glidepath.release.run import Ports, Say


def close_orphans(service: str, namespace: str, ports: Ports, over: Callable[[str], bool], say: Say, at: float) -> None:
    """Close in the record what was planned for this service and can't go on. Call while nobody holds the service.

    Args:
        service, namespace: The service.
        ports: The outside.
        over: Whether the run of a release has ended, or is gone.
        say: Where facts go.
        at: Epoch seconds.
    """
    for one in ports.record.recent(service):
        waits = one.namespace == namespace and one.phase == Phase.PLANNED and one.token is None
        if waits and over(one.id):
            reason = "its run ended before it had claimed the service; the canary had no traffic"
            if ports.record.close(one.id, Phase.REFUSED, reason, at):
                say(f"plan: release {one.id} is closed: {Phase.REFUSED}: {reason}")
