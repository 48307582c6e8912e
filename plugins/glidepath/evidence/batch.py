"""One query for the samples of several selectors, and what of its answer is whose.

Every part is what its own query would have had, bit for bit: the same series in the same order, each with the samples of its
own window.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import InitVar, dataclass, field
from functools import cached_property
from itertools import chain
from typing import Any

from glidepath.evidence.selectors import Selector, differing, matched, merged, starts
from glidepath.evidence.series import Row

# The two kinds of samples that a series may have in an answer.
KINDS = "values", "histograms"


def milliseconds(at: float) -> int:
    """A time in epoch seconds as Prometheus has it."""
    return round(float(f"{at:.3f}") * 1000)


@dataclass(frozen=True)
class Query:
    """What one query asks for.

    Attributes:
        members: Whose samples, by the text of their selectors; all of one shape.
        at: The end of the window, epoch milliseconds.
        seconds: Its length.
        answer: The answer, or the error, once it is there.
    """

    members: Mapping[str, Selector]
    at: int
    seconds: int
    answer: Future[BatchAnswer] = field(default_factory=Future)

    @property
    def query(self) -> str:
        """The query's text."""
        only = next(iter(self.members)) if len(self.members) == 1 else merged(self.members.values())
        return f"{only}[{self.seconds}s]"

    def covers(self, selector: str, at: int, seconds: int) -> bool:
        """Whether the samples of a selector's window are among what is asked for; its end in epoch milliseconds."""
        begins = at - 1000 * seconds
        return selector in self.members and at <= self.at and begins >= self.at - 1000 * self.seconds


@dataclass
class Arrangement:
    """Which of an answer's rows are whose, as their labels say: an answer with the same labels has the same.

    Args:
        members: The selectors by their text.
        labels: Those of the rows.
    """

    members: Mapping[str, Selector]
    labels: Sequence[Mapping[str, str]]
    _known: dict[str, Sequence[int]] = field(default_factory=dict)

    def numbers(self, selector: str) -> Sequence[int]:
        """The numbers of the rows that a selector matches, in their order."""
        found = self._known.get(selector)
        if found is None:
            found = self._known[selector] = self._found(self.members[selector])
        return found

    def _found(self, selector: Selector) -> Sequence[int]:
        if not self._places:
            return range(len(self.labels))
        groups = self._groups.of(selector)
        return groups[0] if len(groups) == 1 else sorted(chain.from_iterable(groups))

    @cached_property
    def _places(self) -> tuple[int, ...]:
        return differing(self.members.values())

    @cached_property
    def _groups(self) -> Groups:
        one = next(iter(self.members.values()))
        labels = [one.matchers[place][0] for place in self._places]
        groups: dict[tuple[str, ...], list[int]] = {}
        for number, metric in enumerate(self.labels):
            groups.setdefault(tuple([metric.get(label, "") for label in labels]), []).append(number)
        return Groups(self._places, groups)


@dataclass
class BatchAnswer:
    """The answer to a query for several selectors; it is read only.

    Args:
        members: The selectors by their text.
        rows: The series.
        before: How an answer was arranged before; None for none.

    Attributes:
        arranged: How this one is.
    """

    members: Mapping[str, Selector]
    rows: list[Row]
    before: InitVar[Arrangement | None] = None
    arranged: Arrangement = field(init=False)

    def __post_init__(self, before: Arrangement | None) -> None:
        labels = [row["metric"] for row in self.rows]
        same = before is not None and before.members.keys() == self.members.keys() and before.labels == labels
        self.arranged = before if before is not None and same else Arrangement(self.members, labels)

    def of(self, selector: str, at: int, seconds: int) -> list[Row] | None:
        """The rows of one selector's own query.

        Args:
            selector: Its text.
            at, seconds: The end of its window in epoch milliseconds, and the window's length.

        Returns:
            None where a sample is just at the beginning of the window: whether it belongs to it differs between versions of
            Prometheus.
        """
        begins, ends = (at - 1000 * seconds) / 1000, at / 1000
        found = []
        for number in self.arranged.numbers(selector):
            part = _within(self.rows[number], begins, ends)
            if part is None:
                return None
            if part:
                found.append(part)
        return found


class Groups:
    """Rows by the values of the labels in which selectors differ.

    Args:
        places: Of the matchers for these labels.
        rows: By the labels' values, the numbers of the rows.
    """

    def __init__(self, places: tuple[int, ...], rows: Mapping[tuple[str, ...], list[int]]) -> None:
        self._places, self._rows = places, rows
        # The label that has the most values tells best where to look.
        self._best = max(range(len(places)), key=lambda number: len({values[number] for values in rows}), default=0)
        self._by_value: dict[str, list[tuple[str, ...]]] = {}
        for values in rows:
            self._by_value.setdefault(values[self._best], []).append(values)
        self._sorted = sorted(self._by_value)

    def of(self, selector: Selector) -> list[list[int]]:
        """The rows of the groups that a selector matches."""
        found: dict[tuple[str, ...], list[int]] = {}
        for start in starts(selector.matchers[self._places[self._best]]):
            place = bisect_left(self._sorted, start)
            while place < len(self._sorted) and self._sorted[place].startswith(start):
                for values in self._by_value[self._sorted[place]]:
                    if values not in found and matched(selector, self._places, values):
                        found[values] = self._rows[values]
                place += 1
        return list(found.values())


def _within(row: Row, begins: float, ends: float) -> Row | None:
    """A row with the samples after `begins` up to `ends`; empty where there are none, None where one is just at `begins`."""
    part: Row = {}
    for kind in KINDS:
        samples: Sequence[Any] | None = row.get(kind)
        if not samples:
            continue
        if samples[0][0] > begins and samples[-1][0] <= ends:
            part[kind] = samples
            continue
        first, last = 0, len(samples)
        while first < last and samples[first][0] <= begins:
            if samples[first][0] == begins:
                return None
            first += 1
        while last > first and samples[last - 1][0] > ends:
            last -= 1
        if first < last:
            part[kind] = samples[first:last]
    if part:
        part["metric"] = row["metric"]
    return part
