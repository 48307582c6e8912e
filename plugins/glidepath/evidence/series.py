"""What a Prometheus answers: series of counters and of native histograms, and whatever they are read from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from sys import intern
from typing import Any, Protocol

Key = tuple[tuple[str, str], ...]
# A series in an answer: `metric`, its labels, and `values`, `histograms` or `value`.
Row = dict[str, Any]
# Labels that name one process.
PROCESS = ("pod", "instance")
# So many series' labels are remembered with what follows from them; beyond, it is found out anew.
KNOWN = 131072


@lru_cache(KNOWN)
def process_of(key: Key) -> Key:
    """Which process a series comes from, by its labels; one that names none is its own."""
    labels = dict(key)
    return tuple((label, labels[label]) for label in PROCESS if labels.get(label)) or key


@lru_cache(KNOWN)
def pod_in(key: Key) -> str:
    """The pod in a series' or process' labels; empty where there is none."""
    return dict(key).get("pod", "")


class Labels(dict[str, str]):
    """The labels of a series, which many answers share: nobody changes them.

    Attributes:
        key: The labels as a hashable identity; the very same object in all answers.
        process: Which process the series comes from.
    """

    __slots__ = ("key", "process")

    def __init__(self, labels: Mapping[str, str]) -> None:
        super().__init__((intern(label), intern(value)) for label, value in labels.items())
        self.key: Key = tuple(sorted(self.items()))
        self.process = process_of(self.key)


@dataclass(frozen=True)
class Series:
    """One series: its labels and its samples as (epoch seconds, value), oldest first."""

    labels: dict[str, str]
    samples: tuple[tuple[float, float], ...]

    @cached_property
    def key(self) -> Key:
        """The labels as a hashable identity."""
        return tuple(sorted(self.labels.items()))

    @cached_property
    def process(self) -> Key:
        """Which process it comes from."""
        return process_of(self.key)

    @classmethod
    def known(cls, labels: Labels, samples: tuple[tuple[float, float], ...]) -> Series:
        """One whose labels are known; made in a fraction of the time."""
        made: Series = object.__new__(cls)
        made.__dict__.update(labels=labels, samples=samples, key=labels.key, process=labels.process)
        return made


@dataclass(frozen=True)
class Grown(Series):
    """A sum of counters: its one sample is by how much they grew since they were read last."""


@dataclass(frozen=True)
class Histogram:
    """A series of native histograms: its labels and its samples as (epoch seconds, count, buckets), oldest first.

    A bucket is (lower bound, upper bound, count), not cumulative; empty ones are left out.
    """

    labels: dict[str, str]
    samples: tuple[tuple[float, float, tuple[tuple[float, float, float], ...]], ...]


class Reader(Protocol):
    """Whatever gives the samples of a selector's series; arguments and errors as `Prometheus`'."""

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        """Samples of counters."""

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        """Samples of native histograms."""


class Samples(Reader, Protocol):
    """Whatever answers as `Prometheus` does."""

    def vector(self, expression: str, at: float) -> list[Series]:
        """What an expression comes to at a time."""

    def now(self) -> float:
        """The clock of its samples, epoch seconds."""


class Queries(Samples, Protocol):
    """A server that can be asked anything that Prometheus can, at its base URL."""

    url: str

    def rows(self, query: str, at: float) -> list[Row]:
        """The answer to a query, as `Prometheus.rows`."""


class Answers:
    """Samples by queries: whatever has `rows` as `Queries` says."""

    def rows(self, query: str, at: float) -> list[Row]:
        """What a query comes to at a time, epoch seconds, as Prometheus' API has it: a list of series.

        Raises:
            NotAnsweredError, EvidenceError: As in `vector`.
        """
        raise NotImplementedError

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        """The samples of each series in the window that ends at `at`.

        Args:
            selector: A series selector, already quoted.
            window_s: Length of the window, seconds.
            at: Its end, epoch seconds.
            step_s: None for the raw samples; else one sample every so many seconds.

        Raises:
            EvidenceError: Prometheus did not answer in time, or answered with an error.
        """
        return series_in(self.rows(ranged(selector, window_s, step_s), at))

    def range_histograms(
        self, selector: str, window_s: float, at: float, step_s: float | None = None
    ) -> list[Histogram]:
        """The native histograms of each series in the window that ends at `at`; arguments and errors as `range_vector`'s."""
        return histograms_in(self.rows(ranged(selector, window_s, step_s), at))

    def vector(self, expression: str, at: float) -> list[Series]:
        """What an expression comes to at a time: series of one sample each.

        Args:
            expression: PromQL that gives an instant vector, already quoted.
            at: The time, epoch seconds.

        Raises:
            NotAnsweredError: Prometheus can't answer this.
            EvidenceError: Prometheus did not answer in time, or answered with an error.
        """
        return vector_in(self.rows(expression, at))


def ranged(selector: str, window_s: float, step_s: float | None) -> str:
    """The query of a selector's samples in a window; the times in seconds."""
    step = "" if step_s is None else f":{max(1, round(step_s))}s"
    return f"{selector}[{whole_seconds(window_s)}s{step}]"


def whole_seconds(window_s: float) -> int:
    """The length of a window as it is asked for."""
    return max(1, round(window_s))


def series_in(rows: Iterable[Row]) -> list[Series]:
    """The counters of a range query's answer."""
    return [_series(row["metric"], row["values"]) for row in rows if row.get("values")]


def _series(labels: dict[str, str], samples: Sequence[tuple[float, float | str]]) -> Series:
    if type(labels) is Labels:
        return Series.known(labels, samples)  # type: ignore[arg-type]  # `decoded` has made numbers of them
    return Series(labels, tuple((float(at), float(value)) for at, value in samples))


def histograms_in(rows: Iterable[Row]) -> list[Histogram]:
    """The native histograms of a range query's answer."""
    return [
        Histogram(row["metric"], tuple(_histogram(float(at), value) for at, value in row["histograms"]))
        for row in rows
        if row.get("histograms")
    ]


def vector_in(rows: Iterable[Row]) -> list[Series]:
    """The series of an instant vector, of one sample each."""
    return [Series(row["metric"], ((float(row["value"][0]), float(row["value"][1])),)) for row in rows]


def _histogram(at: float, value: dict[str, Any]) -> tuple[float, float, tuple[tuple[float, float, float], ...]]:
    buckets = ((float(low), float(high), float(count)) for _, low, high, count in value.get("buckets", ()))
    return at, float(value["count"]), tuple(buckets)
