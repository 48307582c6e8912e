"""Airflow's assets, in a real Airflow with its scheduler: an event starts a release, a promotion makes one event, once."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.releases import DAG, played
from tests.support.served import REPO, Served, Server

RUN = "manual__promoted+00:00"
PAGE = (REPO / "docs/assets.md").read_text()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An API server and a scheduler, over a record of releases that were played."""
    folder: Path = tmp_path_factory.mktemp("assets")
    server = Server(folder / "airflow", played(folder))
    with server.scheduled() as made:
        yield made


def until(seconds: float, found: Callable[[], Any]) -> Any:
    """What is found, once it is."""
    end = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < end, "never so"
        time.sleep(0.5)
    return value


# States of a run that has ended.
DONE = ("success", "failed")


def json_of(served: Served, path: str) -> Any:
    """What a GET gives."""
    return served.get(f"/api/v2/{path}", "admin").json()


def asked(served: Served, method: str, path: str, body: object) -> None:
    """A call that is made again where the database, an SQLite file that the scheduler writes as well, is locked."""
    until(60, lambda: served.ask(method, f"/api/v2/dags/{DAG}{path}", "admin", body).ok)


def paused(served: Served, is_paused: bool) -> None:
    """Pause the DAG, or have it go on."""
    asked(served, "PATCH", "", {"is_paused": is_paused})


def states(served: Served) -> dict[str, str]:
    """The tasks of the played release's run."""
    rows = json_of(served, f"dags/{DAG}/dagRuns/{RUN.replace('+', '%2B')}/taskInstances?limit=100")["task_instances"]
    return {row["task_id"]: str(row["state"]) for row in rows}


def set_state(served: Served, task: str, state: str) -> None:
    """As a person marks it."""
    asked(served, "PATCH", f"/dagRuns/{RUN.replace('+', '%2B')}/taskInstances/{task}", {"new_state": state})


def announced(served: Served) -> list[Any]:
    """The events of promotions."""
    rows = json_of(served, "assets/events?limit=100")["asset_events"]
    return [row for row in rows if row["name"] == "prices-stable"]


def test_the_curl_lines_of_the_page_start_a_release_of_the_version_they_name(served: Served) -> None:
    assert shutil.which("curl")
    paused(served, False)
    [block] = re.findall(r"(?:^ {4}.*\n)+", PAGE.partition("## Start a release")[2], re.MULTILINE)[:1]
    script = re.sub(r"^ {4}", "", block, flags=re.MULTILINE)
    script = script.replace("http://localhost:8080", served.url).replace("model-service-image", "prices-image")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout

    def begun() -> Any:
        rows = json_of(served, f"dags/{DAG}/dagRuns?run_type=asset_triggered")["dag_runs"]
        return rows[0] if rows else None

    run = until(120, begun)
    events = json_of(served, f"dags/{DAG}/dagRuns/{run['dag_run_id'].replace('+', '%2B')}/upstreamAssetEvents")[
        "asset_events"
    ]
    assert events[0]["extra"]["version"] == "1.4.2"
    paused(served, True)


def test_a_promotion_is_announced_once_even_if_its_task_is_cleared(served: Served) -> None:
    served.started("promoted")  # the DAG is paused: nothing runs
    for task, state in states(served).items():
        if task not in ("announce", "observe") and state != "success":
            set_state(served, task, "skipped")
    set_state(served, "observe", "success")
    paused(served, False)
    until(180, lambda: states(served)["announce"] == "success")
    [event] = announced(served)
    assert event["source_run_id"] == RUN
    assert event["extra"] == {
        "version": "v2", "stable": "v1", "service": "prices", "namespace": "shop", "release": f"{DAG}/{RUN}",
    }  # fmt: skip
    # Airflow takes a task that is cleared while its worker's exit is on the way for one that was killed.
    until(60, lambda: json_of(served, f"dags/{DAG}/dagRuns/{RUN.replace('+', '%2B')}")["state"] in DONE)
    body = {"dry_run": False, "dag_run_id": RUN, "task_ids": ["announce"], "reset_dag_runs": True, "only_failed": False}
    asked(served, "POST", "/clearTaskInstances", body)
    until(180, lambda: states(served)["announce"] == "skipped")
    assert len(announced(served)) == 1
