"""A cache that is fed by a list and a watch: it equals the server, whatever happens in between, or does not answer."""

from __future__ import annotations

import logging
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glidepath.errors import ClusterError
from glidepath.informers import Reader, WatchedObjects, informer, reader
from glidepath.informers.streams import Kind
from tests.support.apiserver import LEASES, NAMESPACE, SECRETS
from tests.support.watching import WatchingApiServer
from tests.unit.informers.watches import KIND, WITHIN_S, lease, quiet, until


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
