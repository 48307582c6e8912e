"""GET /healthz and GET /metrics (Prometheus' text format: not worth a library in the image)."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from glidepath.watchdog.facts import Health
from glidepath.watchdog.families import BRAKES, CLAIMS, ERRORS, PASS_AGE

HEALTHY_S = 15.0
TEXT = "text/plain; version=0.0.4; charset=utf-8"
STATES = ("held", "expired", "free")


def health(facts: Health, at: float) -> tuple[bool, str]:
    """Whether the claims were looked at lately, and the words for it.

    One service that can't be made safe does not count: a restart would not help it, and harm the others.
    """
    if facts.passed is None:
        return False, "no pass has succeeded yet"
    age = at - facts.passed
    return age <= HEALTHY_S, f"last pass succeeded {age:.1f} s ago, expected at most {HEALTHY_S:.0f} s"


def render(facts: Health, at: float) -> str:
    """All metrics."""
    claims: Counter[str] = Counter(dict.fromkeys(STATES, 0))
    for counts in list(facts.claims.values()):
        claims.update(counts)
    age: list[tuple[dict[str, str], float]] = [] if facts.passed is None else [({}, round(at - facts.passed, 3))]
    lines = (
        *(line for family, counts in ((BRAKES, facts.brakes), (ERRORS, facts.errors), (CLAIMS, claims))
          for line in family.lines(({family.labels[0]: key}, count) for key, count in sorted(dict(counts).items()))),
        *PASS_AGE.lines(age),
        *facts.releases.lines(),
    )  # fmt: skip
    return "".join(f"{line}\n" for line in lines)


def serve(facts: Health, port: int, monotonic: Callable[[], float] = time.monotonic) -> ThreadingHTTPServer:
    """Answer in a thread of its own, until the process ends or `shutdown` is called.

    Args:
        facts: What is told.
        port: On all addresses; 0 for any free one.
        monotonic: The clock of `facts`.

    Raises:
        OSError: The port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            if self.path == "/healthz":
                good, words = health(facts, monotonic())
                self._answer(200 if good else 503, words + "\n")
            elif self.path == "/metrics":
                self._answer(200, render(facts, monotonic()))
            else:
                self._answer(404, "GET /healthz or /metrics\n")

        def _answer(self, status: int, text: str) -> None:
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Type", TEXT)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes and scrapes are not news."""

    server = ThreadingHTTPServer(("", port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    return server
