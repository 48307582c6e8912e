"""An API server that is watched, and its readers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from glidepath.informers import Reader, WatchedObjects, informer, reader
from tests.support.apiserver import LEASES, NAMESPACE
from tests.support.watching import WatchingApiServer
from tests.unit.informers.watches import KIND, WITHIN_S, lease, quiet, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(informer, "PAUSE_S", 0.01)
    monkeypatch.setattr(informer, "LONGEST_S", 0.02)
    monkeypatch.setattr("glidepath.kube.calls.REFUSED_S", 0.0)


@pytest.fixture
def server() -> Iterator[WatchingApiServer]:
    with WatchingApiServer() as one:
        one.put(LEASES, lease("a", team="red"))
        yield one


@pytest.fixture
def joined(server: WatchingApiServer) -> Iterator[Reader]:
    made = reader(server.api(), "conn", NAMESPACE, WITHIN_S)
    yield made
    made.close()
    server.end()


@pytest.fixture
def objects(server: WatchingApiServer, joined: Reader) -> WatchedObjects:
    """Read once, and watched from then on."""
    made = WatchedObjects(server.api(), NAMESPACE, joined)
    until(lambda: made.list(KIND) and quiet(server, made))
    return made
