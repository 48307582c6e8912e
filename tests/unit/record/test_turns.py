"""Whose turn it is: the last one that took it writes, however many were begun."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from glidepath.errors import ReplacedError
from glidepath.record import Record
from glidepath.record.turns import GUARD, OBSERVER, Turn


def test_each_that_takes_a_turn_has_a_number_of_its_own(record: Record) -> None:
    assert record.turns.find("dag/run", GUARD) is None
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda at: record.turns.take("dag/run", GUARD, float(at)).number, range(24)))
    assert sorted(taken) == list(range(1, 25))
    assert record.turns.take("dag/run", OBSERVER, 5.0) == Turn(1, 5.0, False, 1, None)
    assert record.turns.take("dag/other", GUARD, 6.0).number == 1


def test_only_the_newest_shows_life_hands_on_and_leaves(record: Record) -> None:
    old = record.turns.take("dag/run", GUARD, 1.0)
    assert record.turns.keep("dag/run", GUARD, old.number, 2.0, {"end": 0.1 + 0.2})
    new = record.turns.take("dag/run", GUARD, 3.0)
    assert (new.unseen, new.samples) == (2, {"end": 0.30000000000000004})
    assert not record.turns.keep("dag/run", GUARD, old.number, 4.0, {"end": 9})
    record.turns.leave("dag/run", GUARD, old.number)
    assert record.turns.find("dag/run", GUARD) == new
    record.turns.leave("dag/run", GUARD, new.number)
    assert record.turns.find("dag/run", GUARD) == Turn(2, 3.0, True, 2, new.samples)
    assert not record.turns.take("dag/run", GUARD, 5.0).left


def test_a_look_of_one_that_was_replaced_is_not_written(record: Record) -> None:
    old = record.turns.take("dag/run", GUARD, 1.0)
    record.add_look("dag/run", 1, 1.0, None, {"e": 1}, old.number, {"end": 1.0})
    new = record.turns.take("dag/run", GUARD, 2.0)
    assert (new.unseen, new.samples) == (1, {"end": 1.0})
    with pytest.raises(ReplacedError, match="another guard watches dag/run"):
        record.add_look("dag/run", 2, 2.0, None, {"e": 2}, old.number, {"end": 2.0})
    assert record.looks("dag/run") == [(1, None, {"e": 1})]
    record.add_look("dag/run", 2, 3.0, None, {"e": 3}, new.number, {"end": 3.0})
    now = record.turns.find("dag/run", GUARD)
    assert now is not None
    assert (now.unseen, now.samples) == (0, {"end": 3.0})


def test_a_look_whose_answer_was_lost_changes_nothing_the_second_time(record: Record) -> None:
    mine = record.turns.take("dag/run", GUARD, 1.0)
    record.add_look("dag/run", 1, 1.0, None, {"e": 1}, mine.number, {"end": 1.0})
    record.add_look("dag/run", 1, 1.0, None, {"e": 7}, mine.number, {"end": 7.0})
    now = record.turns.find("dag/run", GUARD)
    assert now is not None
    assert (now.samples, record.last_look("dag/run")) == ({"end": 1.0}, {"e": 1})
