"""What a thread reads as of one time: the same as it would read otherwise, in one query, until it writes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from glidepath.record import Record, Release
from glidepath.record.tables import events

ID = "dag/run"


def release(identity: str = ID) -> Release:
    return Release(identity, "shop", "shop", "v1", "v2", {"a": 1}, None, None, "planned", None, None, "x", 1.0, None)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    made = Record(f"sqlite:///{tmp_path}/record.db")
    made.open_release(release())
    return made


def said(record: Record) -> dict[str, Any]:
    """Everything that is read by it."""
    kinds, names = ("weight", "asked", "fate"), ("fate", "word 1", "none")
    return {
        "row": record.find(ID), "token": record.token(ID), "events": record.events(ID), "of": [record.events(ID, kind) for kind in kinds],
        "last": [record.last_event(ID, kind) for kind in kinds], "once": [record.once(ID, name) for name in names],
    }  # fmt: skip


CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(["weight", "asked", "fate"]), st.sampled_from([None, "fate", "word 1"])),
        st.tuples(st.just("move"), st.sampled_from(["shifting", "baking"]), st.none()),
        st.tuples(st.just("token"), st.integers(1, 9), st.none()),
        st.tuples(st.just("close"), st.sampled_from(["promoted"]), st.none()),
        st.tuples(st.just("plan"), st.none(), st.none()),
        st.tuples(st.just("read"), st.none(), st.none()),
    ),
    max_size=12,
)  # fmt: skip


@given(CHANGES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_says_what_the_database_says(tmp_path_factory: pytest.TempPathFactory, changes: list[Any]) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('record')}/record.db"
    mine, other = Record(url), Record(url)
    other.open_release(release())
    for number, (what, how, name) in enumerate([*changes, ("read", None, None)]):
        if what == "add":
            other.add_event(ID, how, {"number": number}, float(number), name)
        elif what == "move":
            other.move(ID, how, frozenset({"planned", "shifting", "baking"}))
        elif what == "token":
            other.set_token(ID, how)
        elif what == "close":
            other.close(ID, how, "because", 5.0)
        elif what == "plan":
            other.replan(ID, {"edges": []})
            other.add_event(ID, "weight", {}, float(number))
        else:
            with mine.as_of_now(ID):
                assert said(mine) == said(other)


def test_one_that_was_written_late_is_not_missed(record: Record) -> None:
    """Of two transactions the one with the higher number may end first."""
    with record._begin() as connection:
        row = {"release_id": ID, "at": 2.0, "kind": "weight", "body": {}}
        connection.execute(insert(events).values(id=20, **row))
    with record.as_of_now(ID):
        assert len(record.events(ID)) == 1
    with record._begin() as connection:
        connection.execute(insert(events).values(id=19, once="fate", **{**row, "kind": "taken_back"}))
    with record.as_of_now(ID):
        assert [event.kind for event in record.events(ID)] == ["taken_back", "weight"]
        assert record.once(ID, "fate") is not None


@pytest.fixture
def asked(record: Record, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the database was asked."""
    count, begin = [0], record._begin

    def counted() -> Any:
        count[0] += 1
        return begin()

    monkeypatch.setattr(record, "_begin", counted)
    return count


def test_much_is_asked_for_once(record: Record, asked: list[int]) -> None:
    for _ in range(2):
        asked[0] = 0
        with record.as_of_now(ID):
            said(record)
        assert asked == [1]


def test_a_write_ends_it_and_so_does_the_end(record: Record, asked: list[int]) -> None:
    with record.as_of_now(ID):
        record.add_event(ID, "weight", {}, 1.0)
        assert len(record.events(ID)) == 1
        asked[0] = 0
        said(record)
        assert asked[0] > 5
    with record.as_of_now(ID):
        asked[0] = 0
        record.read_anew()
        record.find(ID)
        assert asked == [1]
    asked[0] = 0
    record.find(ID)
    assert asked == [1]


def test_what_is_asked_aside_is_what_is_there_now(record: Record) -> None:
    other = Record(record.url)
    with record.as_of_now(ID):
        other.set_token(ID, 7)
        assert record.get(ID).token is None
        with record.aside():
            assert record.get(ID).token == 7
        assert record.get(ID).token is None


def test_it_is_for_one_thread_and_one_release(record: Record) -> None:
    record.open_release(release("dag/other"))
    seen: list[Any] = []
    with record.as_of_now(ID):
        Record(record.url).add_event(ID, "weight", {}, 1.0)
        Record(record.url).add_event("dag/other", "weight", {}, 1.0)
        thread = threading.Thread(target=lambda: seen.extend(record.events(ID)))
        thread.start()
        thread.join()
        assert len(record.events("dag/other")) == 1
        assert record.events(ID) == []
    assert len(seen) == 1


def test_a_release_that_is_gone_is_none(record: Record) -> None:
    with record.as_of_now("dag/none"):
        assert record.find("dag/none") is None
        assert record.events("dag/none") == []


def test_nothing_of_one_that_is_gone_is_told_of_another_by_its_name(record: Record) -> None:
    record.add_event(ID, "fate", {}, 1.0, "fate")
    record.close(ID, "promoted", "", 2.0)
    with record.as_of_now(ID):
        assert record.once(ID, "fate") is not None
    record.forget(ID)
    with record.as_of_now(ID):
        assert (record.find(ID), record.events(ID)) == (None, [])
    record.open_release(release())
    with record.as_of_now(ID):
        assert (record.events(ID), record.once(ID, "fate")) == ([], None)
