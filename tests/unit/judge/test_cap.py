"""What a bet may gain in a short time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.judge.cap import LONG_S, MOST, SHORT_S, Cap


def gained(*intervals: tuple[float, float]) -> list[float]:
    """What counts of (gain, seconds), where a rollback takes 10."""
    budget = Cap(10.0)
    return [float(budget.spend(np.array([[gain]]), seconds)[0, 0]) for gain, seconds in intervals]


def test_a_scrape_gains_six_tenths_and_two_eight() -> None:
    assert gained((50, 5), (50, 5), (50, 5), (50, 5)) == pytest.approx([6, 2, 6, 2])


def test_losses_count_in_full_and_pay_nothing_back() -> None:
    assert gained((6, 5), (-30, 5), (50, 5)) == pytest.approx([6, -30, 6])
    assert gained((5, 5), (-30, 2), (50, 3)) == pytest.approx([5, -30, 3])


def test_closer_scrapes_are_no_weaker_and_distant_ones_no_way_round() -> None:
    assert gained(*[(50, 1)] * 12) == pytest.approx([6, 0, 0, 0, 0, 2, 0, 0, 0, 0, 6, 0])
    assert gained((50, 15), (50, 15), (50, 15)) == pytest.approx([6, 2, 6])


@given(st.lists(st.tuples(st.floats(-5, 30), st.sampled_from([0.0, 0.5, 1.0, 2.0, 5.0, 7.0, 15.0])), max_size=60))
def test_no_window_gains_more_than_it_may(rows: list[tuple[float, float]]) -> None:
    counted = gained(*rows)
    assert all(one <= gain for one, (gain, _) in zip(counted, rows, strict=True))
    for first in range(len(rows)):
        length = won = 0.0
        for last in range(first, min(len(rows), first + MOST)):
            length, won = length + rows[last][1], won + max(counted[last], 0.0)
            if length <= SHORT_S or last == first:
                assert won <= 6 + 1e-9
            if length <= LONG_S or last == first + 1:
                assert won <= 8 + 1e-9


def test_it_forgets_what_no_window_reaches() -> None:
    budget = Cap(10.0)
    for _ in range(500):
        budget.spend(np.ones((2, 3)), 5.0)
    assert len(budget._past) == 3
