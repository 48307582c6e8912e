"""What a collector hands out: an interval's counts, or what is still missing for it."""

from __future__ import annotations

from dataclasses import dataclass

from glidepath.evidence.tally import Counts


@dataclass(frozen=True)
class Collected:
    """An interval: its bounds in epoch seconds, the latency edges in seconds, and the counts per version.

    Attributes:
        common: The edges at which counts are exact, because all histograms have them; those between two of them are counted
            above the others.
    """

    start: float
    end: float
    edges: tuple[float, ...]
    versions: dict[str, Counts]
    common: tuple[float, ...] = ()


@dataclass(frozen=True)
class Waiting:
    """No interval yet; `why` says for what, `silent_s` for how long."""

    why: str
    silent_s: float
