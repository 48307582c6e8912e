"""A schedule's times: in its zone, and never one that is past."""

from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk import CronTriggerTimetable

from glidepath.operators.times import times_of


@pytest.mark.parametrize("schedule", ["0 9 * * 1", "@daily", "@weekly"])
def test_times_begin_with_the_next_one(schedule: str) -> None:
    times = times_of(schedule, "Europe/Amsterdam")
    assert isinstance(times, CronTriggerTimetable)
    assert times.run_immediately == timedelta()


@pytest.mark.parametrize("schedule", [None, "@once", "@continuous"])
def test_what_has_no_times_is_airflows_own(schedule: str | None) -> None:
    assert times_of(schedule, "UTC") == schedule
