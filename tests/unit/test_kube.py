"""How `glidepath.kube` calls the API: what it tries again, for how long, and how it words what failed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import urllib3
from kubernetes import client

from glidepath import kube
from glidepath.errors import ClusterError
from glidepath.kube import Objects
from tests.support.apiserver import LEASES, NAMESPACE, ApiServer
from tests.support.fields import Object, Refused

KIND = "coordination.k8s.io/v1/leases"


def lease(name: str, **labels: str) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "labels": labels},
        "spec": {"leaseDurationSeconds": 60},
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiServer]:
    monkeypatch.setattr(kube, "PAUSE_S", 0.0)
    with ApiServer() as one:
        one.put(LEASES, lease("a", team="red"))
        yield one


@pytest.fixture
def objects(server: ApiServer) -> Objects:
    return Objects(server.api(), NAMESPACE)


def calls(server: ApiServer) -> int:
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
    assert calls(server) == 6


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_a_refusal_is_not_tried_again(server: ApiServer, objects: Objects, status: int) -> None:
    server.fail("GET", "leases/a", status)
    with pytest.raises(ClusterError) as caught:
        objects.get(KIND, "a")
    assert caught.value.status == status
    assert calls(server) == 1


@pytest.fixture
def starting(server: ApiServer, objects: Objects, monkeypatch: pytest.MonkeyPatch) -> Objects:
    """A client that had the right to read before."""
    monkeypatch.setattr(kube, "REFUSED_PAUSE_S", 0.01)
    objects.get(KIND, "a")
    server.log.clear()
    return objects


@pytest.mark.parametrize("status", [401, 403])
def test_a_right_that_was_had_before_is_asked_for_again(server: ApiServer, starting: Objects, status: int) -> None:
    server.fail("GET", "leases/a", status, times=10)
    assert starting.get(KIND, "a")["metadata"]["name"] == "a"
    assert calls(server) == 11
    assert Objects(server.api(), NAMESPACE).get(KIND, "a")  # by another client of this process, too
    server.fail("GET", "leases/a", status, times=10)
    assert Objects(server.api(), NAMESPACE).get(KIND, "a")


@pytest.mark.usefixtures("starting")
def test_a_right_that_is_gone_is_told_after_a_bounded_time(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube, "REFUSED_S", 0.2)
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
        assert calls(server) == 1


def test_what_a_webhook_denies_is_denied(server: ApiServer, starting: Objects) -> None:
    def deny() -> None:
        raise Refused(403, "Forbidden", 'admission webhook "x" denied the request: no')

    server.before("GET", "leases/a", deny)
    with pytest.raises(ClusterError, match="denied the request"):
        starting.get(KIND, "a")
    assert calls(server) == 1


@pytest.mark.usefixtures("starting")
def test_who_looks_again_soon_is_told_at_once(server: ApiServer) -> None:
    server.fail("GET", "leases/a", 403)
    with pytest.raises(ClusterError, match="answered 403"):
        Objects(kube.at_once(server.api()), NAMESPACE).get(KIND, "a")
    assert calls(server) == 1


def test_a_server_that_hangs_is_given_up_in_time(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kube, "CALL_TIMEOUT_S", (1, 0.2))
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


def test_a_list_goes_by_labels(server: ApiServer, objects: Objects) -> None:
    server.put(LEASES, lease("b", team="blue", tier="1"))
    assert [one["metadata"]["name"] for one in objects.list(KIND)] == ["a", "b"]
    assert [one["metadata"]["name"] for one in objects.list(KIND, "team=blue,tier=1")] == ["b"]
    assert objects.list(KIND, "team=green") == []


def test_creating_what_exists_is_a_conflict(objects: Objects) -> None:
    assert objects.create(KIND, lease("b"))["metadata"]["uid"]
    with pytest.raises(ClusterError, match="already exists") as caught:
        objects.create(KIND, lease("b"))
    assert caught.value.status == 409


@pytest.mark.parametrize("verb", ["replace", "merge", "apply"])
def test_a_write_at_an_old_resource_version_is_a_conflict(server: ApiServer, objects: Objects, verb: str) -> None:
    old = objects.get(KIND, "a")
    objects.merge(KIND, "a", {"spec": {"leaseDurationSeconds": 30}})
    now = server.find("leases", "a")
    body = lease("a") | {"metadata": {"name": "a", "resourceVersion": old["metadata"]["resourceVersion"]}}
    writes = {
        "replace": lambda: objects.replace(KIND, body),
        "merge": lambda: objects.merge(KIND, "a", body),
        "apply": lambda: objects.apply(KIND, body),
    }
    with pytest.raises(ClusterError, match="the object has been modified") as caught:
        writes[verb]()
    assert caught.value.status == 409
    assert server.find("leases", "a") == now
    body["metadata"] = {"name": "a", "resourceVersion": now["metadata"]["resourceVersion"]}
    writes[verb]()
    assert server.find("leases", "a")["spec"]["leaseDurationSeconds"] == 60


def test_a_merge_removes_what_is_null(server: ApiServer, objects: Objects) -> None:
    objects.merge(KIND, "a", {"metadata": {"labels": {"team": None, "tier": "2"}}})
    assert server.find("leases", "a")["metadata"]["labels"] == {"tier": "2"}


def test_an_apply_without_force_respects_another_owner(server: ApiServer, objects: Objects) -> None:
    body = lease("a") | {"spec": {"leaseDurationSeconds": 5}}
    with pytest.raises(ClusterError, match=r'conflict with "helm": \.spec\.leaseDurationSeconds') as caught:
        objects.apply(KIND, body, force=False)
    assert caught.value.status == 409
    objects.apply(KIND, body)
    assert server.find("leases", "a")["spec"]["leaseDurationSeconds"] == 5


@pytest.mark.parametrize(
    ("kind", "everywhere", "path"),
    [
        ("v1/events", False, "/api/v1/namespaces/shop/events"),
        ("v1/pods", True, "/api/v1/pods"),
        ("apps/v1/deployments", False, "/apis/apps/v1/namespaces/shop/deployments"),
        (KIND, False, "/apis/coordination.k8s.io/v1/namespaces/shop/leases"),
    ],
)
def test_a_kind_has_its_path(objects: Objects, kind: str, everywhere: bool, path: str) -> None:
    assert objects.path(kind, everywhere) == path


def test_a_list_of_nothing_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """The API server answers `null` where it is asked for metadata only and there is nothing."""
    monkeypatch.setattr("glidepath.kube.request", lambda *_, **__: {"items": None})
    objects = Objects(client.ApiClient(), "shop")
    assert list(objects.list_metadata("v1/secrets", "owner=helm")) == []
    assert objects.list("v1/secrets") == []
    assert list(objects.list_everywhere("v1/secrets")) == []


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
