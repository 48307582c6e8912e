"""A cache that is fed by a list and a watch: it equals the server, whatever happens in between, or does not answer."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.errors import ClusterError
from glidepath.informers import Reader, WatchedObjects, informer, reader, shared
from glidepath.informers.streams import Kind
from tests.support.apiserver import LEASES, NAMESPACE, SECRETS
from tests.support.fields import Object
from tests.support.watching import WatchingApiServer

KIND = "coordination.k8s.io/v1/leases"
WITHIN_S = 30.0


def lease(name: str, **labels: str) -> Object:
    return {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": labels},
        "spec": {"leaseDurationSeconds": 60},
    }


def until(what: Callable[[], Any], timeout_s: float = 10.0) -> None:
    """Wait for what another thread does."""
    over = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < over, "it never came"
        time.sleep(0.005)


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


def quiet(server: WatchingApiServer, objects: WatchedObjects, kind: str = KIND) -> bool:
    """Whether a read asks the server nothing."""
    before = len(server.log)
    objects.get(kind, "a")
    return len(server.log) == before


def test_reads_of_what_is_watched_ask_the_server_nothing(server: WatchingApiServer, objects: WatchedObjects) -> None:
    until(lambda: server.watches)
    asked = len(server.log)
    for _ in range(50):
        assert objects.get(KIND, "a")["metadata"]["labels"] == {"team": "red"}
        assert [one["metadata"]["name"] for one in objects.list(KIND, "team=red")] == ["a"]
        assert objects.list(KIND, "team=blue") == []
    assert len(server.log) == asked


def test_what_is_read_is_what_the_server_has(server: WatchingApiServer, objects: WatchedObjects) -> None:
    assert objects.get(KIND, "a") == server.find("leases", "a")


def test_a_change_is_seen_without_a_question(server: WatchingApiServer, objects: WatchedObjects) -> None:
    until(lambda: server.watches)
    asked = len(server.log)
    server.put(LEASES, lease("b"))
    server.put(LEASES, lease("a", team="blue"))
    until(lambda: [one["metadata"]["name"] for one in objects.list(KIND)] == ["a", "b"])
    until(lambda: objects.get(KIND, "a")["metadata"]["labels"] == {"team": "blue"})
    server._carry_out("DELETE", f"{LEASES}/b", {}, "", None)
    until(lambda: len(objects.list(KIND)) == 1)
    with pytest.raises(ClusterError, match=f"reading {KIND} b: b is not there") as caught:
        objects.get(KIND, "b")
    assert caught.value.status == 404
    assert len(server.log) == asked


def test_a_selector_that_only_the_server_knows_is_asked_of_it(
    server: WatchingApiServer, objects: WatchedObjects
) -> None:
    server.forbidden.add(("list", "leases"))
    with pytest.raises(ClusterError, match="forbidden"):
        objects.list(KIND, "team in (red,blue)")
    with pytest.raises(ClusterError, match="forbidden"):
        objects.list(KIND, fields="spec.holderIdentity=x")
    assert len(objects.list(KIND, fields="metadata.name=a")) == 1


def test_nothing_is_written_by_what_is_watched(server: WatchingApiServer, objects: WatchedObjects) -> None:
    for write in (
        lambda: objects.merge(KIND, "a", {}),
        lambda: objects.apply(KIND, lease("a")),
        lambda: objects.replace(KIND, lease("a")),
        lambda: objects.create(KIND, lease("c")),
        lambda: objects.delete(KIND, "a", "1"),
    ):
        with pytest.raises(AssertionError, match="a write goes by what was read from the API"):
            write()
    assert server.writes() == []


def test_a_watch_that_breaks_is_not_answered_from_before_it_shows_that_nothing_was_left_out(
    server: WatchingApiServer, objects: WatchedObjects
) -> None:
    until(lambda: server.watches)
    server.down = True
    server.cut()
    until(lambda: not quiet(server, objects))
    server.put(LEASES, lease("b"))
    assert len(objects.list(KIND)) == 2
    server.down = False
    until(lambda: quiet(server, objects))
    assert len(objects.list(KIND)) == 2


def test_an_error_that_nobody_thought_of_ends_no_watch_and_answers_nothing(
    server: WatchingApiServer, objects: WatchedObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(lambda: server.watches)
    real = informer.watched

    def odd(*_: object) -> None:
        raise AttributeError("'NoneType' object has no attribute 'decode'")

    monkeypatch.setattr(informer, "watched", odd)
    server.end()
    until(lambda: not quiet(server, objects))
    monkeypatch.setattr(informer, "watched", real)
    until(lambda: quiet(server, objects))


def test_a_kind_of_which_nobody_writes_anything_stays_proven(server: WatchingApiServer) -> None:
    """The API sends no bookmark then; that each watch is begun anew is the sign."""
    joined = reader(server.api(), "conn", NAMESPACE, 2.7)
    try:
        objects = WatchedObjects(server.api(), NAMESPACE, joined)
        until(lambda: objects.list(KIND) and quiet(server, objects))
        over = time.monotonic() + 5.0
        while time.monotonic() < over:
            assert quiet(server, objects) or server.log[-1][0] == "WATCH"
            time.sleep(0.01)
    finally:
        joined.close()
        server.end()


def test_a_watch_that_ends_in_time_goes_on_from_where_it_was(
    server: WatchingApiServer, objects: WatchedObjects
) -> None:
    until(lambda: server.watches)
    lists = server.asked("list", "leases")
    for number in range(5):
        server.put(LEASES, lease(f"b{number}"))
        server.end()
        until(lambda number=number: len(objects.list(KIND)) == number + 2)
    assert server.asked("list", "leases") == lists


def test_a_version_that_is_gone_is_listed_anew(server: WatchingApiServer, objects: WatchedObjects) -> None:
    until(lambda: server.watches)
    server.silent = True
    server.put(LEASES, lease("b"))
    server.compact()
    server.cut()
    server.silent = False
    lists = server.asked("list", "leases")
    until(lambda: server.asked("list", "leases") > lists and server.watches)
    server.bookmark()
    until(lambda: quiet(server, objects))
    assert [one["metadata"]["name"] for one in objects.list(KIND)] == ["a", "b"]


def test_a_watch_that_is_silent_is_not_answered_from_after_its_time(
    server: WatchingApiServer,
) -> None:
    """Of a connection only one end is left: nothing comes, and nothing fails."""
    joined = reader(server.api(), "conn", NAMESPACE, 0.5)
    try:
        objects = WatchedObjects(server.api(), NAMESPACE, joined)
        until(lambda: objects.list(KIND) and quiet(server, objects))
        server.silent = True
        server.put(LEASES, lease("b"))
        until(lambda: len(objects.list(KIND)) == 2, 3.0)
        assert not quiet(server, objects)
    finally:
        joined.close()
        server.silent = False
        server.end()


def test_what_was_sent_long_ago_and_is_read_now_proves_nothing_of_now(
    server: WatchingApiServer, joined: Reader, objects: WatchedObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process was stopped: the last bookmark waited in the socket."""
    until(lambda: server.watches)
    real, ahead = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: real() + ahead[0])
    ahead[0] = 3600.0
    server._version += 1
    server.bookmark()
    cache = joined._cluster.cache(Kind(KIND), NAMESPACE)
    assert cache is not None
    until(lambda: cache.version == str(server._version))
    assert not quiet(server, objects)


@pytest.mark.parametrize("verb", ["list", "watch"])
def test_an_account_that_may_not_watch_reads_as_before_and_it_is_said_once(
    server: WatchingApiServer, joined: Reader, verb: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(informer, "REFUSED_S", 0.01)
    server.forbidden.add((verb, "leases"))
    objects = WatchedObjects(server.api(), NAMESPACE, joined)
    with caplog.at_level(logging.WARNING):
        server.put(LEASES, lease("a", number="first"))
        assert objects.get(KIND, "a")["metadata"]["labels"] == {"number": "first"}
        until(lambda: any("can't be watched" in line for line in caplog.messages))
        for number in range(200):
            server.put(LEASES, lease("a", number=str(number)))
            assert objects.get(KIND, "a")["metadata"]["labels"] == {"number": str(number)}
            time.sleep(0.005)
    assert len([line for line in caplog.messages if "can't be watched" in line]) == 1
    server.forbidden.clear()
    until(lambda: server.watches)
    server.bookmark()
    until(lambda: quiet(server, objects))


def test_metadata_alone_is_watched_where_no_more_is_asked_for(server: WatchingApiServer, joined: Reader) -> None:
    labels = {"owner": "helm", "name": "shop", "version": "1"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "namespace": NAMESPACE, "labels": labels}}
    server.put(SECRETS, {**secret, "data": {"release": "secret"}})
    objects = WatchedObjects(server.api(), NAMESPACE, joined)
    chosen = "owner=helm,name=shop"
    until(lambda: objects.list_metadata("v1/secrets", chosen) and server.watches)
    asked = len(server.log)
    labels["version"] = "2"
    server.put(SECRETS, {**secret, "metadata": {**secret["metadata"], "name": "b"}, "data": {}})  # type: ignore[dict-item]
    until(lambda: len(objects.list_metadata("v1/secrets", chosen)) == 2)
    assert objects.list_metadata("v1/secrets", "owner=helm,name=other") == []
    assert len(server.log) == asked


def test_pages_are_put_together(server: WatchingApiServer, joined: Reader) -> None:
    server.page = 2
    for name in "bcdef":
        server.put(LEASES, lease(name))
    objects = WatchedObjects(server.api(), NAMESPACE, joined)
    until(lambda: objects.list(KIND) and quiet(server, objects))
    assert [one["metadata"]["name"] for one in objects.list(KIND)] == list("abcdef")


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


WRITES = st.tuples(st.sampled_from(["put", "delete"]), st.sampled_from("abcd"), st.integers(0, 3))
ACCIDENTS = st.sampled_from(["cut", "end", "compact", "bookmark"])


@settings(max_examples=25)
@given(st.lists(st.one_of(WRITES, ACCIDENTS), min_size=1, max_size=25))
def test_whatever_happens_the_cache_ends_as_the_server_is(history: list[Any]) -> None:
    with WatchingApiServer() as server:
        joined = reader(server.api(), "conn", NAMESPACE, WITHIN_S)
        objects = WatchedObjects(server.api(), NAMESPACE, joined)
        try:
            for act in history:
                if isinstance(act, str):
                    getattr(server, act)()
                elif act[0] == "put":
                    server.put(LEASES, lease(act[1], number=str(act[2])))
                elif (LEASES, act[1]) in server.objects:
                    server._carry_out("DELETE", f"{LEASES}/{act[1]}", {}, "", None)
                objects.list(KIND)
            wanted = sorted(server.all("leases"), key=lambda one: one["metadata"]["name"])

            def same() -> bool:
                server.bookmark()
                found = joined.all(KIND)
                return found is not None and list(found) == wanted

            until(same)
        finally:
            joined.close()
            server.end()
