"""What guards watch of the real API server: lists, events, bookmarks, versions that are gone, connections that break."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from kubernetes import client, config

from glidepath.informers import Reader, WatchedObjects, reader
from glidepath.informers.cache import GoneError
from glidepath.informers.streams import Kind, listed, streaming, watched
from glidepath.kube import DEPLOYMENTS, Objects
from rig.environment import glidepath_kubeconfig
from tests.support.between import Relay
from tests.support.chart import installed

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(180)]
NAMESPACE, SERVICE = "informers-test", "watched"
GIVEN = (
    f"service.name={SERVICE},replicas.stable=0,replicas.canary=0,glidepath.watchdog.enabled=false,"
    "istio.hosts={watched.example.com}"
)
WITHIN_S = 8.0
READ = ("networking.istio.io/v1/virtualservices", "networking.istio.io/v1/destinationrules", "v1/services", DEPLOYMENTS)


@pytest.fixture(scope="module")
def api() -> Iterator[client.ApiClient]:
    """The API as Glidepath's own account."""
    with installed(NAMESPACE, GIVEN):
        yield config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE)))


@pytest.fixture
def relay(api: client.ApiClient) -> Iterator[Relay]:
    address = urlsplit(api.configuration.host)
    made = Relay(str(address.hostname), address.port or 443)
    yield made
    made.close()


@pytest.fixture
def joined(api: client.ApiClient, relay: Relay) -> Iterator[Reader]:
    """A reader whose watches go through the relay."""
    through = config.new_client_from_config(str(glidepath_kubeconfig(NAMESPACE))).configuration
    through.tls_server_name = str(urlsplit(api.configuration.host).hostname)
    through.host = f"https://127.0.0.1:{relay.port}"
    made = reader(client.ApiClient(through), "relayed", NAMESPACE, WITHIN_S)
    yield made
    made.close()


def until(what: Callable[[], Any], timeout_s: float = 20.0) -> float:
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < timeout_s, "it never came"
        time.sleep(0.01)
    return time.monotonic() - began


def known(joined: Reader, kind: str) -> bool:
    """Whether a read is answered out of what is watched."""
    return joined.all(kind, metadata=kind == "v1/secrets") is not None


def touched(api: client.ApiClient, value: str) -> None:
    body = {"metadata": {"annotations": {"example.com/touched": value}}}
    Objects(api, NAMESPACE).merge(DEPLOYMENTS, f"{SERVICE}-v1", body)


def test_what_is_watched_is_what_the_server_has(api: client.ApiClient, joined: Reader) -> None:
    objects, live = WatchedObjects(api, NAMESPACE, joined), Objects(api, NAMESPACE)
    for kind in READ:
        until(lambda kind=kind: known(joined, kind))  # type: ignore[misc]
        seen = objects.get(kind, f"{SERVICE}-v1" if kind == DEPLOYMENTS else SERVICE)
        told = live.get(kind, seen["metadata"]["name"])
        assert (seen["metadata"], seen["spec"]) == (told["metadata"], told["spec"])
    until(lambda: known(joined, "v1/secrets"))
    chosen = "owner=helm"
    assert objects.list_metadata("v1/secrets", chosen) == list(live.list_metadata("v1/secrets", chosen)) != []


def test_a_change_is_seen_at_once(api: client.ApiClient, joined: Reader) -> None:
    until(lambda: known(joined, DEPLOYMENTS))
    objects = WatchedObjects(api, NAMESPACE, joined)
    for value in ("a", "b"):
        touched(api, value)
        took = until(
            lambda value=value: objects.get(DEPLOYMENTS, f"{SERVICE}-v1")["metadata"]["annotations"]["example.com/touched"]  # type: ignore[misc]
            == value
        )  # fmt: skip
        assert took < 1.0


def test_it_stays_proven_though_nothing_happens(joined: Reader) -> None:
    until(lambda: known(joined, "v1/services"))
    over = time.monotonic() + 2.5 * WITHIN_S
    while time.monotonic() < over:
        assert known(joined, "v1/services")
        time.sleep(0.05)


def test_a_connection_that_is_silent_is_not_answered_from(api: client.ApiClient, relay: Relay, joined: Reader) -> None:
    until(lambda: known(joined, DEPLOYMENTS))
    objects = WatchedObjects(api, NAMESPACE, joined)
    relay.silent()
    touched(api, "while it was silent")
    until(lambda: not known(joined, DEPLOYMENTS), WITHIN_S + 1)
    notes = objects.get(DEPLOYMENTS, f"{SERVICE}-v1")["metadata"]["annotations"]
    assert notes["example.com/touched"] == "while it was silent"
    relay.passes()
    until(lambda: known(joined, DEPLOYMENTS), 30.0)


def test_a_connection_that_breaks_is_not_answered_from_before_the_next_sign(
    api: client.ApiClient, relay: Relay, joined: Reader
) -> None:
    until(lambda: known(joined, DEPLOYMENTS))
    relay.silent()
    relay.cut()
    until(lambda: not known(joined, DEPLOYMENTS), 2.0)
    touched(api, "while it was broken")
    relay.passes()
    until(lambda: known(joined, DEPLOYMENTS), 30.0)
    notes = WatchedObjects(api, NAMESPACE, joined).get(DEPLOYMENTS, f"{SERVICE}-v1")["metadata"]["annotations"]
    assert notes["example.com/touched"] == "while it was broken"


def test_a_version_that_is_gone_is_told_as_such_and_got_over(
    api: client.ApiClient, relay: Relay, joined: Reader
) -> None:
    kind = Kind(DEPLOYMENTS)
    path = Objects(api, NAMESPACE).path(DEPLOYMENTS)
    with pytest.raises(GoneError, match="too old resource version"):
        next(watched(streaming(api), path, kind, "1", 5))
    until(lambda: known(joined, DEPLOYMENTS))
    cache = joined._cluster.cache(kind, NAMESPACE)
    assert cache is not None
    cache.version = "1"
    relay.cut()
    until(lambda: not known(joined, DEPLOYMENTS), 5.0)
    until(lambda: known(joined, DEPLOYMENTS), 30.0)
    newest = listed(streaming(api), path, kind)
    seen = [one["metadata"] for one in joined.all(DEPLOYMENTS) or ()]
    assert seen == [one["metadata"] for one in newest.objects] != []
