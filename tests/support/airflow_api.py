"""Airflow's API on loopback, with as much of it as the command line asks for; how releases stand is a real record's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from glidepath.errors import AskedError, NoReleaseError
from glidepath.record import Record
from glidepath.release.asking import ask
from glidepath.status import listed, status
from tests.support.loopback import Handler, listening

NOW = 1_800_009_000.0


@dataclass
class Api:
    """The server.

    Attributes:
        record: What its releases stand in.
        starts: The run that is begun next; a release of that name is in the record, or is not.
        states: Of runs, as Airflow has them.
        down: How many of the next calls are answered 503.
        got: Method, path and body of each call.
    """

    record: Record
    starts: str = "manual__promoted+00:00"
    states: dict[str, str] = field(default_factory=dict)
    down: int = 0
    url: str = ""
    got: list[tuple[str, str, Any]] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Code and JSON."""
        parts = [unquote(one) for one in urlsplit(path).path.strip("/").split("/")]
        if parts[:2] == ["auth", "token"]:
            return (201, {"access_token": "t"}) if body["password"] == "right" else (401, {"detail": "no"})
        self.got.append((method, path, body))
        if self.down:
            self.down -= 1
            return 503, {"detail": "the record can't be read"}
        try:
            return (
                self._release(method, parts[3:], body)
                if parts[0] == "glidepath"
                else self._airflow(method, parts[2:], body)
            )
        except NoReleaseError as error:
            return 404, {"detail": str(error)}
        except AskedError as error:
            return 409, {"detail": str(error)}

    def _release(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        if len(parts) == 1:
            return 200, {"releases": [row.to_dict() for row in listed(self.record)]}
        identity = f"{parts[1]}/{parts[2]}"
        if method == "POST":
            ask(self.record, identity, body["what"], "ann", body["why"], NOW)
            return 202, body
        return 200, {"status": status(self.record, identity, NOW).to_dict()}

    def _airflow(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        if parts[-1] == "hitlDetails":
            return 200, body
        if method == "POST":
            return (
                (200, {"dag_run_id": self.starts}) if parts[1] == "release_prices" else (404, {"detail": "no such DAG"})
            )
        return 200, {"state": self.states.get(parts[3], "running")}


def api_error(status: int) -> AirflowRuntimeError:
    """What a task or trigger meets when Airflow's API answers it so."""
    return AirflowRuntimeError(ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"status_code": status}))


def task_is(monkeypatch: pytest.MonkeyPatch, task: tuple[str, str, str], answer: Any) -> None:
    """What Airflow answers whoever asks for the state of a task, by DAG, run and name.

    Args:
        monkeypatch: Of the test.
        task: DAG, run and name.
        answer: A state; `gone` where it knows no such task; `nothing` where it takes seconds; or the error that it is.
    """
    dag_id, run_id, task_id = task

    def states(**asked: Any) -> Any:
        assert asked == {"dag_id": dag_id, "task_ids": [task_id], "run_ids": [run_id]}
        if isinstance(answer, Exception):
            raise answer
        if answer == "nothing":
            time.sleep(5)
        return {run_id: {task_id: answer}} if answer != "gone" else {}

    monkeypatch.setattr(RuntimeTaskInstance, "get_task_states", staticmethod(states))


@contextmanager
def serving(record: Record) -> Iterator[Api]:
    """A server over a record."""
    api = Api(record)

    class Airflow(Handler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            code, told = api.answer(self.command, self.path, body)
            self.reply(code, json.dumps(told).encode())

        do_GET = do_POST = do_PATCH = _serve

    with listening(Airflow) as api.url:
        yield api
