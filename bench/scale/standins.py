"""`python -m bench.scale.standins SERVICES AUDIT`: an API server and a Prometheus in memory, where no real ones can be had.

They say what the real ones would of the same services, over real HTTP, in a process of their own: what guards cost of
processor and memory is the same by them. What the servers cost, and how late they answer, they don't tell.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from bench.scale.exporter import RATES, SCRAPE_S, lines, name_of, values
from bench.scale.servers import Cluster
from glidepath.evidence.selectors import Selector, parsed
from tests.support.watching import WatchingApiServer

REPO = Path(__file__).parents[2]
# So long before it is started its services began, and a sample counts as the newest, seconds.
PAST_S, LOOK_BACK_S = 600.0, 300.0
OPERATORS = {"=": str.__eq__, "!=": str.__ne__}


@contextmanager
def standins(folder: Path, count: int) -> Iterator[tuple[Cluster, str]]:
    """Both of so many services, and the Prometheus' URL."""
    audit = folder / "audit.log"
    command = [sys.executable, "-m", "bench.scale.standins", str(count), str(audit)]
    process = subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield Cluster(said["kubernetes"], audit), said["prometheus"]
    finally:
        process.terminate()
        process.wait()


class Services:
    """The samples of many services, each counter with one every `SCRAPE_S`, since `PAST_S` ago.

    Args:
        count: How many.
    """

    def __init__(self, count: int) -> None:
        self.began = float(round(time.time() - PAST_S))
        # By name: labels, version, the counter's place in `values`, and the row's beginning in an answer.
        self._series: dict[str, list[tuple[dict[str, str], str, int, str]]] = {}
        for version in RATES:
            for number in range(count):
                self._add(name_of(number), version)
        self._values = lru_cache(1024)(lambda version, at: values(RATES[version] * (at - self.began)))

    def _add(self, service: str, version: str) -> None:
        for place, line in enumerate(lines(service, version, self.began)):
            found = parsed(line.split(" ")[0])
            if found is not None:
                labels = {"__name__": found.name, **{label: value for label, _, value in found.matchers}}
                row = f'{{"metric":{json.dumps(labels)},"values":['
                self._series.setdefault(found.name, []).append((labels, version, place, row))

    @lru_cache(4096)  # noqa: B019, there is one
    def _matched(self, selector: Selector) -> list[tuple[dict[str, str], str, int, str]]:
        return [series for series in self._series.get(selector.name, ()) if _matches(selector, series[0])]

    def rows(self, selector: Selector, times: list[float]) -> str:
        """The samples of what a selector matches, as a JSON list; of each time the newest, epoch seconds."""
        taken = [(at, self.began + SCRAPE_S * ((at - self.began) // SCRAPE_S)) for at in times]
        found = []
        for _, version, place, row in self._matched(selector):
            samples = (f'[{at:.3f},"{self._value(version, place, sample)}"]' for at, sample in taken)
            found.append(f"{row}{','.join(samples)}]}}")
        return f"[{','.join(found)}]"

    def _value(self, version: str, place: int, at: float) -> int:
        every = self._values(version, at)
        # The last is when the process began.
        return every[place] if place < len(every) - 1 else round(self.began)

    def scrapes(self, after: float, until: float) -> list[float]:
        """The times of samples in a window, epoch seconds."""
        first = max(0, int((after - self.began) // SCRAPE_S) + 1)
        last = int((until - self.began) // SCRAPE_S)
        return [self.began + SCRAPE_S * number for number in range(first, last + 1)]


def _matches(selector: Selector, labels: dict[str, str]) -> bool:
    for label, operator, value in selector.matchers:
        has = labels.get(label, "")
        if operator in OPERATORS:
            right = OPERATORS[operator](has, value)
        else:
            right = (re.fullmatch(value, has) is not None) == (operator == "=~")
        if not right:
            return False
    return True


def answer(services: Services, query: str, at: float) -> tuple[str, str]:
    """Type and JSON of a query's result.

    Raises:
        ValueError: It is none that this stand-in answers.
    """
    if query == "time()":
        return "scalar", f'[{at:.3f},"{at:.3f}"]'
    text, _, window = query.removesuffix("]").rpartition("[")
    selector = parsed(text)
    if selector is None:
        raise ValueError(f"no PromQL here: {query[:200]}")
    length, _, step = window.partition(":")
    begins = at - float(length.removesuffix("s"))
    if not step:
        return "matrix", services.rows(selector, services.scrapes(begins, at))
    every = float(step.removesuffix("s"))
    first = every * (max(begins, services.began) // every + 1)
    return "matrix", services.rows(selector, [first + every * n for n in range(int((at - first) // every) + 1)])


def prometheus(services: Services) -> ThreadingHTTPServer:
    """Serves queries, and how many there were."""
    asked = [0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._send(200, f'prometheus_http_requests_total{{handler="/api/v1/query"}} {asked[0]}\n')

        def do_POST(self) -> None:
            asked[0] += 1
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            try:
                kind, result = answer(services, form["query"][0], float(form.get("time", [time.time()])[0]))
            except ValueError as error:
                self._send(422, json.dumps({"status": "error", "errorType": "execution", "error": str(error)}))
                return
            self._send(200, f'{{"status":"success","data":{{"resultType":"{kind}","result":{result}}}}}')

        def _send(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    served = Quiet(("127.0.0.1", 0), Handler)
    served.daemon_threads = True
    return served


class Quiet(ThreadingHTTPServer):
    """Says nothing of connections that guards leave when they end."""

    def handle_error(self, *_: object) -> None:
        """Nobody reads it."""


class Audited(WatchingApiServer):
    """Writes a line to a file for each request, as the real one's audit does of what guards ask.

    Args:
        audit: The file.
    """

    def __init__(self, audit: Path) -> None:
        self._audit = audit.open("a", buffering=1)
        super().__init__()
        self._http.__class__ = Quiet

    def handle(self, method: str, target: str, content_type: str, body: Any) -> tuple[int, Any]:
        """As there."""
        self.log.clear()
        self._audit.write(f"{method} {target}\n")
        return super().handle(method, target, content_type, body)


def main() -> None:
    """Serve until the process ends."""
    count, audit = int(sys.argv[1]), Path(sys.argv[2])
    queries = prometheus(Services(count))
    threading.Thread(target=queries.serve_forever, daemon=True).start()
    with Audited(audit) as server:
        urls = {"kubernetes": server.url, "prometheus": f"http://127.0.0.1:{queries.server_port}"}
        print(json.dumps(urls), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
