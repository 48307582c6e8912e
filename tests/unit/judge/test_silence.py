"""How many of the control's requests make a silence of the canary's more than luck."""

from __future__ import annotations

import numpy as np
import pytest

from glidepath.judge.silence import LUCK, Silence

ALPHA = 1e-4


def least(canary: float, control: float, before: int = 0) -> int:
    """The fewest requests of the control that prove it, after so many intervals in which the canary answered."""
    for requests in range(1, 10_000):
        silence = Silence(ALPHA)
        for _ in range(before):
            silence.feed(1, 1, 5.0, (canary, control))
        silence.feed(0, requests, 15.0, (canary, control))
        if silence.proven(15.0):
            return requests
    raise AssertionError("never")


@pytest.mark.parametrize(("weight", "requests"), [(5, 270), (50, 20), (80, 9), (95, 5)])
def test_as_many_as_make_the_chance_small_at_this_weight(weight: int, requests: int) -> None:
    share = weight / 100
    assert least(share, 1 - share) == requests
    assert (1 - share) ** requests <= LUCK < (1 - share) ** (requests - 1)


def test_a_fresh_control_gets_as_much_as_the_canary_whatever_the_weight() -> None:
    assert least(0.05, 0.05) == least(0.4, 0.4) == 20


def test_fourteen_requests_in_three_scrapes_at_half_the_traffic_are_none() -> None:
    silence = Silence(ALPHA)
    for control in (5, 5, 4):
        silence.feed(0, control, 5.0, (0.5, 0.5))
    assert not silence.proven(15.0)
    silence.feed(0, 6, 5.0, (0.5, 0.5))
    assert silence.proven(15.0)
    assert not silence.proven(30.0)


def test_chances_add_up_to_alpha_over_any_number_of_silences() -> None:
    spent = sum(0.5 ** least(0.5, 0.5, before) for before in range(300))
    assert least(0.5, 0.5, 299) > 20
    assert spent <= ALPHA
    assert min(LUCK, ALPHA / 2) <= 2 * 0.5 ** least(0.5, 0.5)


def test_an_answer_ends_it_and_a_version_without_weight_is_not_silent() -> None:
    silence = Silence(ALPHA)
    silence.feed(0, 100, 15.0, (0.5, 0.5))
    assert silence.proven(15.0)
    silence.feed(1, 100, 5.0, (0.5, 0.5))
    assert not silence.proven(0.0)
    for shares in ((0.0, 1.0), (1.0, 0.0)):
        silence.feed(0, 10**6, 60.0, shares)
        assert not silence.proven(15.0)


def test_good_canaries_with_little_traffic_are_not_called_silent() -> None:
    """An hour at a request a second and half the traffic, 400 times; one in a hundred was, with 14 requests."""
    random, called = np.random.default_rng(1), 0
    for _ in range(400):
        silence = Silence(ALPHA)
        total = random.poisson(5.0, 720)
        canary = random.binomial(total, 0.5)
        for own, both in zip(canary.tolist(), total.tolist(), strict=True):
            silence.feed(own, both - own, 5.0, (0.5, 0.5))
            if silence.proven(15.0):
                called += 1
                break
    assert called == 0
