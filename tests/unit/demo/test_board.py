"""A dashboard's panels over the time of a release: its own queries, numbers in a table, lines in a picture."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from demo.board import Panel, Series, _named, draw, read, table
from rig.environment import REPO, RigError

BOARD = REPO / "include" / "dashboards" / "ab-testing.json"
PNG = b"\x89PNG"


@pytest.fixture
def asked() -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    """A Prometheus with v1 and v2 in every answer; its address, and what it was asked."""
    seen: list[dict[str, list[str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            said = parse_qs(urlsplit(self.path).query)
            seen.append(said)
            start = float(said["start"][0])
            rows = [
                {"metric": {"version": version}, "values": [[start, "NaN"], [start + 5, value]]}
                for version, value in (("v1", "900"), ("v2", "100"))
            ]
            wrong = {"status": "error", "error": "parse error"}
            answer = wrong if "nonsense" in said["query"][0] else {"status": "success", "data": {"result": rows}}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()


def test_every_panel_is_asked_with_its_variables_over_the_time(asked: tuple[str, list[dict[str, list[str]]]]) -> None:
    url, seen = asked
    shown = read(BOARD, {"namespace": "shop", "service": "prices", "version": ".*"}, url, 1000.0, 1400.0)
    assert all("$" not in said["query"][0] for said in seen)
    assert any("[400s]" in said["query"][0] for said in seen)
    assert {(one.kind, one.title) for one in shown} >= {
        ("stat", "Failed requests in the shown time by version"),
        ("timeseries", "Share of requests by version (mesh)"),
    }
    versions = next(one for one in shown if one.title == "Request rate by version (application)")
    assert [(one.name, one.points) for one in versions.series] == [("v1", [(1005.0, 900.0)]), ("v2", [(1005.0, 100.0)])]


def test_a_query_that_is_refused_is_told(asked: tuple[str, list[dict[str, list[str]]]], tmp_path: Path) -> None:
    board = {
        "panels": [{"title": "x", "type": "stat", "fieldConfig": {"defaults": {}}, "targets": [{"expr": "nonsense("}]}]
    }
    (tmp_path / "board.json").write_text(json.dumps(board))
    with pytest.raises(RigError, match="parse error"):
        read(tmp_path / "board.json", {}, asked[0], 0.0, 10.0)


@pytest.mark.parametrize(
    ("legend", "name"),
    [("{{version}} p95", "v1 p95"), ("{{ version }} {{reason}}", "v1"), ("", "v1"), ("{{none}}", "v1")],
)
def test_a_line_is_called_as_grafana_calls_it(legend: str, name: str) -> None:
    assert _named(legend, {"version": "v1"}) == name


def test_numbers_are_a_row_each_with_a_zero_where_a_version_has_none() -> None:
    shown = [
        Panel("Requests", "stat", "short", [Series("v1", [(5.0, 1234.4)]), Series("v2", [(5.0, 90.0)])]),
        Panel("Failed", "stat", "short", [Series("v1", [(5.0, 7.0)]), Series("v2", [])]),
        Panel("Rate", "timeseries", "reqps", []),
    ]
    assert list(table(shown)) == [
        "| | v1 | v2 |",
        "| --- | --- | --- |",
        "| Requests | 1,234 | 90 |",
        "| Failed | 7 | 0 |",
    ]


def test_lines_are_drawn_and_a_panel_without_any_is_left_blank(tmp_path: Path) -> None:
    shown = [
        Panel("Rate", "timeseries", "reqps", [Series("v1", [(5.0, 1.0), (10.0, 2.0)])]),
        Panel("Nothing", "timeseries", "s", []),
    ]
    draw(shown, {"10 %": 6.0}, tmp_path / "board.png")
    assert (tmp_path / "board.png").read_bytes().startswith(PNG)
