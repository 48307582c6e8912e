"""The outside systems of one service, as a release knows them; `wiring` says what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from glidepath.claim import Claims
from glidepath.deploy import Deploy, Workloads
from glidepath.evidence import Evidence
from glidepath.fence import Fence
from glidepath.handover import Handover, Sync
from glidepath.record import Record
from glidepath.traffic import Traffic


@dataclass(frozen=True)
class Watched:
    """Ports that read what this process watches of a cluster, which may be behind, and write nothing to it.

    Attributes:
        ports: The ports.
        close: Says that nobody reads by them any more.
    """

    ports: Ports
    close: Callable[[], None]


class Reads(Protocol):
    """What is read of a cluster that this process watches."""

    def noted(self) -> AbstractContextManager[Sequence[Any]]:
        """What is read until the end, by one thread."""

    def same(self, reads: Sequence[Any]) -> bool:
        """Whether all that was read is proven to be what is there now."""


@dataclass(frozen=True)
class Ports:
    """The outside systems of one service.

    `handover` and `sync` are None when the policy names nobody to tell of a promotion, and nobody's sync to pause.
    `watch` opens ports by which what is read is so many seconds old at most; None where nothing is watched. `reads` is of such
    ports, None else.
    """

    record: Record
    claims: Claims
    traffic: Traffic
    fence: Fence
    helm: Deploy
    workloads: Workloads
    evidence: Evidence
    handover: Handover | None = None
    sync: Sync | None = None
    watch: Callable[[float], Watched] | None = None
    reads: Reads | None = None
