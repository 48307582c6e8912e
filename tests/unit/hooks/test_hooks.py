"""Connections turned into addresses."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from airflow.sdk import Connection
from kubernetes.config import incluster_config

from glidepath.deploy import Helm
from glidepath.deploy.charts import LocalChart
from glidepath.errors import EvidenceError, RecordError, SetupError
from glidepath.hooks.cluster import kubernetes_api
from glidepath.hooks.http import address_of
from glidepath.hooks.ports import load_run
from glidepath.hooks.prometheus import PrometheusHook
from glidepath.policy import ReleaseSpec
from glidepath.record import Record
from tests.support.apiserver import NAMESPACE, ApiServer
from tests.support.loopback import Handler, listening
from tests.support.stage import Stage


@pytest.mark.parametrize(
    ("connection", "url"),
    [
        ("http://prometheus:9090", "http://prometheus:9090"),
        ("https://metrics.example.com", "https://metrics.example.com"),
        ("http://gateway:80/prometheus", "http://gateway:80/prometheus"),
        ("https://gateway/a/prometheus", "https://gateway/a/prometheus"),
        ('{"conn_type": "generic", "host": "p", "port": 9090, "schema": "https"}', "https://p:9090"),
        ('{"conn_type": "http", "host": "https://p/prometheus/", "port": 9090}', "https://p:9090/prometheus"),
        ('{"conn_type": "http", "host": "p/prometheus", "schema": "https"}', "https://p/prometheus"),
    ],
)
def test_a_prometheus_connection_is_an_address(connection: str, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SOME_PROMETHEUS", connection)
    assert PrometheusHook("some_prometheus").get_conn().url == url


@pytest.mark.parametrize("host", ["https://me:p%40ss@p/prometheus", "me:p%40ss@p/prometheus"])
def test_a_password_in_the_host_goes_into_a_header(host: str) -> None:
    """People paste an address as a whole; errors, logs and the record name the address."""
    url, headers = address_of(Connection(conn_id="p", conn_type="https", host=host))
    assert url == "https://p/prometheus"
    assert headers == {"Authorization": f"Basic {base64.b64encode(b'me:p@ss').decode()}"}


def test_a_connection_without_a_host_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SOME_PROMETHEUS", '{"conn_type": "http"}')
    with pytest.raises(SetupError, match="AIRFLOW_CONN_SOME_PROMETHEUS"):
        PrometheusHook("some_prometheus").get_conn()


def test_a_ca_file_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ca = tmp_path / "ca.crt"
    monkeypatch.setenv("AIRFLOW_CONN_P", json.dumps({"conn_type": "https", "host": "p", "extra": {"ca_file": str(ca)}}))
    with pytest.raises(SetupError, match=r"'p' names the CA file .*ca\.crt.*expected the path of a PEM file"):
        PrometheusHook("p").get_conn()
    ca.write_text("")
    assert PrometheusHook("p").get_conn()._client._session.verify == str(ca)


@pytest.mark.parametrize(
    "named", ["no_such_module:auth", "requests.auth:nothing", "requests.auth:HTTPBasicAuth", "requests"]
)
def test_a_signer_that_is_none_is_refused(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_P", "http://p")
    monkeypatch.setenv("GLIDEPATH_PROMETHEUS_AUTH", named)
    with pytest.raises(SetupError, match=r"GLIDEPATH_PROMETHEUS_AUTH=.*expected `module:name`"):
        PrometheusHook("p").get_conn()


def test_a_connection_that_changed_is_read_again_after_a_refusal(
    gatekeeper: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked = gatekeeper
    for password in ("old", "new"):
        monkeypatch.setenv("AIRFLOW_CONN_P", url.replace("//", f"//eve:{password}@"))
        if password == "old":
            prometheus = PrometheusHook("p").get_conn()
    with pytest.raises(EvidenceError, match="refuses this caller"):
        prometheus.now()
    assert [base64.b64decode(one.removeprefix("Basic ")) for one in asked] == [b"eve:old", b"eve:new"]


@pytest.fixture
def gatekeeper() -> Iterator[tuple[str, list[str]]]:
    """A server that refuses everything and notes who asked."""
    asked: list[str] = []

    class Refusing(Handler):
        def do_POST(self) -> None:
            asked.append(self.headers.get("Authorization", ""))
            self.send_response(401)
            self.end_headers()

    with listening(Refusing) as url:
        yield url, asked


def test_login_and_password_are_sent_and_told_to_nobody(
    gatekeeper: tuple[str, list[str]],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url, asked = gatekeeper
    monkeypatch.setenv("AIRFLOW_CONN_P", url.replace("//", "//eve:planted-secret@"))
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


def test_a_release_goes_by_what_was_planned_whatever_its_policy_says_by_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", f"sqlite:///{tmp_path}/record.db")
    seen: list[ReleaseSpec] = []
    monkeypatch.setattr("glidepath.hooks.ports.ports_for", lambda spec, *_: seen.append(spec))
    with ApiServer() as server:
        stage = Stage(server, tmp_path)
        planned = stage.run(policy="connections: {kubernetes: east, prometheus: east_metrics}\n")
        run = load_run(planned.id, logging.getLogger(__name__))
    assert run.spec == planned.spec
    assert (seen[0].connections.kubernetes, seen[0].namespace) == ("east", NAMESPACE)


def kubeconfig_file(folder: Path) -> dict[str, object]:
    """Two clusters; the current context is the one that is not meant."""
    names = ("meant", "current")
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": one, "cluster": {"server": f"https://{one}:6443"}} for one in names],
        "users": [{"name": one, "user": {"token": f"token-of-{one}"}} for one in names],
        "contexts": [{"name": one, "context": {"cluster": one, "user": one}} for one in names],
        "current-context": "current",
    }
    (folder / "kubeconfig").write_text(json.dumps(config))
    return config


def in_cluster(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a pod has."""
    (folder / "token").write_text("token-of-meant")
    (folder / "ca.crt").write_text("a certificate")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "meant")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(folder / "token"))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(folder / "ca.crt"))


@pytest.mark.parametrize("kind", ["path", "inline", "in cluster"])
def test_helm_works_on_the_cluster_that_the_client_talks_to(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = kubeconfig_file(tmp_path)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    in_cluster(tmp_path, monkeypatch)
    extra = {
        "path": {"kube_config_path": str(tmp_path / "kubeconfig"), "cluster_context": "meant"},
        "inline": {"kube_config": config, "cluster_context": "meant"},
        "in cluster": {"in_cluster": True},
    }[kind]
    monkeypatch.setenv("AIRFLOW_CONN_K", json.dumps({"conn_type": "kubernetes", "extra": extra}))
    seen = tmp_path / "seen.json"
    helm = tmp_path / "helm"
    helm.write_text(f'#!/bin/sh\nwhile [ "$1" != --kubeconfig ]; do shift; done\ncat "$2" > {seen}\n')
    helm.chmod(0o755)
    monkeypatch.setenv("GLIDEPATH_HELM", str(helm))
    assert Helm(LocalChart(tmp_path), "a", "b", kubernetes_api("k")).status() is None
    told = json.loads(seen.read_text())
    assert kubernetes_api("k").configuration.host == "https://meant:6443"
    assert told["clusters"][0]["cluster"]["server"] == "https://meant:6443"
    assert told["users"][0]["user"] == {"token": "token-of-meant"}
