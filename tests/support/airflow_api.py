"""Airflow's API on loopback, with as much of it as the command line asks for; how releases stand is a real record's."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from glidepath.errors import AskedError, NoReleaseError
from glidepath.record import Record
from glidepath.release.asking import ask
from glidepath.status import listed, status

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


@contextmanager
def serving(record: Record) -> Iterator[Api]:
    """A server over a record."""
    api = Api(record)

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            code, told = api.answer(self.command, self.path, body)
            text = json.dumps(told).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PATCH = _serve

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    api.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
