"""When Airflow starts runs by itself, at the times that a policy or a fleet gives."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import CronTriggerTimetable


def times_of(schedule: str | None, timezone: str) -> CronTriggerTimetable | str | None:
    """The times of a schedule in a time zone, and never a time that is past.

    Left to its default, Airflow runs a DAG that it has never seen at once if a tenth of the time between two runs has not
    passed since the last one: for a weekly schedule, most of a day. (A DAG that was paused it runs at once however long
    that is; `plan` sees to that.)

    Args:
        schedule: A cron expression or one of Airflow's presets; None for none.
        timezone: Whose clock it goes by: an IANA name.
    """
    if schedule is None or schedule in ("@once", "@continuous"):
        return schedule
    return CronTriggerTimetable(schedule, timezone=timezone, run_immediately=timedelta())
