"""Releases that watch one Prometheus together."""

from __future__ import annotations

from dataclasses import dataclass

from glidepath.evidence import Source, app_source
from glidepath.evidence.shared import Shared
from glidepath.evidence.view import View
from tests.unit.evidence.stored import Labels, Stored

BEGAN, SCRAPE = 1000, 5


@dataclass
class Watching:
    """One whose next look is due."""

    due: float = 0.0

    def window(self, at: float) -> float:
        return 18.0


def view(shared: Shared, watching: Watching, beat_s: float = 1.0) -> View:
    made = shared.view(beat_s)
    made.serve(watching)
    return made


def series_of(
    namespace: str, service: str, version: str, times: list[int], number: int
) -> tuple[Labels, list[tuple[int, float]]]:
    labels = {
        "__name__": "app_predictions_total", "namespace": namespace, "version": version, "status": "success",
        "pod": f"{service}-{version}-6c4f9d8b{number:02d}-x{number:03d}z",
    }  # fmt: skip
    return labels, [(time, place + 0.1 * number) for place, time in enumerate(times)]


def many(count: int) -> tuple[Stored, list[Source]]:
    times = [BEGAN * 1000 + 1000 * SCRAPE * place for place in range(90)]
    series = [
        series_of(f"ns{number}", "shop", version, times, number) for number in range(count) for version in ("v1", "v2")
    ]
    return Stored(series, BEGAN + 101.5), [app_source(f"ns{number}", "shop", ["v1", "v2"]) for number in range(count)]


class Several:
    """Many who watch a Prometheus, each its own service, and who have looked once: from then on they are expected."""

    def __init__(self, count: int) -> None:
        self.stored, self.sources = many(count)
        self.steady = 0.0
        self.shared = Shared(self.stored, lambda: self.steady)
        self.watching = [Watching() for _ in self.sources]
        self.views = [view(self.shared, one) for one in self.watching]
        for number in range(count):
            self.look(number)
        self.beat()

    def beat(self) -> None:
        self.steady, self.stored.clock = self.steady + 1, self.stored.clock + 1
        self.stored.asked.clear()

    def look(self, number: int) -> int:
        """How many series the one of that number sees."""
        one = self.views[number]
        return len(one.range_vector(self.sources[number].requests, 18, one.now()))
