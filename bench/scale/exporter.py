"""`python -m bench.scale.exporter PORT SERVICES`: the counters of many services, each of two versions, as one exposition.

Each version has 100 or 25 requests a second that differ by nothing but chance, from when the exporter began.
"""

from __future__ import annotations

import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.stage import EDGES

NAMESPACE, STABLE, CANARY = "shop", "v1", "v2"
SCRAPE_S = 5
# Requests a second of each version, and of how many one fails, or is slower than an edge a fifth of the way up.
RATES, FAILED = {STABLE: 80.0, CANARY: 20.0}, 200


def name_of(number: int) -> str:
    """A service's name, by its number from 0."""
    return f"svc-{number:04}"


def main() -> None:
    """Serve until the process ends."""
    port, services, began = int(sys.argv[1]), int(sys.argv[2]), time.time()
    # Of each series the text is made once; a scrape fills in the values.
    pieces = {version: [lines(name_of(number), version, began) for number in range(services)] for version in RATES}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            served = time.time() - began
            text = "".join(
                "".join(line % value for line, value in zip(lines, values(RATES[version] * served), strict=True))
                for version, many in pieces.items()
                for lines in many
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


def lines(service: str, version: str, began: float) -> list[str]:
    """The series of a version's one pod, as lines of an exposition without their values."""
    pod = f'namespace="{NAMESPACE}",pod="{service}-{version}-6c4f9d8b71-x001z",version="{version}"'
    counted = [
        f'app_predictions_total{{{pod},status="{status}",result="{result}"}} %d\n'
        for status, result in (("success", "ham"), ("success", "spam"), ("error", "none"))
    ]
    buckets = [
        f'app_prediction_latency_seconds_bucket{{{pod},status="success",le="{edge}"}} %d\n' for edge in (*EDGES, "+Inf")
    ]
    return [*counted, *buckets, f"process_start_time_seconds{{{pod}}} {began:.0f}%.0s\n"]


def values(requests: float) -> list[int]:
    """The values after so many requests, in the order of `lines`; `%.0s` takes the last one and shows nothing."""
    every = int(requests)
    failed = every // FAILED
    good = every - failed
    middle = len(EDGES) // 2
    buckets = [int(good * min(1.0, (number / middle) ** 4)) for number in range(len(EDGES))]
    return [good - 4 * good // 10, 4 * good // 10, failed, *buckets, good, 0]


if __name__ == "__main__":
    main()
