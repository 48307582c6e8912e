"""Mixtures of bets: weights, cash, and mass that starts later."""

from __future__ import annotations

import math

import numpy as np
import pytest

from glidepath.judge.mixture import Mixture


def test_a_mixture_is_the_weighted_sum_of_its_bets() -> None:
    mixture = Mixture((0.25, 0.75), 1)
    mixture.start(1.0)
    mixture.multiply(np.log(np.array([[2.0, 0.5]])))
    mixture.multiply(np.log(np.array([[3.0, 0.1]])))
    assert math.exp(float(mixture.log_evidence()[0])) == pytest.approx(0.25 * 6 + 0.75 * 0.05)


def test_mass_that_has_not_started_is_cash() -> None:
    mixture = Mixture((1.0,), 1)
    mixture.start(0.4)
    mixture.multiply(np.log(np.array([[10.0]])))
    mixture.start(0.3)
    mixture.multiply(np.log(np.array([[2.0]])))
    assert math.exp(float(mixture.log_evidence()[0])) == pytest.approx(0.4 * 20 + 0.3 * 2 + 0.3)
    mixture.start(5.0)  # no more than there is
    assert math.exp(float(mixture.log_evidence()[0])) == pytest.approx(0.4 * 20 + 0.3 * 2 + 0.3)


def test_what_is_beyond_the_ceiling_is_given_away() -> None:
    mixture = Mixture((0.5, 0.5), 2, ceiling=math.log(100.0))
    mixture.start(1.0)
    steps = np.log(np.array([[50.0, 2.0], [3.0, 3.0]]))
    for _ in range(3):
        mixture.multiply(steps)
    first, second = np.exp(mixture.log_evidence())
    assert first == pytest.approx(100.0)
    assert second == pytest.approx(27.0)  # a question that is below keeps all
    mixture.multiply(-np.log(np.array([[50.0, 50.0], [1.0, 1.0]])))
    assert math.exp(float(mixture.log_evidence()[0])) == pytest.approx(2.0)  # not 50 squared


def test_cash_is_not_given_away() -> None:
    mixture = Mixture((1.0,), 1, ceiling=0.0)
    mixture.start(0.6)
    mixture.multiply(np.array([[5.0]]))
    assert math.exp(float(mixture.log_evidence()[0])) == pytest.approx(1.4)
