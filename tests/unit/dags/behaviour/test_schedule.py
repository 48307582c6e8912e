"""When Airflow starts a release by itself: its own timetable, as its scheduler has it after reading the DAG."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.timetables.base import DataInterval, TimeRestriction, Timetable

from tests.unit.dags.test_progressive_release import GOOD, dags

AMSTERDAM = "Europe/Amsterdam"


def timetable(schedule: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Timetable:
    """The scheduler's own, of a policy with a schedule in Amsterdam's time."""
    text = f"schedule: {schedule!r}\ntimezone: {AMSTERDAM}\nversion: v2"
    (folder / "policy.yaml").write_text(GOOD.replace("schedule: null", text))
    (dag,) = dags(folder, monkeypatch).values()
    assert not dag.get_task("plan").refused
    return decode_timetable(json.loads(json.dumps(encode_timetable(dag.timetable))))


def following(of: Timetable, now: str, last: datetime | None = None) -> datetime:
    """The run it asks for, in Amsterdam's time, when the scheduler looks `now` (Amsterdam's time) and the last run was `last`."""
    before = DataInterval(pendulum.instance(last), pendulum.instance(last)) if last else None
    clock = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(AMSTERDAM)).astimezone(UTC)
    with patch("airflow.timetables.trigger.utcnow", lambda: clock):
        found = of.next_dagrun_info(
            last_automated_data_interval=before, restriction=TimeRestriction(earliest=None, latest=None, catchup=False)
        )
    assert found is not None
    assert found.run_after == found.logical_date
    return found.run_after.astimezone(ZoneInfo(AMSTERDAM))


def test_a_policy_that_is_merged_on_monday_evening_waits_for_the_next_monday(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weekly = timetable("0 9 * * 1", tmp_path, monkeypatch)
    for now in ("2026-11-23T09:01", "2026-11-23T20:00", "2026-11-24T01:00"):
        assert following(weekly, now).isoformat() == "2026-11-30T09:00:00+01:00"


def test_one_that_is_switched_on_after_weeks_gets_the_last_missed_run_of_which_plan_says_that_it_is_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weekly = timetable("0 9 * * 1", tmp_path, monkeypatch)
    due = following(weekly, "2026-11-23T20:00", datetime(2026, 10, 5, 7, tzinfo=UTC))
    assert due.isoformat() == "2026-11-23T09:00:00+01:00"


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-03-27T09:30", "2026-03-28T09:00:00+01:00"),
        ("2026-03-28T09:30", "2026-03-29T09:00:00+02:00"),  # the night of the 29th has no 02:00 to 03:00
        ("2026-10-24T09:30", "2026-10-25T09:00:00+01:00"),  # that of the 25th has it twice
        ("2026-10-25T09:30", "2026-10-26T09:00:00+01:00"),
    ],
)
def test_nine_o_clock_is_nine_o_clock_over_changes_of_the_clock(
    now: str, due: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    daily = timetable("0 9 * * *", tmp_path, monkeypatch)
    last = datetime.fromisoformat(now).replace(minute=0, tzinfo=ZoneInfo(AMSTERDAM))
    assert following(daily, now, last).isoformat() == due


@pytest.mark.parametrize(("last", "due"), [("2026-03-28", "2026-03-29"), ("2026-10-24", "2026-10-25")])
def test_a_time_that_a_change_leaves_out_or_has_twice_gives_one_run(
    last: str, due: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nightly = timetable("30 2 * * *", tmp_path, monkeypatch)
    zone = ZoneInfo(AMSTERDAM)
    before = datetime.fromisoformat(f"{last}T02:30").replace(tzinfo=zone)
    first = following(nightly, f"{due}T00:30", before)
    assert first.date().isoformat() == due
    after = following(nightly, f"{due}T12:00", first)
    assert after.date() > first.date()


@pytest.mark.parametrize("preset", ["@daily", "@hourly", "@weekly"])
def test_presets_go_by_the_policy_s_time_zone_as_well(
    preset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = following(timetable(preset, tmp_path, monkeypatch), "2026-11-25T10:20")
    assert (
        due.isoformat()
        == {
            "@daily": "2026-11-26T00:00:00+01:00",
            "@hourly": "2026-11-25T11:00:00+01:00",
            "@weekly": "2026-11-29T00:00:00+01:00",
        }[preset]
    )
