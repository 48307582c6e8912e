"""What a release needs of whoever counts its service's requests; errors are those of `SampledEvidence`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from glidepath.evidence.baseline import Baseline, Block
from glidepath.evidence.cadence import Cadence
from glidepath.evidence.interval import Collected, Waiting
from glidepath.evidence.source import Source


class Watch(Protocol):
    """Counts what happens to two versions, interval by interval."""

    @property
    def end(self) -> float | None:
        """Until when it has read, epoch seconds on the evidence's clock; None before the first samples."""

    @property
    def due(self) -> float:
        """When there can be something new at the soonest, epoch seconds on the evidence's clock."""

    def now(self) -> float:
        """The evidence's clock, epoch seconds: as of when it is to collect."""

    def collect(self, now: float) -> Collected | Waiting:
        """The interval since the last one, or what is still missing for it."""

    def state(self) -> dict[str, Any] | None:
        """What another watch needs to go on from here; None before the first samples."""

    def resume(self, state: Mapping[str, Any]) -> None:
        """Go on from another's state. Call it before anything is collected."""


class Evidence(Protocol):
    """What happened to the requests of one service, by version. A `Source` says which counters tell it."""

    def now(self) -> float:
        """The clock of its samples, epoch seconds."""

    def cadence(self, source: Source, version: str, at: float) -> Cadence | None:
        """How often a version is counted, and how late that can be read; None where there is too little of it."""

    def past(self, source: Source, version: str, window_s: float, at: float) -> Baseline:
        """A version's counts over the `window_s` seconds that ended at `at`."""

    def older(self, source: Source, version: str, window_s: float, until: float) -> tuple[Sequence[Block], float]:
        """What a version's pods did before: blocks as `Baseline`'s, and their length, seconds."""

    def requests(self, source: Source, version: str, window_s: float) -> tuple[int, int]:
        """Requests that a version got lately, and how many of its pods counted any time at all."""

    def labels(self, source: Source, selector: str, window_s: float, at: float) -> list[Mapping[str, str]]:
        """The labels of a selector's series that had samples."""

    def watch(
        self, source: Source, control: str, versions: Sequence[str], scrape_s: float, planned_per_s: float = 0.0,
        lag_s: float = 0.0, apart: frozenset[str] = frozenset(),
    ) -> Watch:  # fmt: skip
        """Watch two versions; arguments as `Collector`'s."""

    def silent(self, source: Source, version: str, scrape_s: float, lag_s: float) -> float:
        """Wait until a version gets no more requests, by a write that was made before; seconds it took."""
