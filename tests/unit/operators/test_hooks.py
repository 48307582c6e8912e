"""Connections turned into addresses."""

from __future__ import annotations

import pytest

from glidepath.errors import PreflightError
from glidepath.hooks.ports import PrometheusHook


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
