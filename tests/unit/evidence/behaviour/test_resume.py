"""A collector that goes on from another's state counts what that one would have counted."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.evidence import Collector, Waiting
from glidepath.evidence.interval import Collected
from tests.unit.evidence.scraped import SOURCE, Scraped
from tests.unit.evidence.test_collector import SCRAPE, collected, collector, started


def follower(watch: Collector, scraped: Scraped) -> Collector:
    """Another process, with nothing but the state, as the record gives it back."""
    state = watch.state()
    assert state is not None
    other = collector(scraped)
    other.resume(json.loads(json.dumps(state)))
    return other


def test_nothing_is_lost_and_nothing_counted_twice_over_a_change() -> None:
    scraped = Scraped()
    watch = follower(started(scraped), scraped)
    waiting = watch.collect(104.96)
    assert isinstance(waiting, Waiting)
    assert "no newer sample yet of a, c" in waiting.why
    scraped.pod(105, "v1", "a", 1450, 7)
    scraped.pod(105, "v2", "c", 48, 2)
    got = collected(watch, 106)
    assert (got.start, got.end) == (100, 105)
    assert (got.versions["v1"].requests, got.versions["v1"].errors) == (452, 2)
    assert got.versions["v2"].by_pod == {"c": (50, 2)}


def test_a_pod_that_was_not_scraped_for_a_while_is_no_burst_of_its_whole_past() -> None:
    scraped = Scraped()
    watch = started(scraped)
    for at in (105, 110, 115, 120):
        scraped.pod(at, "v1", "a", 1000 + at, 5)
        watch.collect(at + 1)
    other = follower(watch, scraped)
    scraped.pod(125, "v1", "a", 1125, 5)
    scraped.pod(125, "v2", "c", 90_000)
    assert collected(other, 126).versions["v2"].requests == 0
    scraped.pod(130, "v1", "a", 1130, 5)
    scraped.pod(130, "v2", "c", 90_010)
    assert collected(other, 131).versions["v2"].requests == 10


def test_a_state_that_is_too_old_is_a_gap() -> None:
    scraped = Scraped()
    other = follower(started(scraped), scraped)
    for at in (175, 180, 185):
        scraped.pod(at, "v1", "a", 9000 + at, 5)
        scraped.pod(at, "v2", "c", 9000 + at)
    assert isinstance(other.collect(186), Waiting)  # a baseline
    scraped.pod(190, "v1", "a", 9190, 5)
    scraped.pod(190, "v2", "c", 9190)
    assert collected(other, 191).versions["v2"].requests == 5


def test_a_state_is_small() -> None:
    scraped = Scraped()
    for number in range(20):
        scraped.pod(100, "v1" if number % 2 else "v2", f"model-service-7f46f6656-{number:05}", 1000)
    watch = collector(scraped)
    watch.collect(101)
    assert len(json.dumps(watch.state())) < 20 * 250


PODS = (("v1", "a"), ("v1", "b"), ("v2", "c"))
# Per scrape and pod: how many requests more, how many errors more, and whether the process restarts before it.
SERVED = st.tuples(st.integers(0, 50), st.integers(0, 3), st.sampled_from([False, False, False, True]))
SCRAPES = st.lists(st.tuples(*[SERVED] * len(PODS), st.booleans()), min_size=3, max_size=15)


@settings(max_examples=200, deadline=None)
@given(SCRAPES)
def test_changes_at_any_time_leave_every_interval_as_it_is(scrapes: list[tuple[object, ...]]) -> None:
    scraped, totals = Scraped(), dict.fromkeys(PODS, (0, 0))
    one, other = collector(scraped), collector(scraped)
    for number, row in enumerate(scrapes):
        at = 100 + SCRAPE * number
        for pod, (good, bad, restarts) in zip(PODS, row[:-1], strict=True):  # type: ignore[misc]
            before = (0, 0) if restarts else totals[pod]
            totals[pod] = before[0] + good, before[1] + bad
            scraped.pod(at, *pod, *totals[pod])
        if row[-1] and other.state() is not None:
            other = follower(other, scraped)
        expected, got = one.collect(at + 1), other.collect(at + 1)
        assert isinstance(expected, Collected) == (number > 0)
        assert got == expected


def test_nothing_was_read_nothing_is_handed_on() -> None:
    assert Collector(Scraped(), SOURCE, "v1", ["v1", "v2"], SCRAPE).state() is None
