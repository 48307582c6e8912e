"""Whether a scheduled run begins too late to release."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from glidepath.operators.base import release_id
from glidepath.operators.queueing import GRACE_S

if TYPE_CHECKING:
    from airflow.sdk import Context

    from glidepath.policy import Policy

# Under this key `plan` tells `finish` why a scheduled run has no release.
LATE = "not_its_time"


def too_late(context: Context, policy: Policy, waited: bool) -> str | None:
    """Why a run that Airflow's schedule started must not release any more; None when it may.

    Airflow starts the last run that was missed at once when a DAG is switched on, when its schedule is edited and when the
    scheduler was away. A run that a person, an asset or another DAG started has no time to miss, nor has one whose
    release is planned already.

    Args:
        context: The task's.
        policy: The policy as it is now.
        waited: Whether it has waited for another release, which `on_held.limit` allows for.
    """
    from glidepath.record import Record

    run = context.get("dag_run")
    if run is None or run.run_type != "scheduled":
        return None
    due, now = run.run_after, datetime.fromtimestamp(time.time(), UTC)
    allowed = policy.start_within + (policy.on_held.limit + GRACE_S if waited else 0.0)
    if now <= due + timedelta(seconds=allowed) or Record().find(release_id(context)) is not None:
        return None
    local = due.astimezone(ZoneInfo(policy.timezone))
    return (
        f"not its time: this run was due at {local:%a %Y-%m-%d %H:%M %Z} and begins {_told(now - due)} later, at most "
        f"{_told(timedelta(seconds=allowed))} are allowed (start_within): the DAG was paused, its schedule was edited, or "
        "Airflow was away or busy. Nothing was planned and nothing was touched; to release now, start a run by hand"
    )


def _told(long: timedelta) -> str:
    """A duration as people say it, to the minute; below two minutes to the second."""
    seconds = round(long.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    days, minutes = divmod(seconds // 60, 24 * 60)
    parts = ((days, "d"), (minutes // 60, "h"), (minutes % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)
