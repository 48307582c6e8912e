"""What the past says of the stable's probability: after a storm it is where it was."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from glidepath.judge.base import HALF_LIFE_S, PRIOR_REQUESTS, Base

CALM, STORM = 0.005, 0.15


def fed(*scrapes: tuple[float, float], planned: float = CALM) -> Base:
    """After scrapes of 5 s with (requests, events)."""
    base = Base(planned)
    for requests, events in scrapes:
        base.see(requests, events, 5.0)
    return base


def test_in_calm_it_is_the_plan_and_what_was_seen_fading() -> None:
    faded = 2.0 ** (-5.0 / HALF_LIFE_S)
    expected = (PRIOR_REQUESTS * CALM + 2 * faded + 1) / (PRIOR_REQUESTS + 250 * faded + 200)
    assert float(fed((250, 2), (200, 1)).now()) == pytest.approx(expected)


def test_a_storm_is_followed_within_scrapes_and_forgotten_within_two() -> None:
    calm, storm = (250.0, 1.0), (250.0, 250 * STORM)
    assert float(fed(*[calm] * 60, *[storm] * 6).now()) == pytest.approx(STORM, rel=0.3)
    after = fed(*[calm] * 60, *[storm] * 12, calm, calm)
    assert float(after.now()) < 2 * CALM


def test_after_a_storm_one_scrape_says_little_again() -> None:
    scrapes = [*[(250.0, 1.0)] * 60, *[(250.0, 250 * STORM)] * 12, *[(250.0, 1.0)] * 24]
    before, after = float(fed(*scrapes).now()), float(fed(*scrapes, (250.0, 0.0)).now())
    assert after == pytest.approx(before, rel=0.05)


def test_a_lasting_change_is_followed_at_once_and_then_known() -> None:
    calm, worse = (250.0, 1.0), (250.0, 10.0)
    assert float(fed(*[calm] * 60, *[worse] * 6).now()) == pytest.approx(0.04, rel=0.3)
    assert float(fed(*[calm] * 60, *[worse] * 360).now()) == pytest.approx(0.04, rel=0.15)
    assert float(fed(*[worse] * 360, *[calm] * 6).now()) < 0.02


def test_what_is_allowed_is_what_chance_seldom_exceeds() -> None:
    random = np.random.default_rng(1)
    base, beyond = Base(CALM), 0
    for _ in range(2000):
        events = float(random.binomial(250, CALM))
        beyond += events > base.most(250.0)
        base.see(250.0, events, 5.0)
    assert beyond / 2000 < 0.02
    assert Base(CALM).most(0.0) == 1.0


@hypothesis_settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 10**6), st.floats(0, 1)), max_size=30), st.sampled_from([1e-6, 0.005, 0.5, 0.999])
)
def test_it_is_a_probability_whatever_was_seen(rows: list[tuple[int, float]], planned: float) -> None:
    base = fed(*[(float(n), float(round(n * share))) for n, share in rows], planned=planned)
    assert 0.0 < float(base.now()) < 1.0
    assert math.isfinite(float(base.most(1000.0)))


def test_many_releases_are_each_as_alone() -> None:
    rows = np.random.default_rng(2).binomial(250, [0.005, 0.02, 0.3], (40, 3)).astype(np.float64)
    together = Base(np.full(3, CALM))
    for row in rows:
        together.see(250.0, row, 5.0)
    alone = [float(fed(*[(250.0, float(y)) for y in column]).now()) for column in rows.T]
    assert np.asarray(together.now()).tolist() == pytest.approx(alone)
