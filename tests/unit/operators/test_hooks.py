"""Connections turned into addresses."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from glidepath.errors import EvidenceError, PreflightError, RecordError
from glidepath.hooks.ports import PrometheusHook
from glidepath.record import Record


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ("http://prometheus:9090", "http://prometheus:9090"),
        ("https://metrics.example.com", "https://metrics.example.com"),
        ("http://gateway:80/prometheus", "http://gateway:80/prometheus"),
        ('{"conn_type": "generic", "host": "p", "port": 9090, "schema": "https"}', "https://p:9090"),
    ],
)
def test_a_prometheus_connection_is_an_address(connection: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SOME_PROMETHEUS", connection)
    assert PrometheusHook("some_prometheus").get_conn().url == url


def test_a_connection_without_a_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SOME_PROMETHEUS", '{"conn_type": "http"}')
    with pytest.raises(PreflightError, match="AIRFLOW_CONN_SOME_PROMETHEUS"):
        PrometheusHook("some_prometheus").get_conn()


@pytest.fixture
def gatekeeper() -> Iterator[tuple[HTTPServer, list[str]]]:
    """A server that refuses everything and notes who asked."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(self.headers.get("Authorization", ""))
            self.send_response(401)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server, asked
    server.shutdown()


def test_login_and_password_are_sent_and_told_to_nobody(
    gatekeeper: tuple[HTTPServer, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server, asked = gatekeeper
    monkeypatch.setenv("AIRFLOW_CONN_P", f"http://eve:planted-secret@127.0.0.1:{server.server_port}")
    caplog.set_level("DEBUG")
    with pytest.raises(EvidenceError) as caught:
        PrometheusHook("p").get_conn().now()
    assert base64.b64decode(asked[0].removeprefix("Basic ")) == b"eve:planted-secret"
    for told in (str(caught.value), repr(caught.value), caplog.text):
        assert "planted-secret" not in told
        assert asked[0] not in told


def test_the_records_password_is_in_no_error() -> None:
    with pytest.raises(RecordError) as caught:
        Record("postgresql+psycopg2://eve:planted-secret@127.0.0.1:9/none").find("x")
    assert "planted-secret" not in str(caught.value)
    assert "eve" in str(caught.value)
