"""A Prometheus in memory that adds up: what `growth` and `summed` ask for, worked out sample by sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from unittest import mock

from glidepath.evidence import present, summed
from glidepath.evidence.growth import MARK, GrowthQuery
from glidepath.evidence.once import TARGETS
from glidepath.evidence.prometheus import NotAnsweredError
from glidepath.evidence.series import Histogram, Key, Series
from glidepath.evidence.source import app_source

SOURCE = app_source("sms-app", "model-service", ["v1", "v2"])
Samples = list[tuple[float, float]]
LOOKBACK_S = 300.0


@dataclass
class Summing:
    """Samples of `requests` and `latency` (label `name`), as they can be read by `clock`.

    Attributes:
        lag: By pod, how much later than it was taken a sample can be read, seconds.
        stale: When series ended, as a scrape without them says.
        asked: What was asked about sums.
        refuses: Whether it can't add up.
    """

    series: dict[Key, Samples] = field(default_factory=dict)
    lag: dict[str, float] = field(default_factory=dict)
    stale: dict[Key, list[float]] = field(default_factory=dict)
    asked: list[GrowthQuery] = field(default_factory=list)
    clock: float = 0.0
    refuses: bool = False

    def add(self, at: float, value: float, **labels: str) -> None:
        """A sample."""
        self.series.setdefault(tuple(sorted(labels.items())), []).append((at, value))

    def seen(self, name: str) -> Iterator[tuple[dict[str, str], Key, Samples]]:
        """Series by name: what can be read by now."""
        for key, samples in self.series.items():
            labels = dict(key)
            if labels.pop("name") == name:
                late = self.lag.get(labels["pod"], 0.0)
                there = [one for one in samples if one[0] + late <= self.clock]
                if there:
                    yield labels, key, there

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        """As `Prometheus.range_vector`; of some pods where a selector names them."""
        assert step_s is None or step_s > 0
        name = "requests" if selector.startswith("app_predictions_total") else "latency"
        if selector.startswith("process_start"):
            return []
        named = selector.rpartition(",pod=~")[2].strip('"}').replace("\\", "") if selector.count("pod=~") > 1 else ""
        found = []
        for labels, _, samples in self.seen(name):
            inside = tuple(one for one in samples if at - round(window_s) < one[0] <= at)
            if inside and (not named or labels["pod"] in named.split("|")):
                found.append(Series(labels, inside))
        return found

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        """None: its series are counters."""
        return []

    def now(self) -> float:
        """The clock of its samples."""
        return self.clock

    def vector(self, expression: str | GrowthQuery, at: float) -> list[Series]:
        """What `growth.query` says, of what was asked for (see `adding`)."""
        if self.refuses or isinstance(expression, str):
            raise NotAnsweredError("no sums here")
        asked = expression
        self.asked.append(asked)
        name = "requests" if asked.selector == SOURCE.requests else "latency"
        every = [(labels, _now(samples, self.stale.get(key, []), at), _now(samples, self.stale.get(key, []), asked.since),
                  [one for one in samples if at - round(asked.window_s) < one[0] <= at])
                 for labels, key, samples in self.seen(name)]  # fmt: skip
        rows: list[Series] = []
        for pod in sorted({labels["pod"] for labels, *_ in every}):
            mine = [one for one in every if one[0]["pod"] == pod]
            rows += _told(pod, [one for one in mine if one[0].get("le", "+Inf") == "+Inf"], mine, asked, at)
        if asked.sums:
            rows += _sums([one for one in every if one[0]["pod"] not in asked.without], asked, at)
        return rows


Row = tuple[dict[str, str], tuple[float, float] | None, tuple[float, float] | None, Samples]


def _now(samples: Samples, stale: Iterable[float], at: float) -> tuple[float, float] | None:
    before = [one for one in samples if at - LOOKBACK_S < one[0] <= at]
    ended = [one for one in stale if one <= at]
    if not before or (ended and max(ended) > before[-1][0]):
        return None
    return before[-1]


def _told(pod: str, whole: list[Row], mine: list[Row], asked: GrowthQuery, at: float) -> Iterator[Series]:
    def row(what: str, value: float) -> Series:
        return Series({"pod": pod, MARK: what}, ((at, value),))

    now = [one[1] for one in whole if one[1] is not None]
    then = [one[2] for one in whole if one[2] is not None]
    inside = [one[3] for one in whole if one[3]]
    if inside or now:
        yield row("there", 0.0)
    if then and asked.before:
        yield row("then", max(at for at, _ in then))
    edges: dict[str, int] = {}
    for labels, last, *_ in mine:
        if last is not None and asked.edges:
            edges[labels["le"]] = edges.get(labels["le"], 0) + 1
    if asked.edges and sum(count == len(now) for count in edges.values()):
        yield row("edges", float(sum(count == len(now) for count in edges.values())))
    ways = {tuple(labels.get(target) for target in sorted(TARGETS)) for labels, last, *_ in whole if last is not None}
    falls = any(b[1] < a[1] for samples in inside for a, b in pairwise(samples))
    alike = [len({at for at, _ in now}), len({len(one) for one in inside}), len(ways)]
    alike += [len({at for at, _ in then})] if asked.before else []
    if now and set(alike) == {1} and len(now) == len(inside) and not falls:
        yield row("steady", now[0][0])


def _sums(rows: list[Row], asked: GrowthQuery, at: float) -> Iterator[Series]:
    for place, mark in ((1, {}), (2, {MARK: "before"})) if asked.before else ((1, {}),):
        sums: dict[Key, float] = {}
        for row in rows:
            sample = row[place]
            if isinstance(sample, tuple):
                key = tuple((label, row[0][label]) for label in asked.labels if label in row[0])
                sums[key] = sums.get(key, 0.0) + sample[1]
        for key, value in sums.items():
            yield Series(dict(key) | mark, ((at, value),))


@contextmanager
def adding() -> Iterator[None]:
    """Sums are asked for however few series there are, and what is asked reaches `Summing` as it is, not as PromQL."""
    with (
        mock.patch.object(present, "query", lambda asked: asked),
        mock.patch.object(summed, "MANY", 1),
        mock.patch.object(summed, "FEWER", 0.0),
    ):
        yield
