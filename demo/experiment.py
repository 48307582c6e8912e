"""`python -m demo.experiment`: the experiment that the project started from, as a release, and the page that tells of it.

Half the time of a demo; ends with `docs/experiment.md` and the picture of `ab-testing.json` over the time of the release.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

from demo import board
from demo.driving import DAG_ID, ended, follow, prepared, say
from glidepath.policy import load_policy
from glidepath.record import Record
from glidepath.release import events
from glidepath.release.journal import Journal
from glidepath.reporting import document, markdown
from rig.environment import NAMESPACE, REPO, RigError, cluster

VERSION, WEIGHTS = "v2", [10, 50]
PAGE, PICTURE = REPO / "docs" / "experiment.md", REPO / "docs" / "images" / "ab-testing.png"
BOARD = REPO / "include" / "dashboards" / "ab-testing.json"
POLICY = REPO / "include" / "policies" / "model-service.yaml"
# How many seconds before and after the release the picture shows.
AROUND_S = 60.0
HEAD = """# The experiment, and what came of it

*Written by `make experiment`: a real release, on the embedded cluster, at 100 requests a second.* [The tutorial](tutorial.md) goes
the same way by hand.

The project started from a description of an experiment on `model-service`: give v2 a tenth of the requests, look at a dashboard, and
accept it when its p95 is at most a tenth above v1's and its error rate comparable. It named as H1 that v2 is *faster*; what it
accepted by is that v2 is *not worse*. These are two questions. The release below asks the second; the last table of *What other
policies would have decided* asks the first of the same requests.

## The dashboard `ab-testing`

![ab-testing over the time of the release](images/ab-testing.png)

Dotted lines are the release's weights. *Mesh* is as the callers' proxies saw it, *application* as the service counted. Of the whole time that
is shown:

{table}

## The report

`glidepath report {release}` says:

"""


def main() -> int:
    """0 when v2 was promoted and its page written."""
    airflow, record = prepared()
    say(f"release {VERSION} at {', '.join(f'{weight} %' for weight in WEIGHTS)}")
    run_id = airflow.trigger(DAG_ID, {"version": VERSION, "weights": WEIGHTS})
    release = f"{DAG_ID}/{run_id}"
    follow(airflow, record, run_id, release)
    airflow.wait_run(DAG_ID, run_id, 120)
    row = record.find(release)
    if row is None or row.outcome is None:
        raise RigError(f"release {VERSION} has not ended; look at {airflow.url}/dags/{DAG_ID}/runs/{run_id}")
    say(f"{row.outcome}; the page is written")
    write(record, release, cluster()["PROMETHEUS_URL"])
    print(f"\nThe page: {PAGE.relative_to(REPO)}, with {PICTURE.relative_to(REPO)}")
    print(f"The release: {airflow.url}/dags/{DAG_ID}/runs/{run_id}/plugin/release (admin / admin)")
    return 0 if row.outcome == "promoted" else 1


def write(record: Record, release: str, prometheus: str) -> None:
    """Write the page and its picture."""
    entries = list(Journal(record, release).entries())
    over = max(one.noted for one in entries if isinstance(one, events.Closed))
    given = {f"{one.weight} %": one.noted for one in entries if isinstance(one, events.WeightGiven)}
    row = record.get(release)
    since, until = row.created - AROUND_S, min(over + AROUND_S, time.time())
    shown = board.read(
        BOARD,
        {"namespace": NAMESPACE, "service": "model-service", "version": f"{row.stable}|{row.canary}"},
        prometheus,
        since,
        until,
    )
    board.draw(shown, given, PICTURE)
    own = load_policy(POLICY)
    faster = {"decision: superior (is it proven faster?)": own.model_copy(update={"decision": "superior"})}
    report = markdown(document(record, release, time.time(), faster))
    head = HEAD.format(table="\n".join(board.table(shown)), release=release)
    report = report.replace(f"{REPO}/", "")  # who reads it has the project elsewhere
    PAGE.write_text(head + re.sub(r"^#", "###", report, flags=re.MULTILINE), encoding="utf-8")


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parents[1])
    sys.exit(ended(main))
