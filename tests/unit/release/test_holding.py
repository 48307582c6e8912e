"""A task that works keeps its claim alive, but only while somebody looks at the canary's traffic."""

from __future__ import annotations

import time

import pytest

from glidepath.errors import RecordError
from glidepath.record import Record
from glidepath.release import brake
from glidepath.release.holding import Watch, renewing
from glidepath.release.run import Run
from glidepath.release.tasks.claim import claim
from glidepath.release.tasks.deploy import deploy
from glidepath.release.tasks.shift import shift
from tests.support.guards import started, ticks
from tests.support.observing import JUDGED, UNJUDGED, opened
from tests.support.stage import Stage
from tests.support.tasks import over

LEASE_S = 60.0


class Clock:
    """A clock that does not jump, set by hand."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def kept_for(run: Run, seconds: float) -> bool:
    """Whether a task that has worked for so long without a look still renews."""
    clock = Clock()
    watch = Watch(run, clock)
    answers = []
    while clock.at < seconds:
        answers.append(watch.kept())
        clock.at += LEASE_S / 6
    answers.append(watch.kept())
    return answers[-1]


def test_without_a_look_a_task_keeps_the_claim_for_one_lease_only(stage: Stage) -> None:
    run, guard = started(stage)
    ticks(stage, guard, 2)
    assert kept_for(run, LEASE_S)
    assert not kept_for(run, LEASE_S + 10)


def test_looks_keep_it(stage: Stage) -> None:
    run, guard = started(stage)
    clock = Clock()
    watch = Watch(run, clock)
    for _ in range(8):
        assert watch.kept()
        ticks(stage, guard, 2)
        clock.at += LEASE_S / 2
    clock.at += LEASE_S + 1
    watch.kept()
    ticks(stage, guard, 2)
    assert watch.kept()  # the guard is back


def test_where_there_is_nothing_to_look_at_the_task_keeps_it(stage: Stage) -> None:
    run = stage.run()
    claim(run)
    assert kept_for(run, 10 * LEASE_S)
    deploy(run)
    assert kept_for(run, 10 * LEASE_S)
    shift(run, 1)
    assert not kept_for(run, 2 * LEASE_S)
    brake.take_back(run, "harm")
    assert kept_for(run, 10 * LEASE_S)


def test_a_record_that_is_away_is_no_look(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = started(stage)

    def away(*_: object) -> None:
        raise RecordError("away")

    monkeypatch.setattr(Record, "last_look", away)
    assert kept_for(run, LEASE_S / 2)
    assert not kept_for(run, LEASE_S + 10)


def test_a_window_is_watched_until_its_word_if_it_is_judged(stage: Stage) -> None:
    run, _ = opened(stage, JUDGED)
    assert not kept_for(run, 2 * LEASE_S)
    over(run)
    assert kept_for(run, 10 * LEASE_S)


def test_a_window_in_which_nothing_is_judged_needs_no_look(stage: Stage) -> None:
    run, _ = opened(stage, UNJUDGED)
    assert kept_for(run, 10 * LEASE_S)


@pytest.mark.parametrize("looked", [True, False])
def test_the_lease_is_renewed_so(stage: Stage, monkeypatch: pytest.MonkeyPatch, looked: bool) -> None:
    run, _ = started(stage)
    monkeypatch.setattr("glidepath.release.holding.RENEWALS", 10_000)
    asked, before = iter(range(10_000)), stage.server.writes().count("PATCH leases")
    monkeypatch.setattr(Watch, "kept", lambda _: next(asked) >= 0 and looked)
    with renewing(run):
        until = time.monotonic() + 30
        while next(asked) < 20 and time.monotonic() < until:
            time.sleep(0.01)
    assert (stage.server.writes().count("PATCH leases") > before) == looked
    assert len([one for one in stage.said if "nobody has looked for 60 s" in one]) == (0 if looked else 1)
