"""Readers of one process share their watches, and many namespaces share one."""

from __future__ import annotations

from typing import Any

import pytest

from glidepath.informers import Reader, WatchedObjects, reader, shared
from tests.support.apiserver import NAMESPACE
from tests.support.watching import WatchingApiServer
from tests.unit.informers.watches import KIND, WITHIN_S, lease, quiet, until


def test_readers_share_a_watch_and_the_last_one_ends_it(server: WatchingApiServer) -> None:
    readers = [reader(server.api(), "conn", NAMESPACE, WITHIN_S) for _ in range(20)]
    all_objects = [WatchedObjects(server.api(), NAMESPACE, one) for one in readers]
    until(lambda: all_objects[0].list(KIND) and quiet(server, all_objects[0]))
    assert all(quiet(server, one) for one in all_objects)
    until(lambda: server.watches)
    assert (server.watches, server.asked("watch", "leases") + server.asked("list", "leases") > 20) == (1, False)
    for one in readers[1:]:
        one.close()
    assert quiet(server, all_objects[0])
    readers[0].close()
    server.end()
    until(lambda: not server.watches)
    assert shared._clusters == {}


def in_namespaces(server: WatchingApiServer, count: int) -> list[Reader]:
    """So many readers, each of a namespace with a Lease of its own; each has read."""
    readers = []
    for number in range(count):
        namespace = f"team-{number}"
        server.put(f"/apis/{KIND.replace('/leases', '')}/namespaces/{namespace}/leases", lease(f"of-{number}"))
        readers.append(reader(server.api(), "conn", namespace, WITHIN_S))
    for one in readers:
        assert [found["metadata"]["name"] for found in read(server, one)] == [one.namespace.replace("team", "of")]
    return readers


def read(server: WatchingApiServer, of: Reader) -> list[Any]:
    return WatchedObjects(server.api(), of.namespace, of).list(KIND)


def calm(server: WatchingApiServer, readers: list[Reader]) -> bool:
    """Whether reads by all ask the server nothing."""
    before = len(server.log)
    for one in readers:
        read(server, one)
    return len(server.log) == before


@pytest.mark.parametrize(("everywhere", "most"), [(True, shared.APART + 1), (False, 12)])
def test_many_namespaces_are_watched_by_one_where_the_account_may(
    server: WatchingApiServer, everywhere: bool, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared, "PART", 0.01)  # what is listed anew is so after some seconds
    server.everywhere = everywhere
    readers = in_namespaces(server, 12)
    try:
        until(lambda: calm(server, readers), 20.0)
        assert len(shared._clusters["conn", server.url]._informers) <= most + 1
        server.put(f"/apis/{KIND.replace('/leases', '')}/namespaces/team-11/leases", lease("new"))
        until(lambda: len(read(server, readers[11])) == 2)
        assert [found["metadata"]["name"] for found in read(server, readers[10])] == ["of-10"]
        other = [key for key in server.objects if key[1] == "a"]
        cluster = shared._clusters["conn", server.url]
        kept = [one.cache._objects for (_, where), one in cluster._informers.items() if where == shared.EVERYWHERE]
        assert all(NAMESPACE not in objects for objects in kept)
        assert other
    finally:
        for one in readers:
            one.close()
        server.end()
    assert shared._clusters == {}


def test_beyond_so_many_watches_the_server_is_asked(server: WatchingApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "MOST", 3)
    readers = in_namespaces(server, 5)
    try:
        until(lambda: calm(server, readers[:3]))
        assert not calm(server, readers[3:])
    finally:
        for one in readers:
            one.close()
        server.end()
