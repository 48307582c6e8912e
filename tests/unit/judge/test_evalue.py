"""The e-value's promise, checked exactly: its expectation under every null is at most 1."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, poisson

from glidepath.judge.evalue import log_e

STABLE = (0.0005, 0.005, 0.05, 0.3)
MARGINS = (0.0, 0.0005, 0.002, 0.02)


def one(n: float, m: float, x: float, y: float, d: float, c: float, s: float) -> float:
    """One e-value's logarithm."""
    return float(log_e(n, m, x, y, np.array(d), np.array(c), np.array(s)))


def expectation(n: int, m: int, d: float, bet: tuple[float, float], truth: tuple[float, float], exact: str) -> float:
    """E[e] when the canary's and stable's probabilities are `truth`, by enumeration of all counts."""
    if exact == "poisson":
        x, y = (np.arange(int(mean + 12 * math.sqrt(mean) + 40)) for mean in (n * truth[0], m * truth[1]))
        weights = np.outer(poisson.pmf(x, n * truth[0]), poisson.pmf(y, m * truth[1]))
    else:
        x, y = np.arange(n + 1), np.arange(m + 1)
        weights = np.outer(binom.pmf(x, n, truth[0]), binom.pmf(y, m, truth[1]))
    args = np.array(d), np.array(bet[0]), np.array(bet[1])
    logs = log_e(n, m, x[:, None], y[None, :], *args)  # type: ignore[arg-type]
    return float(np.sum(weights * np.exp(logs)))


@pytest.mark.parametrize("exact", ["poisson", "binomial"])
@pytest.mark.parametrize(("n", "m"), [(25, 475), (60, 60), (200, 10)])
def test_expectation_is_at_most_one_on_a_grid_of_nulls(n: int, m: int, exact: str) -> None:
    worst = 0.0
    for bet_on, p_s, d in product(STABLE, STABLE, MARGINS):
        for factor in (1.3, 3.0, 12.0):
            c = min(0.9, factor * (bet_on + d))
            for below in (0.0, 0.4, 1.0):  # harm's null: the canary is within the margin
                truth = (below * (p_s + d), p_s)
                if c > bet_on + d and truth[0] < 1:
                    worst = max(worst, expectation(n, m, d, (c, bet_on), truth, exact))
        for factor in (1.0, 0.6, 0.25):
            c = factor * bet_on
            for above in (0.0, 0.1, 0.5):  # safety's null: the canary is beyond the margin
                truth = (p_s + d + above * (1 - p_s - d), p_s)
                if c < bet_on + d and truth[0] < 1:
                    worst = max(worst, expectation(n, m, d, (c, bet_on), truth, exact))
    assert worst <= 1 + 1e-9
    assert worst > 0.99  # the grid touches the boundary of the null, where the promise is tight


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
