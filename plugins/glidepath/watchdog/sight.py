"""Which claims nobody renews.

A claim has expired when its Lease was seen unchanged for its duration. Only the monotonic clock counts, so a wall clock
that is wrong or jumps, here or at the holder, neither brakes a release that lives nor spares one that is dead. Time in
which this process did not look (it was stopped, the API was away) counts for a third of the duration at most: after an
outage of the API the holder has the time to renew.

Claims found at the start have no history here. For those a third of the duration is enough (a guard renews six times a
duration, so it missed two), if the wall clock says too that they have expired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from glidepath.claim.state import ClaimState

DEFAULT_DURATION_S = 60.0  # of a Lease that names none


@dataclass(frozen=True)
class Sighting:
    """A claim as it was last seen: what a renewal changes, and how long ago the last change was."""

    mark: tuple[str, int, float]
    unchanged_s: float
    at: float
    from_start: bool


class Sightings:
    """How long each claim has been seen unchanged."""

    def __init__(self) -> None:
        self._seen: dict[str, Sighting] = {}
        self._started = False

    def look(self, states: Mapping[str, ClaimState], at: float) -> None:
        """Take in all claims as they are at a moment of the monotonic clock."""
        self._seen = {name: self._sighting(name, state, at) for name, state in states.items()}
        self._started = True

    def _sighting(self, name: str, state: ClaimState, at: float) -> Sighting:
        mark = (state.holder, state.token, state.renewed)
        before = self._seen.get(name)
        if before is None or before.mark != mark:
            return Sighting(mark, 0.0, at, from_start=not self._started)
        gap = min(at - before.at, duration(state) / 3)
        return replace(before, unchanged_s=before.unchanged_s + gap, at=at)

    def expired(self, name: str, state: ClaimState, now: float) -> bool:
        """Whether a claim's holder has not renewed it in time.

        Args:
            name: The Lease.
            state: The claim as it was looked at last.
            now: The wall clock, epoch seconds.
        """
        if not state.holder:
            return False
        seen = self._seen[name]
        if seen.from_start and now > state.renewed + duration(state):
            return seen.unchanged_s >= duration(state) / 3
        return seen.unchanged_s >= duration(state)


def duration(state: ClaimState) -> float:
    """Seconds a claim lasts without a renewal."""
    return state.duration_s or DEFAULT_DURATION_S
