"""Airflow's API on loopback, with as much of it as the command line asks for; how releases stand is a real record's."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from airflow.sdk.exceptions import AirflowRuntimeError, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance

from glidepath.errors import AskedError, NoReleaseError
from glidepath.record import Record
from glidepath.release.asking import ask
from glidepath.replay.evidence import rows as rows_of
from glidepath.replay.recorded import export
from glidepath.reporting import FORMS, document
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
        lost: Whether a run is begun, and the answer is 503.
        unchanged: How often nothing was new.
        got: Method, path and body of each call.
        signed: How each was.
    """

    record: Record
    starts: str = "manual__promoted+00:00"
    states: dict[str, str] = field(default_factory=dict)
    down: int = 0
    lost: bool = False
    unchanged: int = 0
    url: str = ""
    got: list[tuple[str, str, Any]] = field(default_factory=list)
    signed: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Code and JSON."""
        parts = [unquote(one) for one in urlsplit(path).path.strip("/").split("/")]
        asked = dict(parse_qsl(urlsplit(path).query))
        if parts[:2] == ["auth", "token"]:
            return (201, {"access_token": "t"}) if body["password"] == "right" else (401, {"detail": "no"})
        self.got.append((method, path, body))
        if self.down:
            self.down -= 1
            return 503, {"detail": "the record can't be read"}
        try:
            return (
                self._release(method, parts[3:], body, asked)
                if parts[0] == "glidepath"
                else self._airflow(method, parts[2:], body)
            )
        except NoReleaseError as error:
            return 404, {"detail": str(error)}
        except AskedError as error:
            return 409, {"detail": str(error)}

    def _release(self, method: str, parts: list[str], body: Any, asked: dict[str, str]) -> tuple[int, Any]:
        if len(parts) == 1:
            limit, under_way = int(asked.get("limit", "50")), asked.get("under_way") == "true"
            rows = listed(self.record, limit, asked.get("service"), under_way=under_way)
            return 200, {"releases": [row.to_dict() for row in rows]}
        identity = f"{parts[1]}/{parts[2]}"
        if method == "POST":
            word = ask(self.record, identity, body["what"], "ann", body["why"], NOW)
            return 202, {"what": word.what, "why": word.why, "who": word.who}
        if parts[3:] == ["evidence"]:
            return 200, "\n".join([*rows_of(export(self.record, identity)), ""])
        if parts[3:] == ["report"]:
            return 200, FORMS[asked.get("form", "html")](document(self.record, identity, NOW))
        return 200, {"status": status(self.record, identity, NOW).to_dict()}

    def _airflow(self, method: str, parts: list[str], body: Any) -> tuple[int, Any]:
        if parts[-1] == "hitlDetails":
            return 200, body
        if method == "POST":
            if parts[1] != "release_prices":
                return 404, {"detail": "no such DAG"}
            if not self.lost:
                return 200, {"dag_run_id": self.starts}
            self.states.setdefault(body["dag_run_id"], "running")
            return 503, {"detail": "the database is away"}
        if parts[3] not in self.states and self.record.find("/".join((parts[1], parts[3]))) is None:
            return 404, {"detail": "no such run"}
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
            if not self.path.startswith("/auth/"):
                api.signed.append(self.headers.get("Authorization", ""))
            if isinstance(told, str):
                return self.reply(code, told.encode())
            tag = f'"{told["status"]["mark"]}"' if "status" in told else ""
            if tag and self.headers.get("If-None-Match") == tag:
                api.unchanged += 1
                return self.reply(304, b"", ETag=tag)
            return self.reply(code, json.dumps(told).encode(), **({"ETag": tag} if tag else {}))

        do_GET = do_POST = do_PATCH = _serve

    with listening(Airflow) as api.url:
        yield api
