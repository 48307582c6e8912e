"""One scrape in which the stable fails proves nothing, a storm costs little, and the promise holds exactly."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from scipy.stats import binom

from glidepath.judge.base import Base
from glidepath.judge.bets import Bets
from glidepath.judge.evalue import log_e
from glidepath.judge.gains import STORM, gained
from tests.unit.judge.behaviour.test_promise import ALIGNED, SPAM, expectations, metric, nulls
from tests.unit.judge.traffic import ERRORS, LATENCY

PLANS = {
    "errors": metric(ERRORS),
    "often errors": metric(ERRORS, errors=0.1),
    "latency": metric(LATENCY, edges=ALIGNED),
    "share": metric(SPAM, share=0.3),
}


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize(("n", "m"), [(20, 20), (45, 5), (5, 45)])
def test_what_counts_keeps_the_promise_for_every_count_and_truth(name: str, n: int, m: int) -> None:
    """By enumeration; the stable's past was of anything, and allows from one event on."""
    plan = PLANS[name]
    bets = Bets(plan)
    stopped = False
    for planned in (0.001, plan.base, 0.4):
        base = Base(planned)
        logs = np.zeros((n + 1, m + 1, len(plan.questions), bets.safety.stop))
        for x, y in product(range(n + 1), range(m + 1)):
            logs[x, y] = gained(bets, base, float(n), float(m), float(x), float(y))[0]
            stopped = stopped or x + y > max(base.most(float(n + m)), STORM * (n + m) * planned)
        for row, question in enumerate(plan.questions):
            for which, harm in ((bets.harm, True), (bets.safety, False)):
                found = expectations(n, m, logs[:, :, row, which], *nulls(question, harm))
                assert found.max() <= 1 + 1e-9, (planned, question, harm)
    assert stopped


def safety(x: float, y: float, planned: float = 0.005) -> tuple[float, float]:
    """The comparable bet's log e of a scrape of 250 requests on both sides: what counts, and what all of it says."""
    plan = PLANS["errors"]
    bets = Bets(plan)
    gains, (canary, stable, _) = gained(bets, Base(planned), 250.0, 250.0, x, y)
    whole = log_e(250.0, 250.0, x, y, bets.margins, canary, stable)
    return float(gains[plan.safety, bets.safety.start]), float(whole[plan.safety, bets.safety.start])


def test_a_scrape_as_usual_counts_in_full() -> None:
    counted, whole = safety(1, 2)
    assert counted == whole


def test_a_stable_pod_that_fails_for_a_scrape_proves_nothing() -> None:
    counted, whole = safety(2, 63)
    assert whole > 10  # three times what a promotion takes
    assert counted == 0


def test_a_few_events_too_many_count_for_less() -> None:
    counted, whole = safety(1, 7)
    assert 0.4 * whole < counted < 0.9 * whole


@pytest.mark.parametrize("x", [30, 37, 45])
def test_a_storm_in_both_versions_costs_and_brings_no_more_than_its_allowed_part(x: int) -> None:
    """Of 2.5 events expected eleven count: one more than four times as many."""
    counted, whole = safety(x, 37)
    odds = math.log(0.005 / 0.995) - math.log(0.007 / 0.993)
    assert counted == pytest.approx((whole + odds * x / (x + 37)) * 11 / (x + 38))
    assert abs(counted) < 1.0


def test_three_times_the_errors_in_both_versions_count_in_full() -> None:
    for x, y in ((4, 4), (2, 6), (6, 2)):
        counted, whole = safety(x, y)
        assert counted == whole


def test_a_storm_that_is_scraped_in_one_version_first_costs_what_it_brings_back() -> None:
    """Thirty times the errors: what the canary's scrape has more now, the stable's has in the next."""
    lost, gained_back = safety(28, 9)[0], safety(9, 28)[0]
    assert lost < 0 < gained_back
    assert -2.0 < lost + gained_back < 0.5


def test_harms_losses_count_in_full() -> None:
    """The canary's scrape came first: what looks like its harm is taken back by the stable's next one."""
    plan = PLANS["errors"]
    bets = Bets(plan)
    gains, (canary, stable, possible) = gained(bets, Base(0.005), 250.0, 250.0, 1.0, 60.0)
    whole = log_e(250.0, 250.0, 1.0, 60.0, bets.margins, canary, stable) * possible
    assert np.array_equal(gains[:, bets.harm], whole[:, bets.harm])


def test_the_probability_of_an_allowed_number_is_what_it_is_for() -> None:
    """The gain of what is cut off in calm is a thousandth of the stable's events."""
    most = Base(0.005).most(250.0)
    events = np.arange(251)
    cut = np.where(events > most, events * (1 - (np.floor(most) + 1) / (events + 1)), 0.0)
    assert float(binom.pmf(events, 250, 0.005) @ cut) < 0.02 * 1.25
