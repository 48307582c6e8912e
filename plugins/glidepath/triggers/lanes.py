"""The threads of a process' triggers: for each outside some of its own, so that one that hangs keeps only its own waiting.

A guard attends to its release and acts on looks in lanes of its cluster, and asks for telemetry in one of its Prometheus: a
brake waits neither behind another's look nor behind what another reads of the cluster.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from glidepath.triggers.threads import Threads

# So many threads a lane has at most. They wait for the outside nearly all the time, and are made when needed.
MOST = {"attend": 32, "act": 32, "look": 8, "tell": 4, "held": 8, "record": 4, "message": 4}

_lanes: dict[tuple[str, str], Threads] = {}


def lane(what: str, outside: str = "") -> Threads:
    """The threads for one kind of calls to an outside, from the event loop's thread.

    Args:
        what: One of MOST.
        outside: Which cluster, Prometheus or channel: the name of its connection.
    """
    found = _lanes.get((what, outside))
    if found is None:
        found = _lanes[what, outside] = Threads(f"glidepath-{what}-{outside}".rstrip("-"), MOST[what])
    return found


@dataclass(frozen=True)
class Lanes:
    """Those of one guard.

    Attributes:
        attend: What needs no telemetry.
        look: What asks Prometheus.
        act: What is done about a look.
    """

    attend: Threads
    look: Threads
    act: Threads

    @classmethod
    def to(cls, cluster: str, prometheus: str) -> Lanes:
        """Those of a guard that has these connections."""
        return cls(lane("attend", cluster), lane("look", prometheus), lane("act", cluster))


# A process that is forked has none of the threads.
os.register_at_fork(after_in_child=_lanes.clear)
