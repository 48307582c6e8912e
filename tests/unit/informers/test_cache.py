"""When a cache answers: only while what was last heard of the server is not too old."""

from __future__ import annotations

from typing import Any

import pytest

from glidepath.informers.cache import SETTLE_S, Cache, GoneError

WITHIN_S = 10.0


def found(name: str, version: int = 1, namespace: str = "shop") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "resourceVersion": str(version)}}


@pytest.fixture
def cache() -> Cache:
    """Listed at second 100."""
    made = Cache()
    made.replace([found("b"), found("a"), found("x", namespace="other")], "5", 100.0, {"shop"})
    return made


def names(cache: Cache, now: float) -> list[str] | None:
    known = cache.all("shop", now, WITHIN_S)
    return None if known is None else [str(one["metadata"]["name"]) for one in known]


def test_nothing_is_known_before_a_list() -> None:
    assert names(Cache(), 0.0) is None
    assert Cache().get("shop", "a", 0.0, WITHIN_S) == (False, None)


def test_a_list_is_known_for_a_while(cache: Cache) -> None:
    assert names(cache, 110.0) == ["a", "b"]
    assert names(cache, 110.1) is None
    assert cache.get("shop", "b", 110.0, WITHIN_S) == (True, found("b"))
    assert cache.get("shop", "c", 110.0, WITHIN_S) == (True, None)
    assert cache.get("shop", "b", 110.1, WITHIN_S) == (False, None)


def test_a_namespace_that_was_not_kept_is_not_known(cache: Cache) -> None:
    assert cache.all("other", 100.0, WITHIN_S) is None
    cache.take({"type": "ADDED", "object": found("y", 6, "other")}, 101.0)
    assert cache.all("other", 101.0, WITHIN_S) is None
    assert cache.covers({"shop"})
    assert not cache.covers({"shop", "other"})


def test_events_and_bookmarks_prove(cache: Cache) -> None:
    cache.take({"type": "ADDED", "object": found("c", 6)}, 108.0)
    assert names(cache, 118.0) == ["a", "b", "c"]
    cache.take({"type": "DELETED", "object": found("a", 7)}, 109.0)
    cache.take({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9"}}}, 116.0)
    assert (names(cache, 126.0), cache.version) == (["b", "c"], "9")


def test_a_watch_that_has_begun_proves_once_what_was_missed_has_come(cache: Cache) -> None:
    cache.suspect()
    cache.opened(105.0)
    assert names(cache, 105.0 + SETTLE_S / 2) is None
    assert names(cache, 105.0 + SETTLE_S) == ["a", "b"]
    assert names(cache, 115.1) is None
    cache.opened(115.2)  # while it settles, the one before counts
    assert names(cache, 115.0) == ["a", "b"]


def test_after_a_break_and_after_410_nothing_is_known(cache: Cache) -> None:
    cache.suspect()
    assert (names(cache, 100.0), cache.version) == (None, "5")
    cache.take({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "6"}}}, 101.0)
    assert names(cache, 101.0) == ["a", "b"]
    with pytest.raises(GoneError, match="410: too old"):
        cache.take({"type": "ERROR", "object": {"code": 410, "message": "too old"}}, 102.0)
    cache.doubt()
    assert (names(cache, 102.0), cache.version) == (None, None)


def test_reads_in_between_are_the_same_objects(cache: Cache) -> None:
    first = cache.all("shop", 100.0, WITHIN_S)
    assert cache.all("shop", 100.0, WITHIN_S) is first
    cache.take({"type": "MODIFIED", "object": found("a", 6)}, 101.0)
    assert cache.all("shop", 101.0, WITHIN_S) is not first


def test_what_has_a_label_is_found_without_going_through_all(cache: Cache) -> None:
    def labelled(name: str, version: int, team: str) -> dict[str, Any]:
        made = found(name, version)
        made["metadata"]["labels"] = {"team": team}
        return made

    cache.take({"type": "ADDED", "object": labelled("c", 6, "red")}, 101.0)
    cache.take({"type": "ADDED", "object": labelled("d", 7, "blue")}, 101.0)

    def of(team: str) -> list[str]:
        return [one["metadata"]["name"] for one in cache.all("shop", 101.0, WITHIN_S, ("team", team)) or ()]

    assert (of("red"), of("blue"), of("green")) == (["c"], ["d"], [])
    cache.take({"type": "MODIFIED", "object": labelled("d", 8, "red")}, 101.0)
    assert (of("red"), of("blue")) == (["c", "d"], [])
    assert cache.all("shop", 200.0, WITHIN_S, ("team", "red")) is None
