"""How much a process can have done in a time: what cannot have happened is not counted.

A counter is taken to begin at zero when it is born and when its process restarts. If it was there all along (an exporter
that drops what is quiet, a scrape that reached another process) its whole life would be counted at once. So what is
counted from zero has to fit what the process did meanwhile, what it does usually, or what the whole service does.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from glidepath.evidence.series import KNOWN, Key

# So many requests fit any time: slow processes have no rate to speak of.
SLACK = 50.0
# Times what a process did: traffic may double between two scrapes.
TWICE = 2.0
# Times what the service did, for a process that nothing is known of: weights move traffic within seconds.
SERVICE = 3.0
# Replicas of a scraper see a process some moments apart: a later sample may have been taken sooner by so many seconds,
# and be lower by what was done in them; by this much it may be in any case.
APART_S, DIP = 0.25, 2.0


def counts(value: float) -> bool:
    """Whether a sample is one of a counter: it is a finite number, and not below zero."""
    return 0.0 <= value < math.inf


@lru_cache(KNOWN)
def counts_all(key: Key) -> bool:
    """Whether a series is no part of another that is there as well: a cumulative bucket below the last is."""
    return dict(key).get("le", "+Inf") in ("+Inf", "inf", "Inf")


@dataclass
class Pace:
    """What processes do, requests a second.

    Args:
        planned: What the release was planned with, both versions together; 0 where nobody planned.
    """

    planned: float = 0.0
    _usual: dict[Key, float] = field(default_factory=dict)
    _service: float = 0.0
    # In this read: what each process did for sure, in which time, and what was counted from zero since.
    _did: dict[Key, float] = field(default_factory=dict)
    _born: dict[tuple[str, Key], float] = field(default_factory=dict)

    def read(self, did: Mapping[Key, tuple[float, float]]) -> None:
        """Take in, by process, by how much its counters rose for sure since the last read, and in how many seconds."""
        self._did = {name: more for name, (more, _) in did.items()}
        self._born.clear()
        most = TWICE * self.planned or math.inf
        rates = {name: min(most, more / seconds) for name, (more, seconds) in did.items() if seconds > 0}
        for name, rate in rates.items():
            self._usual[name] = max(rate, self._usual.get(name, 0.0))
        self._service = max(self._service, sum(rates.values()))

    def fits(self, name: Key, value: float, seconds: float, use: str = "") -> bool:
        """Whether a process can have counted `value` within `seconds`, beside what it did for sure.

        Args:
            name: The process.
            value: What would be counted from zero.
            seconds: Since it was last seen, or for one that is new since anything was.
            use: What it is counted for; what was counted for it from zero in this read already counts as well.
        """
        usual, did = self._usual.get(name, 0.0), self._did.get(name, 0.0)
        if usual > 0:
            most = TWICE * max(usual * seconds, did) + SLACK - did
        else:
            most = SERVICE * max(self.planned, self._service) * seconds + SLACK
        return value + self._born.get((use, name), 0.0) <= most

    def count(self, name: Key, value: float, use: str) -> None:
        """Note what was counted from zero."""
        self._born[(use, name)] = self._born.get((use, name), 0.0) + value

    def counted(self, name: Key, use: str) -> bool:
        """Whether something was counted from zero in this read."""
        return self._born.get((use, name), 0.0) > 0

    def dip(self, name: Key) -> float:
        """By how much a counter may fall without having fallen."""
        return max(DIP, APART_S * self._usual.get(name, 0.0))

    def usual(self, name: Key) -> float:
        """The most that a process did, requests a second."""
        return self._usual.get(name, 0.0)

    def state(self) -> dict[str, Any]:
        """What another needs to go on: the service's rate; each process' own is `usual`."""
        return {"service": self._service}

    def resume(self, state: Mapping[str, Any], usual: Mapping[Key, float]) -> None:
        """Go on from another's state."""
        self._service = float(state.get("service", 0.0))
        self._usual = dict(usual)
