"""A Prometheus in memory that is asked in PromQL: one selector and its window, answered as its API does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from glidepath.errors import EvidenceError
from glidepath.evidence.prometheus import NotAnsweredError
from glidepath.evidence.series import Answers, Row

QUERY = re.compile(r"(\w+)\{(.*)\}\[(\d+)s(?::(\d+)s)?\]", re.DOTALL)
MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"', re.DOTALL)
# A series counts as there for so long after its last sample, milliseconds.
STALE_MS = 300_000
NAMED = re.compile(r"ns\d")
Labels = dict[str, str]


@dataclass
class Stored(Answers):
    """Series with samples at whole milliseconds.

    Attributes:
        series: Labels, and samples of time in milliseconds and value.
        clock: What it says the time is, epoch seconds.
        open_left: Whether a window has no sample at its very beginning: since Prometheus 3 it has none.
        most: Queries for more selectors than this are refused, by the number of namespaces they name.
        refused: Text that no query may have.
        down: What is raised instead of any answer.
    """

    series: list[tuple[Labels, list[tuple[int, float]]]]
    clock: float
    open_left: bool = True
    most: int = 10**6
    refused: str = "\0"
    down: EvidenceError | None = None
    url: str = "http://prometheus"
    asked: list[str] = field(default_factory=list)

    def rows(self, query: str, at: float) -> list[Row]:
        self.asked.append(query)
        if self.down is not None:
            raise self.down
        whole = QUERY.fullmatch(query)
        assert whole is not None, query
        if self.refused in query or len(NAMED.findall(query)) > self.most:
            raise NotAnsweredError(f"too much: {query}")
        matchers = [
            (label, how, value.encode().decode("unicode_escape")) for label, how, value in MATCHER.findall(whole[2])
        ]
        end, begin = round(at * 1000), round(at * 1000) - 1000 * int(whole[3])
        rows = []
        for labels, samples in sorted(self.series, key=lambda one: sorted(one[0].items())):
            shown = samples if whole[4] is None else _stepped(samples, 1000 * int(whole[4]), begin, end)
            inside = [one for one in shown if begin < one[0] <= end or (one[0] == begin and not self.open_left)]
            if inside and labels["__name__"] == whole[1] and all(_holds(labels, *one) for one in matchers):
                rows.append({"metric": labels, "values": [[time / 1000, repr(value)] for time, value in inside]})
        return rows

    def now(self) -> float:
        self.asked.append("time()")
        if self.down is not None:
            raise self.down
        return self.clock


def _stepped(samples: list[tuple[int, float]], step: int, begin: int, end: int) -> list[tuple[int, float]]:
    """What a subquery shows: at each multiple of its step the newest sample of before."""
    found = []
    for at in range(begin - begin % step, end + 1, step):
        known = [value for time, value in samples if at - STALE_MS < time <= at]
        found += [(at, known[-1])] if known else []
    return found


def _holds(labels: Labels, label: str, how: str, value: str) -> bool:
    given = labels.get(label, "")
    same = re.fullmatch(value, given, re.DOTALL) is not None if how.endswith("~") else given == value
    return same != how.startswith("!")


def texts(asked: Iterable[str]) -> list[str]:
    """The queries for samples among some."""
    return [one for one in asked if one != "time()"]
