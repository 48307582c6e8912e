"""Restarts are looked for in the process: its counters begin anew together, and some are absent for a while."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evidence.scraped import Scraped
from tests.unit.evidence.test_collector import SCRAPE, collected, started


def test_an_error_counter_that_is_back_at_its_last_value_after_a_restart() -> None:
    scraped = Scraped()
    watch = started(scraped)
    total = [0, 0]
    lives = [(200, 0), (490, 5), (150, 0), (300, 0), (480, 5), (90, 0), (100, 7)]
    for number, (good, bad) in enumerate(lives):
        at = 105 + 5 * number
        scraped.pod(at, "v1", "a", 1000 + at, 5)
        scraped.pod(at, "v2", "c", good, bad)
        canary = collected(watch, at + 1).versions["v2"]
        total = [total[0] + canary.requests, total[1] + canary.errors]
    assert total == [490 + 5 + 480 + 5 + 100 + 7, 5 + 5 + 7]


def test_small_counters_that_begin_anew_are_no_restart() -> None:
    """A proxy's statistics are evicted one by one: the others must not count their lifetime again."""
    scraped = Scraped()
    watch = started(scraped)
    for at, good, bad in ((105, 1010, 9), (110, 1020, 2), (115, 1030, 4)):
        scraped.pod(at, "v1", "a", good, bad)
        scraped.pod(at, "v2", "c", 0)
        stable = collected(watch, at + 1).versions["v1"]
        assert stable.requests == 10 + {105: 4, 110: 2, 115: 2}[at]


def test_a_large_counter_that_was_away_alone_is_no_restart_of_the_others() -> None:
    scraped = Scraped()
    watch = started(scraped)
    for at, good in ((105, 1010), (110, None), (115, None), (120, 30), (125, 40)):
        if good is not None:
            scraped.add(at, good, name="requests", version="v1", pod="a", status="success")
        scraped.add(at, 500 + at, name="requests", version="v1", pod="a", status="error")
        scraped.pod(at, "v2", "c", 0)
        stable = collected(watch, at + 1).versions["v1"]
        assert stable.requests == {105: 10 + 600, 110: 5, 115: 5, 120: 5 + 30, 125: 5 + 10}[at]


LIFE = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 6)), min_size=2, max_size=4)


@settings(deadline=None)
@given(st.lists(LIFE, min_size=1, max_size=6), st.integers(1, 3))
def test_no_error_is_lost_or_doubled_over_restarts(lives: list[list[tuple[int, int]]], every: int) -> None:
    """A process that restarts, whose error counter is there once it has an error: all that was visible is counted.

    A life's first scrape has fewer requests than the one before ended with, as after a restart; looks may be rarer than
    scrapes.
    """
    scraped = Scraped()
    watch = started(scraped)
    at, scrapes = 100.0, 0
    told, visible = [0, 0], [0, 0]
    for life in lives:
        good = bad = 0
        for number, (more, wrong) in enumerate(life):
            at, scrapes = at + SCRAPE, scrapes + 1
            good += more + 100 * (number > 0)
            bad += wrong
            scraped.pod(at, "v1", "a", 1000 + scrapes, 5)
            scraped.pod(at, "v2", "c", good, bad)
            if scrapes % every == 0:
                canary = collected(watch, at + 1).versions["v2"]
                told = [told[0] + canary.requests, told[1] + canary.errors]
        visible = [visible[0] + good + bad, visible[1] + bad]
    if scrapes % every:
        canary = collected(watch, at + 1).versions["v2"]
        told = [told[0] + canary.requests, told[1] + canary.errors]
    assert told == visible
