"""What the watchdog tells of itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from glidepath.watchdog.released import Releases


@dataclass
class Health:
    """What the watchdog has seen and done, for /healthz and /metrics.

    Attributes:
        brakes: How often a service's traffic was put back on stable.
        errors: How often dealing with a service's claim failed.
        claims: For each namespace the number of claims that are held, expired and free.
        releases: What the Leases say of releases.
        passed: When the last pass over all namespaces succeeded, by the monotonic clock; None before the first.
    """

    brakes: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    claims: dict[str, Mapping[str, int]] = field(default_factory=dict)
    releases: Releases = field(default_factory=Releases)
    passed: float | None = None
