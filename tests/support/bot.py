"""A service that takes POSTs, on loopback: real sockets, and every way of not answering."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.loopback import Handler, listening


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

    class Answering(Handler):
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
            self.reply(answer, text, **({"Location": "/elsewhere"} if answer in (301, 302) else {}))

        def _trickle(self) -> None:
            while not made.ended.wait(0.05):
                try:
                    self.wfile.write(b"H")
                    self.wfile.flush()
                except OSError:
                    return

        def do_GET(self) -> None:
            made.got.append((self.path, {}, "GET"))
            self.reply(200, b"")

    with listening(Answering) as made.url:
        try:
            yield made
        finally:
            made.ended.set()
