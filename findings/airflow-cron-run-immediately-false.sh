#!/usr/bin/env bash
# Airflow 3.3.2: CronTriggerTimetable(run_immediately=False) still runs a new DAG at once, for a tick of the past.
#
# One would expect: a DAG that is switched on some minutes after its weekly tick waits a week; the parameter says so.
# Seen: it runs the tick that has just gone by, as long as that is no longer ago than a tenth of the interval (at least
# five minutes). A weekly release that is merged up to 16 hours late starts at once. `run_immediately=timedelta()` waits.
#
# Runs without a scheduler or a database: the timetable is asked for the first run, with the clock set. Fails if Airflow
# comes to do otherwise.
set -euo pipefail
version=3.3.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "apache-airflow==$version" "time-machine==2.19.0"
AIRFLOW_HOME=$folder/home "$folder/venv/bin/python" - <<'PY'
from datetime import datetime, timedelta, timezone
from airflow.timetables.base import TimeRestriction
from airflow.timetables.trigger import CronTriggerTimetable
import time_machine

tick = datetime(2026, 11, 23, 9, tzinfo=timezone.utc)  # a Monday
restriction = TimeRestriction(earliest=None, latest=None, catchup=False)
seen = {}
for late in (timedelta(minutes=4), timedelta(hours=16), timedelta(hours=17)):
    for chosen in (False, timedelta()):
        timetable = CronTriggerTimetable("0 9 * * 1", timezone="UTC", run_immediately=chosen)
        with time_machine.travel(tick + late, tick=False):
            info = timetable.next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
        seen[late, chosen] = info.run_after
        print(f"{late} late, run_immediately={chosen!r}: the first run is of {info.run_after:%a %d %b %H:%M}")
week = tick + timedelta(days=7)
assert seen[timedelta(minutes=4), False] == tick
assert seen[timedelta(hours=16), False] == tick
assert seen[timedelta(hours=17), False] == week
assert all(seen[late, timedelta()] == week for late, chosen in seen if chosen == timedelta())
print("as described")
PY
