"""A service that takes POSTs, on loopback: real sockets, and every way of not answering."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Bot:
    """A server that answers as it is told, the last answer for good.

    Attributes:
        answers: A status, or 200 after so many seconds; `hangs`: none until it is let go; `trickles`: a byte now and then.
        got: Path, headers and body of each call.
        says: The body of a good answer.
    """

    answers: list[int | float | str]
    got: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    url: str = ""
    says: bytes = b"merged as 1a2b3c"
    ended: threading.Event = field(default_factory=threading.Event)

    def bodies(self) -> list[Any]:
        """What it was sent."""
        return [body for _, _, body in self.got]


@contextmanager
def served() -> Iterator[Bot]:
    """A bot that answers 200."""
    made = Bot([200])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            made.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
            answer = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
            if answer == "hangs":
                made.ended.wait()
                return
            if answer == "trickles":
                self._trickle()
                return
            if isinstance(answer, float):
                time.sleep(answer)
                answer = 200
            assert isinstance(answer, int)
            text = made.says if answer < 300 else b"branch is protected" + b"!" * 5000
            self.send_response(answer)
            if answer in (301, 302):
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def _trickle(self) -> None:
            while not made.ended.wait(0.05):
                try:
                    self.wfile.write(b"H")
                    self.wfile.flush()
                except OSError:
                    return

        def do_GET(self) -> None:
            made.got.append((self.path, {}, "GET"))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    made.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield made
    finally:
        made.ended.set()
        server.shutdown()
        server.server_close()
