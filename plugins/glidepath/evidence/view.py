"""What one who watches reads of a Prometheus that several share."""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Protocol
from weakref import ref

from glidepath.evidence.series import Histogram, Row, Series, histograms_in, series_in, whole_seconds

if TYPE_CHECKING:
    from glidepath.evidence.shared import Shared

# So many beats after it was asked for something is expected to be asked for again.
EXPECTED = 12


class Due(Protocol):
    """One who watches."""

    @property
    def due(self) -> float:
        """When it looks again at the soonest, epoch seconds on Prometheus' clock."""

    def window(self, at: float) -> float:
        """How far back it would read then, seconds."""


class View:
    """What one who watches reads of a shared Prometheus: see `Samples`. One thread at a time may use it.

    Args:
        shared: The reader that it shares.
        beat_s: As for `Shared.view`.
    """

    def __init__(self, shared: Shared, beat_s: float) -> None:
        self.shared, self.beat_s = shared, beat_s
        self._looked = -math.inf
        self._watch: Callable[[], Due | None] = _nobody
        # By selector: how long the window was that was asked for last, seconds, and when that was, epoch seconds.
        self._last: dict[str, tuple[int, float]] = {}

    def serve(self, watch: Due, first: Iterable[str] = ()) -> None:
        """Say who reads by it, and by which selectors at first: before it is due nothing is asked for it."""
        self._watch = ref(watch)
        self._last |= dict.fromkeys(first, (0, math.nan))

    def awaits(self, selectors: Container[str], at: float) -> bool:
        """Whether it is due at a time, epoch seconds, has not looked as of then, and some selectors are what it asks for."""
        watch = self._watch()
        if watch is None or at <= self._looked or at < watch.due:
            return False
        return any(selector in selectors for selector in self._last)

    def expected(self, at: float) -> dict[str, int]:
        """What is likely to be asked for at a time, epoch seconds, with windows in seconds that are long enough."""
        watch = self._watch()
        if watch is None or watch.due > at:
            return {}
        longer = math.ceil(self.beat_s) + 1
        expected = {}
        for selector, (seconds, then) in list(self._last.items()):
            if not seconds:  # it has asked for nothing yet, and may not for long
                then = at if math.isnan(then) else then
                self._last[selector] = 0, then
            if at - then <= EXPECTED * self.beat_s:
                expected[selector] = seconds + longer if seconds else whole_seconds(watch.window(at)) + 1
        return expected

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        """As `Prometheus.range_vector`."""
        if step_s is not None:
            return self.shared.prometheus.range_vector(selector, window_s, at, step_s)
        return series_in(self._rows(selector, window_s, at))

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        """As `Prometheus.range_histograms`."""
        if step_s is not None:
            return self.shared.prometheus.range_histograms(selector, window_s, at, step_s)
        return histograms_in(self._rows(selector, window_s, at))

    def _rows(self, selector: str, window_s: float, at: float) -> list[Row]:
        gone = [one for one, (_, then) in self._last.items() if at - then > EXPECTED * self.beat_s]
        for one in gone:
            del self._last[one]
        self._last[selector] = whole_seconds(window_s), at
        return self.shared.rows(self, selector, window_s, at)

    def vector(self, expression: str, at: float) -> list[Series]:
        """As `Prometheus.vector`; it is asked alone: what is asked about growth is no one else's."""
        return self.shared.prometheus.vector(expression, at)

    def now(self) -> float:
        """As `Prometheus.now`, a few beats ago at most."""
        self._looked = self.shared.now(self)
        return self._looked


def _nobody() -> None:
    """Who reads by a view that nobody has yet."""
