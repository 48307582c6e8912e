"""A person marks a task of a run by hand, in a real Airflow with its scheduler."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from glidepath.operators.tasks import ENDED
from tests.support.bot import Bot
from tests.support.bot import served as listening
from tests.support.releases import DAG
from tests.support.served import POLICY, Served, Server

TOLD = "messages: [{to: cloudevents, connection: broker}]\n"
RUN = f"dags/{DAG}/dagRuns/manual__marked%2B00:00"


@pytest.fixture
def bot() -> Iterator[Bot]:
    """Who is told."""
    with listening() as made:
        yield made


@pytest.fixture
def served(tmp_path: Path, bot: Bot) -> Iterator[Served]:
    """An API server and a scheduler, with a policy that has people told."""
    server = Server(tmp_path / "airflow", f"sqlite:///{tmp_path}/record.db", POLICY + TOLD, {"broker": bot.url})
    with server.scheduled() as made:
        yield made


def asked(served: Served, method: str, path: str, body: object = None) -> Any:
    """A call, made again where the database, an SQLite file that the scheduler writes as well, is locked; its JSON."""
    end = time.monotonic() + 60
    while not (answer := served.ask(method, f"/api/v2/{path}", "admin", body)).ok:
        assert time.monotonic() < end, answer.text
        time.sleep(0.5)
    return answer.json()


def test_people_are_told_of_a_plan_that_was_marked_as_failed_before_it_ran(served: Served, bot: Bot) -> None:
    served.started("marked")  # the DAG is paused: nothing runs
    asked(served, "PATCH", f"{RUN}/taskInstances/plan", {"new_state": "failed"})
    asked(served, "PATCH", f"dags/{DAG}", {"is_paused": False})
    end = time.monotonic() + 240
    while asked(served, "GET", f"{RUN}/taskInstances/finish")["state"] != "failed":
        assert time.monotonic() < end, asked(served, "GET", f"{RUN}/taskInstances?limit=100")
        time.sleep(1)
    [body] = bot.bodies()
    assert (body["data"]["state"], body["data"]["canary"]) == ("REFUSED", "v2")
    assert body["data"]["sentence"].startswith(ENDED)
