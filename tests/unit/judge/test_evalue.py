"""The e-value's promise, checked exactly: its expectation under every null is at most 1."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from glidepath.judge.evalue import Asked, along, log_e, log_es, projection

STABLE = (0.0005, 0.005, 0.05, 0.3, 0.6, 0.95)
MARGINS = (-0.3, -0.004, 0.0, 0.0005, 0.002, 0.02, 0.2)
ODDS = (0.1, 0.5, 0.9, 1.12, 1.8, 6.0, 40.0)
TRUE_STABLE = (0.0, 0.0005, 0.003, 0.005, 0.05, 0.2, 0.6, 0.95, 1.0)


def one(n: float, m: float, x: float, y: float, d: float, c: float, s: float) -> float:
    """One e-value's logarithm."""
    return float(log_e(n, m, x, y, np.array(d), np.array(c), np.array(s)))


@cache
def chances(n: int, share: float) -> np.ndarray:
    """Of each count of events from 0 to n, when so large a share are events."""
    return np.asarray(binom.pmf(np.arange(n + 1), n, share))


def expectations(
    n: int, m: int, d: float, bet: tuple[float, float], truths: Iterator[tuple[float, float]], b: float | None = None
) -> Iterator[float]:
    """E[e] when the canary's and stable's probabilities are each of `truths`, by enumeration of all counts."""
    x, y = np.arange(n + 1)[:, None], np.arange(m + 1)[None, :]
    slope = None if b is None else np.array(b)
    e = np.exp(log_e(n, m, x, y, np.array(d), np.array(bet[0]), np.array(bet[1]), slope))  # type: ignore[arg-type]
    for p_c, p_s in truths:
        yield float(chances(n, p_c) @ e @ chances(m, p_s))


def nulls(d: float, harm: bool, b: float = 1.0) -> Iterator[tuple[float, float]]:
    """A grid of truths in the null, on its edge and inside."""
    for p_s, inside in product(TRUE_STABLE, (1.0, 0.9, 0.4, 0.0)):
        edge = b * p_s + d
        if 0 <= edge <= 1:
            yield (edge * inside if harm else 1 - (1 - edge) * inside), p_s


@pytest.mark.parametrize(("n", "m"), [(25, 475), (60, 60), (200, 10), (1, 300), (3, 1)])
def test_expectation_is_at_most_one_on_a_grid_of_nulls(n: int, m: int) -> None:
    worst = 0.0
    for s, d, ratio in product(STABLE, MARGINS, ODDS):
        null = s + d
        if 0 < null < 1:
            bet = ratio * null / (1 + (ratio - 1) * null), s
            worst = max(worst, *expectations(n, m, d, bet, nulls(d, harm=ratio > 1)))
    assert worst <= 1 + 1e-9
    assert worst > 0.999  # the grid touches the boundary of the null, where the promise is tight


@pytest.mark.parametrize("steps", [0, 1])
def test_the_promise_does_not_hang_on_how_near_the_projection_is(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("glidepath.judge.evalue.STEPS", steps)
    for s, d, ratio in product((0.005, 0.3), (-0.004, 0.0, 0.2), ODDS):
        bet = ratio * (s + d) / (1 + (ratio - 1) * (s + d)), s
        assert max(expectations(25, 60, d, bet, nulls(d, harm=ratio > 1))) <= 1 + 1e-9


def test_the_projection_is_the_closest_point_of_the_nulls_edge() -> None:
    for n, m, d, s, ratio in product((5, 500), (5, 5000), (-0.004, 0.0, 0.02), (0.005, 0.05, 0.7), (0.3, 1.3, 12)):
        c = ratio * (s + d) / (1 + (ratio - 1) * (s + d))

        def divergence(p: float, n: int = n, m: int = m, d: float = d, c: float = c, s: float = s) -> float:
            return -sum(
                count * (share * math.log(at) + (1 - share) * math.log1p(-at))
                for count, share, at in ((n, c, p + d), (m, s, p))
            )

        found = float(projection(n, m, np.array(d), np.array(c), np.array(s)))
        for near in (found * (1 - 1e-4), found * (1 + 1e-4)):
            if 0 < near < 1 and 0 < near + d < 1:
                assert divergence(found) <= divergence(near) + 1e-9


LINES = ((0.0, 0.2), (0.0, 0.8), (0.0, 1.5), (0.0, 6.0), (0.01, 1.3), (0.1, 1.1), (0.05, 0.5), (0.002, 1.0))


def bets_on_lines() -> Iterator[tuple[float, float, float, float, float]]:
    """Margins and slopes of nulls, and the canary's and stable's probabilities that are bet on, with the odds ratio."""
    for s, (d, b), odds in product(STABLE, LINES, ODDS):
        null = b * s + d
        if null < 1:
            yield d, b, odds * null / (1 + (odds - 1) * null), s, odds


@pytest.mark.parametrize(("n", "m"), [(25, 475), (60, 60), (200, 10), (1, 300), (3, 1)])
def test_expectation_is_at_most_one_where_the_null_is_a_line(n: int, m: int) -> None:
    worst = 0.0
    for d, b, c, s, odds in bets_on_lines():
        worst = max(worst, *expectations(n, m, d, (c, s), nulls(d, odds > 1, b), b))
    assert worst <= 1 + 1e-9
    assert worst > 0.999


def test_the_closest_point_of_a_line_is_found() -> None:
    for n, m in product((5, 500), (5, 5000)):
        for d, b, c, s, _ in bets_on_lines():

            def divergence(
                p: float, n: int = n, m: int = m, d: float = d, b: float = b, c: float = c, s: float = s
            ) -> float:
                return -sum(
                    count * (share * math.log(at) + (1 - share) * math.log1p(-at))
                    for count, share, at in ((n, c, b * p + d), (m, s, p))
                )

            found = float(along(n, m, np.array(d), np.array(b), np.array(c), np.array(s)))
            for near in (found * (1 - 1e-4), found * (1 + 1e-4)):
                if 0 < near < 1 and 0 < b * near + d < 1:
                    assert divergence(found) <= divergence(near) + 1e-9


def test_beside_a_line_it_grows_by_the_divergence_from_the_closest_point() -> None:
    for n, m in ((5, 5000), (500, 500)):
        for d, b, c, s, _ in bets_on_lines():
            closest = float(along(n, m, np.array(d), np.array(b), np.array(c), np.array(s)))
            expected = sum(
                count * (share * math.log(share / at) + (1 - share) * math.log((1 - share) / (1 - at)))
                for count, share, at in ((n, c, b * closest + d), (m, s, closest))
            )
            grown = float(log_e(n, m, n * c, m * s, np.array(d), np.array(c), np.array(s), np.array(b)))
            assert grown == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_a_line_of_slope_one_is_a_margin() -> None:
    for n, m, d, s, odds in product((5, 500), (5, 5000), (0.0, 0.02), (0.005, 0.05, 0.7), (0.3, 1.3, 12)):
        c = odds * (s + d) / (1 + (odds - 1) * (s + d))
        by_margin = log_e(n, m, 0.1 * n, 0.05 * m, np.array(d), np.array(c), np.array(s))
        along_it = log_e(n, m, 0.1 * n, 0.05 * m, np.array(d), np.array(c), np.array(s), np.array(1.0))
        assert float(along_it) == pytest.approx(float(by_margin), rel=1e-6, abs=1e-9)


def test_it_grows_fastest_when_the_bet_is_true() -> None:
    truth = (0.05, 0.005)
    n, m, d = 1000, 9000, 0.0005
    growth = {c: one(n, m, n * truth[0], m * truth[1], d, c, truth[1]) for c in (0.02, 0.04, 0.05, 0.06, 0.1)}
    assert max(growth, key=growth.__getitem__) == 0.05
    assert growth[0.05] > 0


def test_margins_may_be_negative() -> None:
    """H0 p_c <= p_s - 0.02 is H0 p_s >= p_c + 0.02 with the arms' names exchanged."""
    for n, m, x, y in ((100, 400, 9, 20), (400, 100, 0, 9), (50, 50, 5, 0)):
        direct = one(n, m, x, y, -0.02, 0.08, 0.05)
        exchanged = one(m, n, y, x, 0.02, 0.05, 0.08)
        assert direct == pytest.approx(exchanged, rel=1e-9)


counts = st.integers(0, 10**9)
shares = st.floats(1e-6, 0.9)


@given(counts, counts, shares, shares, st.floats(-0.5, 0.5), st.data())
def test_no_counts_make_it_other_than_a_number(
    n: int, m: int, c: float, s: float, d: float, data: st.DataObject
) -> None:
    if s + d <= 0:
        return
    x, y = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    value = one(n, m, x, y, d, c, s)
    assert not math.isnan(value)
    if n == 0 or m == 0:
        assert value == 0.0


@given(st.integers(1, 10**6), st.integers(1, 10**6), shares, st.floats(0, 0.05), st.floats(1.01, 20))
def test_harm_evidence_grows_with_the_canarys_events(n: int, m: int, s: float, d: float, factor: float) -> None:
    c = min(0.95, factor * (s + d))
    if c <= s + d:
        return
    few, many = (one(n, m, x, m * s, d, c, s) for x in (n * s, n * s + 1))
    assert many >= few
    safe_few, safe_many = (one(n, m, x, m * s, d + 0.01, s * 0.5, s) for x in (n * s, n * s + 1))
    assert safe_many <= safe_few


@given(
    st.lists(st.tuples(st.sampled_from(STABLE), st.integers(1, 9), st.integers(0, 2**32 - 1)), min_size=1, max_size=9)
)
def test_several_at_once_are_what_each_is_by_itself(several: list[tuple[float, int, int]]) -> None:
    n, m = 100.0, 400.0
    asked = []
    for stable, rows, seed in several:
        random = np.random.default_rng(seed)
        s = np.clip(stable * random.uniform(0.5, 1.05, (rows, 1)), 1e-6, 0.98)
        b = random.uniform(0.3, 1.0, (rows, 1))
        d = random.uniform(0.0, 0.9, (rows, 1)) * (1.0 - b * s)
        c = random.uniform(1e-6, 1.0 - 1e-6, (rows, 9))
        asked.append(
            Asked(random.integers(0, 101, (rows, 1)).astype(float), float(random.integers(0, 401)), d, c, s, b)
        )
    for found, alone in zip(log_es(n, m, asked), asked, strict=True):
        expected = log_e(n, m, alone.x, alone.y, alone.d, alone.c, alone.s, alone.b)
        assert found.tobytes() == expected.tobytes()
    for found, alone in zip(log_es(0.0, m, asked), asked, strict=True):
        assert found.tobytes() == np.zeros(alone.c.shape).tobytes()
