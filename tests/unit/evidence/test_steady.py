"""What reads of counters that only rise come to is what any other reading of them comes to."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.errors import EvidenceError
from glidepath.evidence import Collector
from glidepath.evidence.steady import Steady
from tests.unit.evidence.scraped import Scraped
from tests.unit.evidence.test_collector import SCRAPE, collected, collector, started

# What may happen to a pod in a scrape; most scrapes are of pods to which nothing does.
HAPPENS = st.sampled_from(
    ("serves",) * 12
    + (
        "fails",
        "is idle",
        "is not scraped",
        "restarts",
        "dips",
        "falls",
        "twice",
        "ends",
        "has no buckets",
        "a part falls",
        "two of a time",
        "is infinite",
    )
)
PODS = (("v1", "a"), ("v1", "b"), ("v2", "c"))


class Pod:
    """A pod that is scraped."""

    def __init__(self, version: str, name: str) -> None:
        self.version, self.name, self.good, self.bad, self.there = version, name, 1000, 5, True

    def scraped(self, scraped: Scraped, at: float, what: str) -> None:
        """One scrape; where something happens to it, before that."""
        if what == "ends":
            self.there = not self.there
            self.good, self.bad = 0, 0
        if not self.there or what == "is not scraped":
            return
        if what in ("restarts", "falls", "dips"):
            self.good = {"restarts": 3, "falls": self.good // 2, "dips": max(0, self.good - 1)}[what]
            self.bad = 0 if what == "restarts" else self.bad
        if what == "twice":
            self.scrape(scraped, at - 2, what)
        if what == "two of a time":
            self.scrape(scraped, at, what)
        self.scrape(scraped, at, what)

    def scrape(self, scraped: Scraped, at: float, what: str) -> None:
        """A sample of each of its counters."""
        self.good += 0 if what in ("is idle", "restarts", "falls", "dips") else 97
        self.bad += what == "fails"
        buckets = self.good // 2, self.good // 3 * 2, self.good
        if what == "a part falls":
            buckets = 0, *buckets[1:]
        if what == "is infinite":
            scraped.pod(at, self.version, self.name, math.inf, self.bad)  # type: ignore[arg-type]
        elif what == "has no buckets":
            scraped.add(at, self.good, name="requests", version=self.version, pod=self.name, status="success")
        else:
            scraped.pod(at, self.version, self.name, self.good, self.bad, buckets)


class Never(Steady):
    """Takes no read for a steady one."""

    def learn(self, *_: Any) -> None:
        """Nothing is."""


def never(scraped: Scraped) -> Collector:
    """A collector that reads each time as at first."""
    watch = collector(scraped)
    watch._steady = Never(watch._counters, watch.source, watch.versions)
    return watch


def told(watch: Collector, at: float) -> str:
    """All that a look says, as text: equal to the bit."""
    try:
        found: Any = watch.collect(at)
    except EvidenceError as error:
        found = str(error)
    state = json.dumps(watch.state(), allow_nan=False)
    return f"{found!r} {state} {watch.due} {watch.end}"


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(HAPPENS, HAPPENS, HAPPENS, st.booleans()), min_size=4, max_size=40))
def test_every_look_says_the_same(scrapes: list[tuple[str, str, str, bool]]) -> None:
    scraped = Scraped()
    ours, theirs = collector(scraped), never(scraped)
    pods = [Pod(*pod) for pod in PODS]
    for number, (*happens, looked) in enumerate(scrapes):
        at = 100 + SCRAPE * number
        for pod, what in zip(pods, happens, strict=True):
            pod.scraped(scraped, at + (1.5 if pod.name == "b" else 0.0), what)
        if looked or number % 3:
            assert told(ours, at + 2) == told(theirs, at + 2)


def test_a_steady_read_is_taken_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    scraped = Scraped()
    watch = started(scraped)
    for at in (105, 110):
        scraped.pod(at, "v1", "a", 1000 + at, 5)
        scraped.pod(at, "v2", "c", at)
        collected(watch, at + 1)
    monkeypatch.setattr(Collector, "difference", None)  # which is not asked any more
    scraped.pod(115, "v1", "a", 1200, 9, (1150, 1180, 1200))
    scraped.pod(115, "v2", "c", 130)
    got = collected(watch, 116)
    assert (got.versions["v1"].requests, got.versions["v1"].errors) == (94, 4)
    assert got.versions["v1"].latency == (40, 30, 20)
    assert got.versions["v2"].by_pod == {"c": (20, 0)}


def test_several_samples_of_a_steady_pod_are_counted_once_each() -> None:
    scraped = Scraped()
    watch = started(scraped)
    for at in (105, 110, 115, 120):
        scraped.pod(at, "v1", "a", 1000 + at, 5)
        scraped.pod(at, "v2", "c", at)
        if at == 110:
            collected(watch, at + 1)
    assert collected(watch, 121).versions["v2"].by_pod == {"c": (10, 0)}


def test_of_two_samples_of_one_time_the_first_counts() -> None:
    scraped = Scraped()
    watch = started(scraped)
    for at in (105, 110, 115):
        scraped.pod(at, "v1", "a", 1000 + at, 5)
        scraped.pod(at, "v2", "c", at)
        if at == 115:
            scraped.pod(at, "v2", "c", 500)
        got = collected(watch, at + 1)
    assert got.versions["v2"].by_pod == {"c": (5, 0)}
