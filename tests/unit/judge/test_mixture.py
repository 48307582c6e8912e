"""Mixtures of bets: weights, cash, and mass that starts later."""

from __future__ import annotations

import math

import numpy as np
import pytest

from glidepath.judge.mixture import Mixture


def test_a_mixture_is_the_weighted_sum_of_its_bets() -> None:
    mixture = Mixture((0.25, 0.75), 1)
    mixture.start(1.0)
    mixture.multiply(np.log(np.array([[2.0, 0.5]])), 5)
    mixture.multiply(np.log(np.array([[3.0, 0.1]])), 5)
    assert math.exp(float(mixture.log_evidence()[0])) == pytest.approx(0.25 * 6 + 0.75 * 0.05)


def test_mass_that_has_not_started_is_cash() -> None:
    mixture = Mixture((1.0,), 1)
    mixture.start(0.4)
    mixture.multiply(np.log(np.array([[10.0]])), 5)
    mixture.start(0.3)
    mixture.multiply(np.log(np.array([[2.0]])), 5)
    assert math.exp(float(mixture.log_evidence()[0])) == pytest.approx(0.4 * 20 + 0.3 * 2 + 0.3)
    mixture.start(5.0)  # no more than there is
    assert math.exp(float(mixture.log_evidence()[0])) == pytest.approx(0.4 * 20 + 0.3 * 2 + 0.3)
