"""How objects are read and written: whose write counts, and where each kind is."""

from __future__ import annotations

import pytest
from kubernetes import client

from glidepath.errors import ClusterError
from glidepath.kube import Objects
from tests.support.apiserver import LEASES, ApiServer
from tests.unit.kube.leases import KIND, lease


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
    monkeypatch.setattr("glidepath.kube.objects.request", lambda *_, **__: {"items": None})
    objects = Objects(client.ApiClient(), "shop")
    assert list(objects.list_metadata("v1/secrets", "owner=helm")) == []
    assert objects.list("v1/secrets") == []
    assert list(objects.list_everywhere("v1/secrets")) == []
