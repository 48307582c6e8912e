"""Freeze windows: local times, nights that pass midnight, summer time, and who may override."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.errors import PolicyError
from glidepath.policy import Policy
from glidepath.policy.freeze import DAYS, Window, frozen_until
from glidepath.policy.load import parse_policy

HEAD = "service: a\nnamespace: b\nhelm: {release: c}\nsteps: [{weight: 10}]\nfreeze:\n"


def parsed(window: str) -> Policy:
    """A policy with one window."""
    return parse_policy(HEAD + f"- {window}\n", "p.yaml", Path("/checkout"))


def at(text: str) -> datetime:
    """A moment, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_weekly_window_is_in_local_time() -> None:
    weekend = Window(days=("sat", "sun"), timezone="Europe/Amsterdam", why="weekend")
    assert frozen_until((weekend,), at("2026-11-27T22:59")) is None  # Friday 23:59 there
    assert frozen_until((weekend,), at("2026-11-27T23:00")) == (at("2026-11-28T23:00"), "weekend")
    assert weekend.until(at("2026-11-29T23:00")) is None


def test_a_night_ends_on_the_next_day() -> None:
    night = parsed('{days: [fri], begin: "16:00", finish: "08:00"}').freeze[0]
    assert night.until(at("2026-11-27T15:59")) is None
    assert night.until(at("2026-11-27T16:00")) == at("2026-11-28T08:00")
    assert night.until(at("2026-11-28T07:59")) == at("2026-11-28T08:00")
    assert night.until(at("2026-11-28T08:00")) is None


def test_a_window_once_is_in_local_time() -> None:
    holidays = parsed("{start: 2026-12-20T00:00:00, end: 2027-01-04T08:00:00, timezone: Asia/Tokyo}").freeze[0]
    assert holidays.until(at("2026-12-19T14:59")) is None
    assert holidays.until(at("2026-12-19T15:00")) == at("2027-01-03T23:00")


def test_the_longest_of_several_counts() -> None:
    short, long = (Window(days=("fri",), begin="10:00", finish=end) for end in ("12:00", "14:00"))  # type: ignore[arg-type]
    assert frozen_until((short, long), at("2026-11-27T11:00")) == (at("2026-11-27T14:00"), "")


def test_summer_time_makes_a_night_an_hour_longer() -> None:
    night = Window(days=("sat",), begin="22:00", finish="06:00", timezone="Europe/Amsterdam")  # type: ignore[arg-type]
    # On 25 October 2026 at 3:00 the clock goes back to 2:00.
    assert night.until(at("2026-10-24T20:00")) == at("2026-10-25T05:00")


@given(st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)), st.sets(st.sampled_from(DAYS), min_size=1))
def test_a_frozen_moment_ends_later_and_within_a_day(moment: datetime, days: set[str]) -> None:
    window = Window(days=tuple(days), begin="09:00", finish="17:30")  # type: ignore[arg-type]
    now = moment.replace(tzinfo=UTC)
    end = window.until(now)
    if end is None:
        inside = DAYS[now.weekday()] in days and (9, 0) <= (now.hour, now.minute) < (17, 30)
        assert not inside
    else:
        assert timedelta(0) < end - now <= timedelta(hours=8.5)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ("{}", "either start and end, or days"),
        ("{days: [fri], start: 2026-12-20T00:00:00, end: 2026-12-21T00:00:00}", "either start and end, or days"),
        ("{start: 2026-12-20T00:00:00}", "either start and end, or days"),
        ("{start: 2026-12-20T00:00:00, end: 2026-12-19T00:00:00}", "is not after start"),
        ("{start: 2026-12-20T00:00:00+01:00, end: 2026-12-21T00:00:00}", "without an offset"),
        ("{days: [friday]}", "friday"),
        ("{days: [fri], timezone: Mars/Base}", "IANA time zone"),
        ('{days: [fri], begin: "25:00"}', "25:00"),
        ("{days: [fri], begin: 16:00}", "in quotes"),
    ],
)
def test_what_is_no_window_is_refused(window: str, words: str) -> None:
    with pytest.raises(PolicyError, match=words):
        parsed(window)
