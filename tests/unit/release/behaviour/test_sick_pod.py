"""A stable pod that is known to be sick: the release sets it apart, from the plan to the verdict."""

from __future__ import annotations

import numpy as np
import pytest

from glidepath.judge import Interval, Look, Plan
from glidepath.release.guard import Guard
from glidepath.release.phases import Decision
from glidepath.replay.judging import replay
from glidepath.replay.recorded import export
from glidepath.text.lines import metric_line
from tests.support.guards import started
from tests.support.stage import Stage

PODS, SICK = ("a", "b", "c", "d"), "d"


def serve(stage: Stage, seconds: float, canary: int = 0) -> None:
    """So many seconds of 100 requests a second, and a scrape; a sick pod fails in 8 % of its requests, others in 0.4 %."""
    stage.clock += seconds
    weight = stage.weights().get("v2", 0)
    each = round(seconds * (100 - weight) / len(PODS))
    for pod in PODS:
        share = 0.08 if pod == SICK else 0.004
        # Fractions of an error become one in their time; each pod's at another.
        phase = PODS.index(pod) / len(PODS)
        had = stage.prometheus.errors.get(f"v1-{pod}", 0)
        due = share * (int(stage.prometheus.totals.get(f"v1-{pod}", np.zeros(1)).sum()) + had + each) + phase
        stage.prometheus.scrape("v1", each, max(0, int(due) - had), pod=pod)
    if weight:
        stage.prometheus.scrape("v2", round(seconds * weight), canary)


@pytest.fixture
def sick(stage: Stage) -> Stage:
    """Two hours and a half of it."""
    stage.prometheus.samples.clear()
    for seconds in [30.0] * 280 + [5.0] * 120:
        serve(stage, seconds)
    return stage


@pytest.mark.parametrize(("errors", "word"), [(1, Decision.PROMOTE), (40, Decision.ROLLBACK)])
def test_a_good_version_is_promoted_beside_it_and_a_bad_one_goes_back(sick: Stage, errors: int, word: Decision) -> None:
    run, guard = started(sick, weights=[50])
    assert run.release.plan is not None
    (apart,) = Plan.from_dict(run.release.plan).apart
    assert apart.pod == "prices-v1-d"
    assert any("errors of pod prices-v1-d: 8 %, beside 0.4" in line for line in sick.said)
    for number in range(150):
        if number == 4:
            guard = Guard(run)  # one that begins anew knows it from the record
        serve(sick, 5, errors)
        guard.tick()
        spoken = run.journal.word_on(1)
        if spoken is not None:
            break
    assert spoken is not None
    assert spoken.decision == word
    intervals = [Interval.from_dict(one) for _, one, _ in run.ports.record.looks(run.id) if one]
    assert all(one.stable.apart is not None and one.stable.apart.pods == 1 for one in intervals)
    last = Look.from_dict(run.ports.record.looks(run.id)[-1][2])
    assert any("beside the stable's pods that are not set apart" in metric_line(one) for one in last.metrics)
    assert [look.verdict for look in replay(export(run.ports.record, run.id))][-1] == (
        "PASS" if errors == 1 else "FAIL"
    )
