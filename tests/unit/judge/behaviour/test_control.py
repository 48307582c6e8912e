"""What the canary is compared with: the stable's pods, or fresh ones that get as much traffic as it does."""

from __future__ import annotations

import numpy as np
import pytest

from glidepath.judge import Interval, Judge, Look, StepSettings, Verdict
from tests.unit.judge.traffic import arm, planned, settings

STEPS = (StepSettings(20, 30, 100),)


def looks(control: str, stable: float, canary: float, count: int = 60) -> Look:
    """The last look at arms with so many requests a second, at 20 %."""
    random, judge = np.random.default_rng(1), Judge(planned(settings(STEPS, control=control)))
    for number in range(count):
        interval = Interval(5 * number, 5 * number + 5, 20, arm(random, 5 * stable), arm(random, 5 * canary))
        look = judge.look(interval)
    return look


@pytest.mark.parametrize(("control", "stable"), [("stable", 80), ("fresh", 20)])
def test_the_share_that_is_expected_follows_the_control(control: str, stable: float) -> None:
    assert looks(control, stable, 20).reason != "split_mismatch"
    assert looks(control, 100 - stable, 20).reason == "split_mismatch"


def test_silence_is_told_by_what_a_fresh_baseline_answers() -> None:
    # As much as the canary should have: 14 expected requests are soon there.
    look = looks("fresh", 1.5, 0, 6)
    assert (look.verdict, look.reason) == (Verdict.FAIL, "canary_silent")
    assert looks("stable", 1.5, 0, 6).verdict is not Verdict.FAIL


def test_a_fresh_baseline_takes_longer_and_the_plan_says_so() -> None:
    stable, fresh = (planned(settings(STEPS, control=control)).feasibility for control in ("stable", "fresh"))
    for one, other in zip(stable.expectations, fresh.expectations, strict=True):
        assert one.seconds is not None
        assert other.seconds is not None
        assert other.seconds >= one.seconds
    assert fresh.expectations[0].seconds > stable.expectations[0].seconds  # type: ignore[operator]
