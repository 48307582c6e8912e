"""The proxy that misbehaves: a real process between a real client and a real server, on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests

from rig.environment import REPO, free_port
from tests.faults.interposer import bend

MATRIX = [{"metric": {"job": "pods"}, "values": [[10.0, "1"], [20.0, "2"]]}]


class Upstream(BaseHTTPRequestHandler):
    """Answers every request with what Prometheus would, and counts."""

    seen: list[str] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append(self.path)
        body = json.dumps({"data": {"resultType": "matrix", "result": MATRIX}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_PATCH = do_POST

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    upstream = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    listen, control = free_port(19100), free_port(19400)
    settings = tmp_path_factory.mktemp("proxy") / "settings.json"
    side = {"listen": listen, "upstream": f"http://127.0.0.1:{upstream.server_port}"}
    settings.write_text(json.dumps({"control": control, "sides": {"one": side}}))
    process = subprocess.Popen([sys.executable, "-m", "tests.faults.interposer", str(settings)], cwd=REPO)
    address = f"http://127.0.0.1:{control}/one"
    deadline = time.monotonic() + 30
    while True:
        try:
            requests.get(address, timeout=2)
            break
        except requests.ConnectionError:
            assert time.monotonic() < deadline, "the proxy does not answer"
            time.sleep(0.1)
    yield f"http://127.0.0.1:{listen}/api", address
    process.kill()
    process.wait()
    upstream.shutdown()


def wrong(control: str, **what: Any) -> None:
    requests.post(control, json=what, timeout=5).raise_for_status()


def hits(control: str) -> int:
    return int(requests.get(control, timeout=5).json()["hits"])


def test_it_passes_on_what_is_not_wrong(proxy: tuple[str, str]) -> None:
    url, control = proxy
    wrong(control, mode="409", verbs=["PATCH"], agent="^Helm")
    assert requests.post(url, timeout=5).json()["data"]["result"] == MATRIX
    assert requests.patch(url, timeout=5).status_code == 200
    assert hits(control) == 0
    assert requests.patch(url, headers={"User-Agent": "Helm/4.3"}, timeout=5).status_code == 409
    assert hits(control) == 1


def test_it_refuses_keeps_silent_and_loses_answers_until_it_is_healed(proxy: tuple[str, str]) -> None:
    url, control = proxy
    wrong(control, mode="refuse")
    with pytest.raises(requests.ConnectionError, match="refused"):
        requests.post(url, timeout=5)
    wrong(control, mode="hang")
    with pytest.raises(requests.ReadTimeout):
        requests.post(url, timeout=0.5)
    before = len(Upstream.seen)
    wrong(control, mode="lost")
    with pytest.raises(requests.ConnectionError):
        requests.post(url, timeout=5)
    assert len(Upstream.seen) == before + 1
    wrong(control)
    assert requests.post(url, timeout=5).status_code == 200


def test_what_is_held_goes_on_when_it_is_healed(proxy: tuple[str, str]) -> None:
    url, control = proxy
    wrong(control, mode="hold", verbs=["PATCH"])
    told: list[int] = []
    caller = threading.Thread(target=lambda: told.append(requests.patch(url, timeout=20).status_code))
    caller.start()
    deadline = time.monotonic() + 10
    while hits(control) == 0:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert told == []
    wrong(control)
    caller.join(10)
    assert told == [200]


def test_bent_samples() -> None:
    assert bend("empty", MATRIX, 0) == []
    assert bend("nan", MATRIX, 0)[0]["values"] == [[10.0, "NaN"], [20.0, "NaN"]]
    assert bend("stale", MATRIX, 15)[0]["values"] == [[10.0, "1"]]
    assert [one["metric"]["job"] for one in bend("duplicate", MATRIX, 0)] == ["pods", "pods-again"]
