"""How `glidepath.kube` calls the API: what it tries again, for how long, and how it words what failed."""

from __future__ import annotations

import time

import pytest
import urllib3
from kubernetes import client

from glidepath.errors import ClusterError
from glidepath.kube import Objects, calls
from tests.support.apiserver import NAMESPACE, ApiServer
from tests.support.fields import Refused
from tests.unit.kube.leases import KIND


def asked(server: ApiServer) -> int:
    return len(server.log)


@pytest.mark.parametrize("status", [429, 500, 503, 504])
def test_what_may_pass_is_tried_three_times(server: ApiServer, objects: Objects, status: int) -> None:
    server.fail("GET", "leases/a", status, times=2)
    assert objects.get(KIND, "a")["metadata"]["name"] == "a"
    server.fail("GET", "leases/a", status, times=3)
    with pytest.raises(
        ClusterError, match=f"reading {KIND} a: the Kubernetes API answered {status}: injected"
    ) as caught:
        objects.get(KIND, "a")
    assert caught.value.status == status
    assert asked(server) == 6


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_not_tried_again(server: ApiServer, objects: Objects, status: int) -> None:
    server.fail("GET", "leases/a", status)
    with pytest.raises(ClusterError) as caught:
        objects.get(KIND, "a")
    assert caught.value.status == status
    assert asked(server) == 1


@pytest.fixture
def starting(server: ApiServer, objects: Objects, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """A client that had the right to read before."""
    monkeypatch.setattr(calls, "REFUSED_PAUSE_S", 0.01)
    objects.get(KIND, "a")
    server.log.clear()
    return objects


@pytest.mark.parametrize("status", [401, 403])
def test_a_right_that_was_had_before_is_asked_for_again(server: ApiServer, starting: Objects, status: int) -> None:
    server.fail("GET", "leases/a", status, times=10)
    assert starting.get(KIND, "a")["metadata"]["name"] == "a"
    assert asked(server) == 11
    assert Objects(server.api(), NAMESPACE).get(KIND, "a")  # by another client of this process, too
    server.fail("GET", "leases/a", status, times=10)
    assert Objects(server.api(), NAMESPACE).get(KIND, "a")


@pytest.mark.usefixtures("starting")
def test_a_right_that_is_gone_is_told_after_a_bounded_time(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "REFUSED_S", 0.2)
    server.fail("GET", "leases/a", 403, times=1000)
    began = time.monotonic()
    with pytest.raises(ClusterError, match="answered 403") as caught:
        Objects(server.api(), NAMESPACE).get(KIND, "a")
    assert (caught.value.status, 0.2 < time.monotonic() - began < 1) == (403, True)


def test_another_right_that_was_never_had_is_refused_at_once(server: ApiServer, starting: Objects) -> None:
    for method, do in (("GET", lambda: starting.list(KIND)), ("PATCH", lambda: starting.merge(KIND, "a", {}))):
        server.log.clear()
        server.fail(method, "leases", 403)
        with pytest.raises(ClusterError, match="answered 403"):
            do()
        assert asked(server) == 1


def test_what_a_webhook_denies_is_denied(server: ApiServer, starting: Objects) -> None:
    def deny() -> None:
        raise Refused(403, "Forbidden", 'admission webhook "x" denied the request: no')

    server.before("GET", "leases/a", deny)
    with pytest.raises(ClusterError, match="denied the request"):
        starting.get(KIND, "a")
    assert asked(server) == 1


@pytest.mark.usefixtures("starting")
def test_who_looks_again_soon_is_told_at_once(server: ApiServer) -> None:
    server.fail("GET", "leases/a", 403)
    with pytest.raises(ClusterError, match="answered 403"):
        Objects(calls.at_once(server.api()), NAMESPACE).get(KIND, "a")
    assert asked(server) == 1


def test_a_server_that_hangs_is_given_up_in_time(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "CALL_TIMEOUT_S", (1, 0.2))
    server.delay("GET", "leases/a", 0.6, times=9)
    objects, began = Objects(server.api(), NAMESPACE), time.monotonic()
    with pytest.raises(ClusterError, match="did not answer") as caught:
        objects.get(KIND, "a")
    assert caught.value.status == 0
    assert time.monotonic() - began < 1.5  # three attempts of 0.2 s; urllib3's own retries would make twelve


def test_no_server_at_all_says_so() -> None:
    objects = Objects(client.ApiClient(client.Configuration(host="http://127.0.0.1:9")), NAMESPACE)
    with pytest.raises(ClusterError, match=f"listing {KIND}: the Kubernetes API did not answer") as caught:
        objects.list(KIND)
    assert caught.value.status == 0


def test_a_connection_whose_tls_breaks_is_an_answer_that_never_came(
    objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client library makes another error of it, by what it does with the body that is not there."""

    def broken(*_: object, **__: object) -> None:
        raise urllib3.exceptions.SSLError("EOF occurred in violation of protocol")

    monkeypatch.setattr("urllib3.PoolManager.request", broken)
    with pytest.raises(ClusterError, match=f"reading {KIND} a: the Kubernetes API did not answer") as caught:
        objects.get(KIND, "a")
    assert caught.value.status == 0
