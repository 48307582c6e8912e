"""What guards watch of a real API server, of this test's own: lists, events, bookmarks, versions that are gone, connections that break."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import urllib3
from kubernetes import client

from bench.scale.filled import VIRTUAL_SERVICES, install
from bench.scale.servers import TOKENS, ask, cluster
from glidepath.informers import Reader, WatchedObjects, reader
from glidepath.informers.cache import Cache, GoneError
from glidepath.informers.streams import Kind, listed, streaming, watched
from glidepath.kube import DEPLOYMENTS, Objects
from tests.support.between import Relay

pytestmark = [
    pytest.mark.cluster, pytest.mark.timeout(180),
    pytest.mark.skipif(os.environ.get("GLIDEPATH_CLUSTER") == "own", reason="the sandbox's programs are not there"),
]  # fmt: skip
NAMESPACE, SERVICE = "shop", "prices"
WITHIN_S = 8.0
READ = (VIRTUAL_SERVICES, "networking.istio.io/v1/destinationrules", "v1/services", DEPLOYMENTS)


def client_of(url: str) -> client.ApiClient:
    configuration = client.Configuration(host=url, api_key={"BearerToken": f"Bearer {TOKENS['filler']}"})
    configuration.verify_ssl = False  # its certificate is its own
    return client.ApiClient(configuration)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[client.ApiClient]:
    """An API server with a service in the middle of a release."""
    urllib3.disable_warnings()
    with cluster(tmp_path_factory.mktemp("servers") / "cluster") as served:
        ask(served.url, "POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        made = client_of(served.url)
        install(Objects(made, NAMESPACE), SERVICE)
        yield made


@pytest.fixture
def relay(api: client.ApiClient) -> Iterator[Relay]:
    address = urlsplit(api.configuration.host)
    made = Relay(str(address.hostname), address.port or 443)
    yield made
    made.close()


@pytest.fixture
def joined(relay: Relay) -> Iterator[Reader]:
    """A reader whose watches go through the relay."""
    made = reader(client_of(f"https://127.0.0.1:{relay.port}"), "relayed", NAMESPACE, WITHIN_S)
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


def watching(joined: Reader, kind: str) -> bool:
    """Whether it is known, and has been watched for a while."""
    cache = joined._cluster.cache(Kind(kind), NAMESPACE)
    return known(joined, kind) and cache is not None and 0.5 < time.monotonic() - cache._opened < 60


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
            lambda value=value: objects.get(DEPLOYMENTS, f"{SERVICE}-v1")["metadata"]["annotations"].get("example.com/touched")  # type: ignore[misc]
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
    until(lambda: watching(joined, DEPLOYMENTS))
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
    until(lambda: watching(joined, DEPLOYMENTS))
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
    kind, path = Kind(VIRTUAL_SERVICES), Objects(api, NAMESPACE).path(VIRTUAL_SERVICES)
    [(event, at)] = watched(streaming(api), path, kind, "1", 5)
    with pytest.raises(GoneError, match="410: too old resource version"):
        Cache().take(event, at)
    until(lambda: watching(joined, VIRTUAL_SERVICES))
    cache = joined._cluster.cache(kind, NAMESPACE)
    assert cache is not None
    cache.version = "1"
    relay.cut()
    until(lambda: not known(joined, VIRTUAL_SERVICES), 5.0)
    until(lambda: known(joined, VIRTUAL_SERVICES), 30.0)
    newest = listed(streaming(api), path, kind)
    seen = [one["metadata"] for one in joined.all(VIRTUAL_SERVICES) or ()]
    assert seen == [one["metadata"] for one in newest.objects] != []
