"""Looks that are packed: whoever reads them finds what was written, to the bit, whatever else goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text

from glidepath.errors import RecordError
from glidepath.record import Record, packing, paged, reading
from glidepath.record.engines import engine_of
from tests.unit.record.rows import RELEASE

NAME = RELEASE.id
FIGURES = st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text() | st.none()
ARM = st.fixed_dictionaries({"errors": st.integers(0, 10**6)}, optional={"by_pod": st.dictionaries(st.text(), FIGURES)})
INTERVAL = st.none() | st.fixed_dictionaries({"stable": ARM, "canary": ARM})
LOOK = st.tuples(st.floats(0, 1e10), INTERVAL, st.dictionaries(st.text(), FIGURES | st.lists(FIGURES)))


def told(record: Record, count: int) -> dict[str, str]:
    """All that can be read of a release's looks, as text: an integer is no float, and keys have an order."""
    said: dict[str, Any] = {
        "whole": record.looks(NAME),
        "last": record.last_look(NAME),
        "mark": reading.mark(record, NAME),
    }
    for seq in range(count + 2):
        said[f"after {seq}"] = reading.looks_after(record, NAME, seq), reading.errors(record, NAME, seq)
        said[f"up to {seq}"] = record.last_look(NAME, seq), reading.last_look(record, NAME, at_most=seq)
    for at in sorted({float(look["at"]) for *_, look in record.looks(NAME) if "at" in look}):
        said[f"until {at}"] = reading.last_look(record, NAME, until=at)
        said[f"until {at}, up to 2"] = reading.last_look(record, NAME, 2, at)
    return {what: json.dumps(one) for what, one in said.items()}


@given(st.lists(LOOK, max_size=9), st.integers(1, 4))
def test_all_that_reads_looks_finds_the_same_after_every_page(given_looks: list[Any], size: int) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(paged, "PAGE", size)
        record = Record(f"sqlite:///{folder}/record.db")
        record.open_release(RELEASE)
        for seq, (at, interval, look) in enumerate(given_looks, 1):
            record.add_look(NAME, seq, at, interval, {**look, "at": at})
        record.close(NAME, "promoted", "", 1.0)
        before, packed = told(record, len(given_looks)), 0
        while some := packing.pack(record, NAME):
            packed += some
            assert told(record, len(given_looks)) == before
        assert packed == max(len(given_looks) - 1, 0)
        engine_of(record.url).dispose()


@pytest.fixture
def ended(record: Record, monkeypatch: pytest.MonkeyPatch) -> Record:
    """A release of nine looks that is over; a page has four."""
    monkeypatch.setattr(paged, "PAGE", 4)
    for seq in range(1, 10):
        failed = {"stable": {"errors": seq}, "canary": {"errors": 10 * seq}}
        record.add_look(NAME, seq, 5.0 * seq, failed, {"at": 5.0 * seq, "n": seq})
    record.close(NAME, "promoted", "", 100.0)
    return record


def rows(record: Record, table: str) -> int:
    with record.reading() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() or 0)


def test_the_newest_stays_a_row_and_a_release_that_is_packed_is_asked_about_no_more(ended: Record) -> None:
    assert packing.to_pack(ended, 100.0, 9) == []  # it ended just then
    assert packing.to_pack(ended, 101.0, 9) == [NAME]
    assert [packing.pack(ended, NAME) for _ in range(4)] == [4, 4, 0, 0]
    assert (rows(ended, "glidepath_look"), rows(ended, "glidepath_look_page")) == (1, 2)
    assert packing.to_pack(ended, 101.0, 9) == []


def test_one_that_runs_is_not_packed(record: Record) -> None:
    for seq in (1, 2, 3):
        record.add_look(NAME, seq, 5.0 * seq, None, {})
    assert packing.to_pack(record, 1e9, 9) == []
    assert (packing.pack(record, NAME), packing.pack(record, "dag/other")) == (0, 0)
    assert rows(record, "glidepath_look") == 3


def test_a_look_that_comes_late_is_found_with_the_others_and_packed_next_time(ended: Record) -> None:
    while packing.pack(ended, NAME):
        pass
    ended.add_look(NAME, 10, 50.0, None, {"at": 50.0, "n": 10})
    ended.add_look(NAME, 10, 60.0, None, {"at": 60.0, "n": 0})
    assert [look["n"] for *_, look in ended.looks(NAME)] == list(range(1, 11))
    assert packing.pack(ended, NAME) == 1
    assert [look["n"] for *_, look in ended.looks(NAME)] == list(range(1, 11))


READS: dict[str, Callable[[Record], Any]] = {
    "whole": lambda record: record.looks(NAME),
    "after": lambda record: reading.looks_after(record, NAME, 2),
    "newest": lambda record: record.last_look(NAME, 3),
    "errors": lambda record: reading.errors(record, NAME, 2),
}


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("pages", [0, 1])
def test_what_is_packed_while_one_reads_is_read_once(ended: Record, name: str, pages: int) -> None:
    """Between a reader's two statements another process packs."""
    expected = READS[name](ended)
    for _ in range(pages):
        packing.pack(ended, NAME)
    engine, other = engine_of(ended.url), Record(ended.url.replace("record.db", "./record.db"))
    acted: list[int] = []

    def act(*about: Any) -> None:
        if "glidepath_look_page" in about[2] and not acted:
            acted.append(packing.pack(other, NAME))

    event.listen(engine, "before_cursor_execute", act)
    try:
        found = READS[name](ended)
    finally:
        event.remove(engine, "before_cursor_execute", act)
    assert acted == ([] if name == "newest" and not pages else [4])
    assert found == expected


@pytest.mark.parametrize("what", ["pack", "forget"])
def test_whoever_is_overtaken_changes_nothing(ended: Record, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    made = paged.page_of
    other = Record(ended.url.replace("record.db", "./record.db"))

    def slow(some: Any) -> dict[str, Any]:
        monkeypatch.setattr(paged, "page_of", made)
        packing.pack(other, NAME) if what == "pack" else other.forget(NAME)
        return made(some)

    monkeypatch.setattr(paged, "page_of", slow)
    assert packing.pack(ended, NAME) == 0
    pages, left = (1, 5) if what == "pack" else (0, 0)
    assert (rows(ended, "glidepath_look_page"), rows(ended, "glidepath_look")) == (pages, left)


def test_what_is_forgotten_leaves_no_page(ended: Record) -> None:
    packing.pack(ended, NAME)
    ended.forget(NAME)
    assert rows(ended, "glidepath_look_page") == 0


def test_a_damaged_page_is_named(ended: Record) -> None:
    packing.pack(ended, NAME)
    with ended.reading() as connection:
        connection.execute(text("UPDATE glidepath_look_page SET looks = X'78'"))
    with pytest.raises(RecordError, match=r"the looks from number 1 on can't be read.*from a backup"):
        ended.looks(NAME)


def test_a_page_is_a_fraction_of_its_looks(tmp_path: Path) -> None:
    """Of a played release; `bench.record` says how small a fraction."""
    from tests.unit.replay.world import recorded

    record = recorded(f"sqlite:///{tmp_path}/played.db", NAME)
    given_looks = record.looks(NAME)
    plain = sum(len(json.dumps(one)) for _, interval, look in given_looks[:-1] for one in (interval, look))
    while packing.pack(record, NAME):
        pass
    with record.reading() as connection:
        size = connection.execute(text("SELECT sum(length(intervals) + length(looks)) FROM glidepath_look_page"))
        assert 3 * int(size.scalar() or 0) < plain
