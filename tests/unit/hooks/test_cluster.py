"""Clients of connections: each has its own cluster and credential, whatever others are made beside it."""

from __future__ import annotations

import base64
import datetime
import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from kubernetes import client
from kubernetes.config import incluster_config

from glidepath.errors import SetupError
from glidepath.hooks.cluster import kubernetes_api, shared_api


def kubeconfig(name: str) -> dict[str, Any]:
    """A kubeconfig of one cluster, named in its host, token and certificates."""
    carried = base64.b64encode(f"certificate of {name}".encode()).decode()
    cluster = {"server": f"https://{name}:6443", "certificate-authority-data": carried}
    user = {"token": f"token-of-{name}", "client-certificate-data": carried, "client-key-data": carried}
    return {
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": name, "cluster": cluster}], "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
    }  # fmt: skip


def connect(name: str, monkeypatch: pytest.MonkeyPatch, **extra: Any) -> None:
    """An Airflow connection to a cluster."""
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps({"conn_type": "kubernetes", "extra": extra}))


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a pod has; the file with its token."""
    token = tmp_path / "token"
    token.write_text("token-of-inside")
    (tmp_path / "ca.crt").write_text("certificate of inside")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "inside")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "6443")
    monkeypatch.setattr(incluster_config, "SERVICE_TOKEN_FILENAME", str(token))
    monkeypatch.setattr(incluster_config, "SERVICE_CERT_FILENAME", str(tmp_path / "ca.crt"))
    return token


def identity(api: Any) -> tuple[str, str, bytes]:
    """Where a client goes, as whom, and whom it trusts there."""
    of = api.configuration
    return (
        of.host,
        of.get_api_key_with_prefix("BearerToken").split(" ")[-1],
        Path(of.ssl_ca_cert).read_bytes(),
    )


def expected(name: str) -> tuple[str, str, bytes]:
    """The same of the cluster that is meant."""
    return f"https://{name}:6443", f"token-of-{name}", f"certificate of {name}".encode()


@pytest.mark.usefixtures("inside")
def test_of_thousands_made_in_many_threads_none_has_anothers_cluster_or_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "east.yaml").write_text(json.dumps(kubeconfig("east")))
    connect("east", monkeypatch, kube_config_path=str(tmp_path / "east.yaml"))
    connect("west", monkeypatch, kube_config=kubeconfig("west"))
    connect("inside", monkeypatch, in_cluster=True)
    before, together = client.Configuration._default, threading.Barrier(16)

    def make(seed: int) -> list[tuple[str, tuple[str, str, bytes]]]:
        chosen = random.Random(seed)
        together.wait(30)
        names = [chosen.choice(("east", "west", "inside")) for _ in range(80)]
        return [(name, identity(kubernetes_api(name))) for name in names]

    with ThreadPoolExecutor(16) as pool:
        made = [one for many in pool.map(make, range(16)) for one in many]
    assert len(made) == 1280
    assert [one for one in made if one[1] != expected(one[0])] == []
    assert client.Configuration._default is before  # nobody else's client is made of what was loaded here


def test_a_token_that_was_renewed_in_the_cluster_is_used(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connect("inside", monkeypatch, in_cluster=True)
    api = kubernetes_api("inside")
    inside.write_text("token-of-later")

    class Later(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.datetime.fromtimestamp(time.time() + 120, tz)

    monkeypatch.setattr(incluster_config, "datetime", SimpleNamespace(datetime=Later))
    assert identity(api)[1] == "token-of-later"


@pytest.mark.usefixtures("inside")
def test_a_connection_without_fields_takes_the_cluster_it_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    connect("bare", monkeypatch)
    assert identity(kubernetes_api("bare")) == expected("inside")


def test_verification_and_context_are_the_connections_own(monkeypatch: pytest.MonkeyPatch) -> None:
    two = kubeconfig("east")
    for part in ("clusters", "users", "contexts"):
        two[part] += kubeconfig("west")[part]
    connect("lax", monkeypatch, kube_config=json.dumps(two), cluster_context="west", disable_verify_ssl="true")
    connect("strict", monkeypatch, extra__kubernetes__kube_config=json.dumps(two))
    lax, strict = kubernetes_api("lax"), kubernetes_api("strict")
    assert (identity(lax), lax.configuration.verify_ssl) == (expected("west"), False)
    assert (identity(strict), strict.configuration.verify_ssl) == (expected("east"), True)


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        ({"kube_config_path": "/nowhere/kubeconfig"}, "'broken' leads to no cluster"),
        ({"kube_config": "{planted-secret: ["}, "its kube_config is neither JSON nor YAML"),
        ({"kube_config": "planted-secret"}, "its kube_config is a str, expected an object"),
        ({"kube_config": kubeconfig("east"), "in_cluster": True}, "it has in_cluster and kube_config"),
        ({"kube_config": kubeconfig("east"), "cluster_context": "north"}, "north"),
    ],
)
def test_a_connection_that_leads_nowhere_is_refused(
    extra: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect("broken", monkeypatch, **extra)
    with pytest.raises(SetupError, match=says) as caught:
        kubernetes_api("broken")
    assert "planted-secret" not in str(caught.value)


def test_a_program_of_one_kubeconfig_that_hangs_keeps_no_other_client_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging = kubeconfig("east")
    end = tmp_path / "end"
    program = {"apiVersion": "client.authentication.k8s.io/v1", "command": "sh", "interactiveMode": "Never",
               "args": ["-c", f"touch {tmp_path}/begun; while [ ! -e {end} ]; do sleep 0.05; done"]}  # fmt: skip
    hanging["users"][0]["user"] = {"exec": program}
    connect("east", monkeypatch, kube_config=hanging)
    connect("west", monkeypatch, kube_config=kubeconfig("west"))
    kubernetes_api("west")  # imports
    stuck = threading.Thread(target=lambda: kubernetes_api("east"), daemon=True)
    stuck.start()
    while not (tmp_path / "begun").exists():
        stuck.join(0.02)
    try:
        other: list[Any] = []
        made = threading.Thread(target=lambda: other.append(identity(kubernetes_api("west"))), daemon=True)
        made.start()
        made.join(10)
        assert other == [expected("west")]
        assert stuck.is_alive()
    finally:
        end.touch()
        stuck.join(10)


def test_triggers_share_a_client_while_the_connection_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "shared.yaml"
    file.write_text(json.dumps(kubeconfig("east")))
    connect("shared", monkeypatch, kube_config_path=str(file))
    first = shared_api("shared")
    assert identity(first) == expected("east")
    assert shared_api("shared") is first
    assert shared_api("shared", "events") is not first
    assert kubernetes_api("shared") is not first  # what a task asks for is its own
    file.write_text(json.dumps(kubeconfig("west")) + "  ")
    second = shared_api("shared")
    assert identity(second) == expected("west")
    connect("shared", monkeypatch, kube_config=kubeconfig("east"))
    assert identity(shared_api("shared")) == expected("east")


def test_a_client_that_was_refused_is_made_anew_once(monkeypatch: pytest.MonkeyPatch) -> None:
    connect("refused", monkeypatch, kube_config=kubeconfig("east"))
    first, refused = shared_api("refused"), time.monotonic()
    second = shared_api("refused", since=refused)
    assert second is not first
    assert shared_api("refused", since=refused) is second
    assert shared_api("refused") is second


def test_shared_clients_of_two_connections_are_never_mixed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("north", "south"):
        connect(name, monkeypatch, kube_config=kubeconfig(name))
    together = threading.Barrier(16)

    def make(number: int) -> list[bool]:
        together.wait(30)
        names = [("north", "south")[(number + turn) % 2] for turn in range(20)]
        return [identity(shared_api(name)) == expected(name) for name in names]

    with ThreadPoolExecutor(16) as pool:
        assert all(right for many in pool.map(make, range(16)) for right in many)
    assert shared_api("north") is not shared_api("south")
