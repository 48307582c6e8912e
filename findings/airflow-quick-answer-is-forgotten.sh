#!/usr/bin/env bash
# Airflow 3.3.2: a HITL task that is answered within a second of its question forgets the answer, and asks again.
#
# One would expect: the answer was accepted (200), so the task goes on with it, whoever gave it and however quickly.
# Seen: where the worker's exit and the answer fall between two rounds of the scheduler, it queues the answered task first
# and then takes that exit for the queued one's: "finished with state success, but the task instance's state attribute is
# queued". The try has failed. The next one puts the question again, and with that the answer is deleted; a bot that
# answers at once waits for ever. Without retries the task fails. So it is with what any trigger fires as quickly.
# A task that must keep its answer has to look for it before it asks.
#
# Runs a whole Airflow (SQLite, LocalExecutor) in a temp folder. One question in three may be answered in another moment;
# fails if none of ten answers is forgotten.
set -euo pipefail
version=3.3.2 standard=1.21.0
folder=$(mktemp -d)
trap 'kill -- -"${pid:-0}" 2> /dev/null || true; sleep 1; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q "apache-airflow==$version" "apache-airflow-providers-standard==$standard"
mkdir -p "$folder/home/dags"
cat > "$folder/home/dags/asks.py" <<'PY'
from datetime import timedelta

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import DAG

with DAG("asks", schedule=None, is_paused_upon_creation=False):
    HITLOperator(task_id="ask", subject="go?", options=["yes", "no"], retries=1, retry_delay=timedelta(seconds=1))
PY
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export PATH=$folder/venv/bin:$PATH AIRFLOW_HOME=$folder/home AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__API__HOST=127.0.0.1 AIRFLOW__API__PORT=$port AIRFLOW__API__BASE_URL=http://127.0.0.1:$port
export AIRFLOW__CORE__EXECUTION_API_SERVER_URL=http://127.0.0.1:$port/execution/
export AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS=True AIRFLOW__API_AUTH__JWT_SECRET=$(printf 'a%.0s' {1..64})
setsid airflow standalone > "$folder/log" 2>&1 &
pid=$!
"$folder/venv/bin/python" - "http://127.0.0.1:$port" <<'PY'
import json
import sys
import time
import urllib.error
import urllib.request

base, until = sys.argv[1], time.monotonic() + 420
token = ""


def call(method, path, body=None):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(base + path, data, headers, method=method), timeout=10) as got:
        return json.loads(got.read())


def wait(what, look):
    while True:
        try:
            if (found := look()) is not None:
                return found
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        if time.monotonic() > until:
            sys.exit(f"{what}: not in time")
        time.sleep(0.05)


token = wait("Airflow", lambda: call("GET", "/auth/token"))["access_token"]
wait("the DAG", lambda: call("GET", "/api/v2/dags/asks"))
forgotten = 0
for number in range(10):
    run = call("POST", "/api/v2/dags/asks/dagRuns", {"logical_date": None})["dag_run_id"].replace("+", "%2B")
    place = f"/api/v2/dags/asks/dagRuns/{run}/taskInstances/ask"

    def ready():
        return True if call("GET", place)["state"] == "awaiting_input" else None

    wait("the question", ready)
    answer = call("PATCH", f"{place}/-1/hitlDetails", {"chosen_options": ["yes"], "params_input": {}})
    assert answer["chosen_options"] == ["yes"]

    def after():
        task = call("GET", place)
        over = task["state"] == "success" or (task["try_number"] == 2 and task["state"] == "awaiting_input")
        return task if over else None

    task = wait("what comes of it", after)
    now = call("GET", f"{place}/-1/hitlDetails")
    print(f"answer {number}: try {task['try_number']}, {task['state']}, the answer is {now['chosen_options']}", flush=True)
    if task["state"] != "success":
        assert now["chosen_options"] is None and now["response_received"] is False
        forgotten += 1
    if forgotten:
        break
assert forgotten, "no answer was forgotten"
print("as described")
PY
