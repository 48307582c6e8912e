"""What the callers saw: counts per version and status, over time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BUCKET_S = 0.1
KEPT_S = 7200.0


def is_error(status: str) -> bool:
    """Whether a status is a failure to the caller: anything but a 2xx, also no answer at all."""
    return not (len(status) == 3 and status.startswith("2"))


@dataclass
class Cell:
    """Requests of one version and status in one bucket; times in epoch seconds."""

    requests: int
    first: float
    last: float
    last_answered: float


class Counts:
    """Requests per version and status in buckets of 100 ms by the time they were *sent*, over the last two hours."""

    def __init__(self) -> None:
        self._buckets: dict[int, dict[tuple[str, str], Cell]] = {}

    def add(self, version: str, status: str, sent: float, answered: float) -> None:
        """Count a request.

        Args:
            version: Who answered, by its x-model-version header; "none" without one.
            status: The HTTP status, or "timeout" or "connect".
            sent: When it was sent, epoch seconds.
            answered: When its answer was there, or given up, epoch seconds.
        """
        index = int(sent / BUCKET_S)
        bucket = self._buckets.get(index)
        if bucket is None:
            bucket = self._buckets[index] = {}
            self._forget(index - int(KEPT_S / BUCKET_S))
        cell = bucket.get((version, status))
        if cell is None:
            bucket[version, status] = Cell(1, sent, sent, answered)
            return
        cell.requests += 1
        cell.first, cell.last = min(cell.first, sent), max(cell.last, sent)
        cell.last_answered = max(cell.last_answered, answered)

    def window(self, since: float, until: float) -> dict[str, dict[str, Any]]:
        """The requests sent from `since` to `until`, epoch seconds, both rounded down to a bucket; `until` is left out.

        Returns:
            By version: requests, errors, statuses (requests by status), and in epoch milliseconds first and last (a
            request was sent) and last_answered (an answer came).
        """
        low, high = int(since / BUCKET_S), int(until / BUCKET_S)
        indices = range(low, high) if high - low < len(self._buckets) else [i for i in self._buckets if low <= i < high]
        found: dict[str, dict[str, Any]] = {}
        for index in indices:
            for (version, status), cell in self._buckets.get(index, {}).items():
                _merge(found.setdefault(version, _nothing()), status, cell)
        return dict(sorted(found.items()))

    def _forget(self, before: int) -> None:
        while self._buckets and (oldest := next(iter(self._buckets))) < before:
            del self._buckets[oldest]


def _nothing() -> dict[str, Any]:
    return {"requests": 0, "errors": 0, "statuses": {}, "first": None, "last": 0, "last_answered": 0}


def _merge(told: dict[str, Any], status: str, cell: Cell) -> None:
    told["requests"] += cell.requests
    told["errors"] += cell.requests if is_error(status) else 0
    told["statuses"][status] = told["statuses"].get(status, 0) + cell.requests
    first = int(cell.first * 1000)
    told["first"] = first if told["first"] is None else min(told["first"], first)
    told["last"] = max(told["last"], int(cell.last * 1000))
    told["last_answered"] = max(told["last_answered"], int(cell.last_answered * 1000))
