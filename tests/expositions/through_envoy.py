"""Prints what Envoy exposes after requests of known number: `through_envoy.py ENVOY`."""

from __future__ import annotations

import http.server
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

# Keep in step with tests/unit/evidence/behaviour/test_presets.py.
ROUNDS = ((20, 1, 2), (120, 5, 12))
CODES = (200, 404, 503)
ADMIN, LISTENER = (f"http://127.0.0.1:{port}" for port in (19901, 19902))
KEPT = ("envoy_cluster_upstream_rq{", "envoy_cluster_upstream_rq_time_")
DEADLINE_S = 20.0


class Upstream(http.server.BaseHTTPRequestHandler):
    """Answers with the status in the path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(int(self.path.strip("/")))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def get(url: str) -> str:
    """The answer's body, whatever its status."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return str(error.read().decode())


def settled(wanted: int) -> str:
    """What is exposed once all requests are in the histograms, which Envoy merges every few seconds."""
    until = time.monotonic() + DEADLINE_S
    while True:
        told = get(f"{ADMIN}/stats/prometheus")
        counted = [line for line in told.splitlines() if line.startswith("envoy_cluster_upstream_rq_time_count")]
        if sum(float(line.split()[-1]) for line in counted) == wanted:
            return "\n".join(line for line in told.splitlines() if line.startswith(KEPT))
        if time.monotonic() > until:
            raise SystemExit(f"Envoy has not counted {wanted} requests: {counted}")
        time.sleep(0.2)


def main(envoy: str) -> None:
    """Start, send, print."""
    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", 19903), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    config = Path(__file__).with_name("envoy.yaml")
    with tempfile.TemporaryFile() as log:
        proxy = subprocess.Popen(
            [envoy, "-c", str(config), "--concurrency", "1", "-l", "error"], stdout=log, stderr=log
        )
        try:
            until = time.monotonic() + DEADLINE_S
            while True:
                try:
                    get(f"{ADMIN}/ready")
                    break
                except OSError:
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.1)
            sent = [0, 0, 0]
            for number, wanted in enumerate(ROUNDS):
                for at, code in enumerate(CODES):
                    for _ in range(wanted[at] - sent[at]):
                        get(f"{LISTENER}/v1/{code}")
                        get(f"{LISTENER}/v2/{code}")
                sent = list(wanted)
                print(f"# scrape {number}")
                print(settled(2 * sum(wanted)))
        finally:
            proxy.terminate()
            proxy.wait()


if __name__ == "__main__":
    main(sys.argv[1])
