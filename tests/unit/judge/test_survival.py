"""Shares of slower requests between the edges of buckets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator

from glidepath.judge.survival import Survival, corners, nulls, shares_beyond

EDGES = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


@st.composite
def falling(draw: st.DrawFn) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Shares that fall, or stay, from edge to edge."""
    counts = draw(st.lists(st.integers(0, 10**6), min_size=len(EDGES) + 1, max_size=len(EDGES) + 1))
    return shares_beyond(counts)  # type: ignore[return-value]


def test_half_a_request_is_added_on_either_side() -> None:
    assert shares_beyond((90, 9, 1)).tolist() == pytest.approx([10.5 / 101, 1.5 / 101])
    assert shares_beyond((10, 0)).tolist() == [0.5 / 11]
    assert shares_beyond((0, 10)).tolist() == [10.5 / 11]


@given(falling())
def test_at_the_edges_it_is_what_was_counted(shares: np.ndarray[tuple[int], np.dtype[np.float64]]) -> None:
    assert Survival(EDGES, EDGES).at(shares)[0] == pytest.approx(shares, rel=1e-9)


@given(falling(), st.lists(st.floats(0.0001, 50.0), min_size=2, max_size=20))
def test_no_later_latency_has_more_requests_beyond_it(
    shares: np.ndarray[tuple[int], np.dtype[np.float64]], latencies: list[float]
) -> None:
    read, falls = Survival(EDGES, sorted(latencies)).at(shares)
    assert ((read > 0) & (read < 1) | (np.abs(read - 0.5) == 0.5)).all()
    assert (np.diff(read) <= 1e-12).all()
    assert (falls <= 0).all()


@given(falling(), st.lists(st.floats(0.0101, 0.499), min_size=1, max_size=20))
def test_between_the_inner_edges_it_is_the_monotone_cubic_of_scipy(
    shares: np.ndarray[tuple[int], np.dtype[np.float64]], latencies: list[float]
) -> None:
    odds = np.log(shares / (1 - shares))
    expected = PchipInterpolator(np.log(EDGES), odds)(np.log(latencies))
    assert Survival(EDGES, latencies).at(shares)[0] == pytest.approx(1 / (1 + np.exp(-expected)), rel=1e-6)


def test_a_log_logistic_law_is_read_off_exactly_even_beyond_the_edges() -> None:
    def law(seconds: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.asarray(1 / (1 + (seconds / 0.04) ** 2.5))

    latencies = np.array([0.001, 0.0042, 0.03, 0.0707, 0.6, 3.0])
    assert Survival(EDGES, latencies.tolist()).at(law(np.array(EDGES)))[0] == pytest.approx(law(latencies), rel=1e-9)


def test_many_releases_are_read_at_once() -> None:
    shares = np.array([[0.9, 0.4, 0.1], [0.8, 0.3, 0.05]])
    read = Survival(EDGES[:3], (0.007, 0.02))
    for number in (0, 1):
        assert read.at(shares)[number] == pytest.approx(np.array([read.at(one)[number] for one in shares]))
    assert Survival(EDGES[:2], [0.007]).at(shares[:, :2])[0].shape == (2, 1)


@given(falling(), st.floats(0.003, 1.5).filter(lambda at: min(abs(at / edge - 1) for edge in EDGES) > 1e-3))
def test_by_how_much_a_share_falls_is_its_derivative(
    shares: np.ndarray[tuple[int], np.dtype[np.float64]], at: float
) -> None:
    step = 1e-6
    (before, _, after), falls = Survival(EDGES, [at * np.exp(-step), at, at * np.exp(step)]).at(shares)
    assert falls[1] == pytest.approx((after - before) / (2 * step), rel=1e-3, abs=1e-7)


@given(st.floats(0.001, 0.9), st.floats(-3.0, 0.0), st.floats(0.001, 0.95), st.floats(-3.0, 0.0))
def test_a_null_goes_through_what_is_known_and_has_no_negative_margin(
    share: float, falls: float, slower: float, slower_falls: float
) -> None:
    margin, slope = nulls(*(np.array([one]) for one in (share, falls, slower, slower_falls)))
    assert float(margin[0] + slope[0] * share) == pytest.approx(slower)
    assert margin[0] >= -1e-12
    assert slope[0] > 0


@given(st.floats(0.001, 0.95), st.floats(-3.0, 0.0), st.floats(0.0, 1.0), st.floats(-3.0, 0.0), st.floats(0.0, 1.0))
def test_no_slower_version_has_fewer_beyond_than_stable_whatever_that_has(
    share: float, falls: float, part: float, slower_falls: float, later: float
) -> None:
    slower = share + part * (1.0 - 1e-15 - share)
    margin, slope = nulls(*(np.array([one]) for one in (share, falls, slower, slower_falls)))
    assert float(margin[0] + slope[0] * later) >= later - 1e-12


@given(st.floats(0.001, 0.95), st.floats(-3.0, 0.0), st.floats(0.0, 1.0), st.floats(-3.0, 0.0), st.floats(0.0, 1.0))
def test_lines_to_the_corners_leave_no_room_where_stable_has_none_or_all_and_all_of_it_where_it_was(
    share: float, falls: float, part: float, slower_falls: float, later: float
) -> None:
    slower = share + part * (1.0 - 1e-9 - share)
    tangent = nulls(*(np.array([one]) for one in (share, falls, slower, slower_falls)))
    (no_margin, margin), (slope, every) = corners(np.array([share]), *tangent)
    assert no_margin == 0
    assert 0 <= margin[0] <= 1
    assert slope[0] > 0
    assert every[0] > 0
    assert float(margin[0] + every[0]) == pytest.approx(1.0)
    for line in (slope[0] * share, margin[0] + every[0] * share):
        assert line >= slower - 1e-9
    assert float(margin[0] + every[0] * later) >= later - 1e-9


def test_far_beyond_steep_edges_a_share_is_neither_nothing_nor_all() -> None:
    narrow = (0.100, 0.101, 0.102)
    read, falls = Survival(narrow, [0.01, 1.0]).at(shares_beyond((1, 500_000, 500_000, 1)))
    assert ((read > 0) & (read < 1)).all()
    assert np.isfinite(falls).all()


def test_a_null_follows_the_law_while_it_drifts() -> None:
    def law(seconds: float) -> float:
        return 1 / (1 + (seconds / 0.04) ** 2.5)

    knots = np.array([law(edge) for edge in EDGES])
    read, falls = Survival(EDGES, [0.1, 0.1 / 1.1]).at(knots)
    margin, slope = nulls(read[:1], falls[:1], read[1:], falls[1:])
    for drift in (0.97, 1.03):
        there, truth = law(0.1 / drift), law(0.1 / drift / 1.1)
        assert float(margin[0] + slope[0] * there) == pytest.approx(truth, rel=1e-3)
        assert abs(float(read[1] - read[0]) + there - truth) > 5 * abs(float(margin[0] + slope[0] * there) - truth)


def test_one_edge_is_refused() -> None:
    with pytest.raises(ValueError, match="1 edges: expected two or more"):
        Survival(EDGES[:1], [0.1])
