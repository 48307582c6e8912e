"""What is news, and by which key it is known for good."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from glidepath.messages.news import for_people, news
from glidepath.release.events import Closed, Decided, Deployed, Entered, Entry, TakenBack, WeightGiven
from glidepath.release.people import Asked

GIVEN = (WeightGiven(1, 20), WeightGiven(2, 50))


@pytest.mark.parametrize(
    ("entries", "keys"),
    [
        ((Deployed(3.0), *GIVEN), ["weight-1", "weight-2"]),
        ((*GIVEN, Decided(2, "ask", "?"), Asked("approve", "ann", "fine")), ["weight-1", "weight-2", "asks-2", "word-1"]),
        ((Asked("hold", "a", "b c"), Asked("resume", "a", "b c")), ["word-1", "word-2"]),
        ((Asked("take-back", "a", "b c"), TakenBack("taken back by a")), ["back"]),
        ((Decided(1, "ask", "?"), Asked("reject", "a", "b c"), TakenBack("x")), ["asks-1", "back"]),
        ((Entered("observing"), WeightGiven(3, 95, window=True), Entered("observing")), ["observing"]),
        ((TakenBack("x"), Closed("rolled_back", "x")), ["back", "ended"]),
    ],
)  # fmt: skip
def test_each_turn_is_one_news(entries: Sequence[Entry], keys: list[str]) -> None:
    assert [one.key for one in news(entries)] == keys


def test_a_key_does_not_change_when_more_happens() -> None:
    before = [one.key for one in news(GIVEN)]
    after = [one.key for one in news([*GIVEN, Asked("hold", "a", "b c"), TakenBack("x"), Closed("rolled_back", "x")])]
    assert after[: len(before)] == before


def test_people_are_not_told_twice_that_it_went_back() -> None:
    assert [one.key for one in for_people(list(news([TakenBack("x"), Closed("rolled_back", "x")])))] == ["back"]
    assert [one.key for one in for_people(list(news([Closed("promoted", "x")])))] == ["ended"]
