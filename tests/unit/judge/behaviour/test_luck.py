"""Where luck speaks: one scrape promotes nothing, what is proven was so lately, and a storm that hits both is survived."""

from __future__ import annotations

import numpy as np
import pytest

from glidepath.judge import ArmCounts, Interval, Judge, StepSettings, Verdict
from tests.unit.judge.traffic import arm, planned, release, settings

HALF = (StepSettings(50, 60, 100),)


def walked(errors: float, shock: tuple[float, float], at: range, seed: int, most: int = 24) -> tuple[Verdict, int]:
    """Scrapes at 50 %, until a word is given; in some, stable and canary fail in such shares of their requests."""
    random, judge = np.random.default_rng(seed), Judge(planned(settings(HALF), seed=seed))
    for number in range(most):
        stable, canary = shock if number in at else (0.005, errors)
        interval = Interval(5.0 * number, 5.0 * number + 5, 50, arm(random, 250, stable), arm(random, 250, canary))
        look = judge.look(interval)
        if look.verdict in (Verdict.PASS, Verdict.FAIL):
            return look.verdict, number
    return look.verdict, most


@pytest.mark.parametrize(
    "shock",
    [(0.25, 0.01), (1.0, 1.0), (0.7, 0.3)],
    ids=["a stable pod of four fails", "all fail", "all fail, the stable's scrapes see more of it"],
)
def test_one_bad_scrape_of_the_stable_promotes_no_canary_with_twice_the_errors(shock: tuple[float, float]) -> None:
    ended = [walked(0.01, shock, range(14, 15), seed) for seed in range(12)]
    assert Verdict.PASS not in {verdict for verdict, _ in ended}


def test_ten_seconds_of_outage_pod_by_pod_promote_nothing() -> None:
    shocks = [(0.6, 0.2), (1.0, 1.0), (0.4, 0.8)]
    for seed in range(12):
        random, judge = np.random.default_rng(seed), Judge(planned(settings(HALF), seed=seed))
        for number in range(24):
            stable, canary = shocks[number - 14] if 14 <= number < 17 else (0.005, 0.01)
            look = judge.look(
                Interval(5.0 * number, 5.0 * number + 5, 50, arm(random, 250, stable), arm(random, 250, canary))
            )
            assert look.verdict is not Verdict.PASS


def test_no_scrape_proves_safety_alone_however_many_requests_it_has() -> None:
    """Counts that can't be, such as a pod's whole life in one interval, are one scrape's evidence at most."""
    judge = Judge(planned(settings(HALF)))
    counts = [arm(np.random.default_rng(1), 10**6, share) for share in (0.005, 0.0)]
    spurious = ArmCounts(counts[0].requests, counts[0].errors + 5001, counts[0].latency, 4)
    first = judge.look(Interval(0, 5, 50, spurious, counts[1]))
    second = judge.look(Interval(5, 10, 50, spurious, counts[1]))
    assert not any(one.proven_safe for look in (first, second) for one in look.metrics)


@pytest.mark.parametrize("change", [{"slower": 1.15}, {"errors": 0.01}], ids=["p95 +15 %", "errors x2"])
@pytest.mark.parametrize("before_s", [300.0, 180.0])
def test_a_fault_late_in_a_long_bake_is_not_promoted_on_what_was_before(
    change: dict[str, float], before_s: float
) -> None:
    asked = settings((StepSettings(50, 1260, 100),))
    ended = [release(seed, asked=asked, worse_from_s=1260 - before_s, **change) for seed in range(4)]
    assert {one.verdict for one in ended} == {Verdict.FAIL}


def test_a_good_version_is_promoted_when_its_long_bake_is_over() -> None:
    asked = settings((StepSettings(50, 1260, 100),))
    ended = [release(seed, asked=asked) for seed in range(4)]
    assert {one.verdict for one in ended} == {Verdict.PASS}
    assert max(one.seconds for one in ended) <= 1320


@pytest.mark.parametrize("every", [0, 12], ids=["one minute of it", "5 s a minute"])
def test_a_good_version_survives_storms_of_errors_in_both(every: int) -> None:
    """Thirty times the errors: for a minute, or for a scrape in twelve."""
    seconds = []
    for seed in range(5):
        storm = range(6, 720, 12) if every else range(6, 18)
        verdict, number = walked(0.005, (0.15, 0.15), storm, seed, 360)  # type: ignore[arg-type]
        assert verdict is Verdict.PASS
        seconds.append(5 * number)
    assert float(np.median(seconds)) <= 600
