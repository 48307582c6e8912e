"""What who looks at releases reads: right where looks are silent, and without what is large."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from glidepath.record import Event, Record, Release, reading
from glidepath.record.engines import engine_of


@pytest.fixture
def record(tmp_path: Path) -> Record:
    return Record(f"sqlite:///{tmp_path}/record.db")


def opened(record: Record, identity: str, created: float, **spec: Any) -> None:
    """A release, planned."""
    record.open_release(
        Release(
            identity,
            "prices",
            "shop",
            "v1",
            "v2",
            spec,
            {"large": "x" * 1000},
            None,
            "planned",
            None,
            None,
            "0",
            created,
            None,
        )
    )


def counted(canary: int, stable: int) -> dict[str, Any]:
    """An interval in which so many requests failed."""
    return {"canary": {"requests": 100, "errors": canary}, "stable": {"requests": 400, "errors": stable}}


def test_failed_requests_are_added_up_and_an_interval_without_telemetry_has_none(record: Record) -> None:
    opened(record, "dag/one", 1.0)
    assert reading.errors(record, "dag/one") == {"stable": 0, "canary": 0}
    for seq, interval in enumerate((counted(2, 1), None, counted(3, 4)), 1):
        record.add_look("dag/one", seq, 5.0 * seq, interval, {"at": 5.0 * seq})
    assert reading.errors(record, "dag/one") == {"stable": 5, "canary": 5}
    assert reading.errors(record, "dag/one", after=1) == {"stable": 4, "canary": 3}


def test_looks_are_read_after_a_number_up_to_one_or_up_to_a_time(record: Record) -> None:
    opened(record, "dag/one", 1.0)
    assert reading.last_look(record, "dag/one") is None
    for seq in (1, 2, 3):
        record.add_look("dag/one", seq, 5.0 * seq, None, {"at": 5.0 * seq})
    assert [seq for seq, _ in reading.looks_after(record, "dag/one", 1)] == [2, 3]
    assert reading.last_look(record, "dag/one") == (3, {"at": 15.0})
    assert reading.last_look(record, "dag/one", at_most=2) == (2, {"at": 10.0})
    assert reading.last_look(record, "dag/one", until=9.0) == (1, {"at": 5.0})


@pytest.mark.parametrize(("page", "names"), [(2, 2), (2, 3), (50, 2000)])
def test_a_list_has_all_pages_in_order_with_the_last_weight_and_how_many_steps(
    record: Record, monkeypatch: pytest.MonkeyPatch, page: int, names: int
) -> None:
    monkeypatch.setattr(reading, "HEADS", page)
    monkeypatch.setattr(reading, "NAMES", names)
    for number in range(5):
        opened(record, f"dag/{number}", float(number), **({"steps": [{"weight": 20}] * number} if number else {}))
    record.add_event("dag/3", "weight", {"step": 1, "weight": 20}, 1.0)
    record.add_event("dag/3", "weight", {"step": 2, "weight": 50}, 2.0)
    heads = list(reading.heads(record, "weight"))
    assert [(one.id, one.steps) for one in heads] == [(f"dag/{number}", number) for number in (4, 3, 2, 1, 0)]
    given = Event(2.0, "weight", {"step": 2, "weight": 50})
    assert [one.last for one in heads] == [None, given, None, None, None]


@pytest.fixture
def said(record: Record) -> list[str]:
    """What the database is asked from here on."""
    found: list[str] = []

    def note(*given: Any) -> None:
        found.append(given[2])

    event.listen(engine_of(record.url), "before_cursor_execute", note)
    return found


def test_a_list_reads_no_plan(record: Record, said: list[str]) -> None:
    opened(record, "dag/one", 1.0)
    said.clear()
    assert [one.id for one in reading.heads(record, "weight")] == ["dag/one"]
    assert not any("plan" in one for one in said)


def test_of_releases_that_are_not_wanted_nothing_but_their_identity_is_read(record: Record, said: list[str]) -> None:
    """Of who may read one DAG of hundreds the list is as quick as of who may read all."""
    for number in range(6):
        opened(record, f"{'mine' if number == 4 else 'other'}/{number}", float(number))
    said.clear()
    assert [one.id for one in reading.heads(record, "weight", wanted=lambda name: name.startswith("mine/"))] == [
        "mine/4"
    ]
    assert len([one for one in said if "spec" in one]) == 1
    said.clear()
    assert list(reading.heads(record, "weight", wanted=lambda _: False)) == []
    assert len(said) == 1


def test_one_that_is_under_way_is_found_behind_any_number_that_are_over(record: Record) -> None:
    opened(record, "dag/old", 1.0)
    for number in range(60):
        opened(record, f"dag/{number}", 2.0 + number)
        record.close(f"dag/{number}", "promoted", "", 100.0)
    assert reading.unfinished(record) == reading.unfinished(record, "prices") == ["dag/old"]
    assert reading.unfinished(record, "other") == []


def test_releases_of_one_moment_have_one_order_wherever_they_are_read(record: Record) -> None:
    for identity in ("dag/b", "dag/c", "dag/a"):
        opened(record, identity, 1.0)
    listed = [head.id for head in reading.heads(record, "weight")]
    assert listed == [row.id for row in record.recent()] == ["dag/a", "dag/b", "dag/c"]


@pytest.mark.parametrize("page", [1, 2, 3])
def test_what_begins_while_the_list_is_read_shifts_none_of_it(
    record: Record, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(reading, "NAMES", page)
    for number in range(5):
        opened(record, f"dag/{number}", float(number // 2))
    listed = reading.heads(record, "weight")
    found = [next(listed).id]
    for number in range(3):
        opened(record, f"dag/new-{number}", 10.0 + number)
    assert [*found, *(head.id for head in listed)] == ["dag/4", "dag/2", "dag/3", "dag/0", "dag/1"]


def test_of_those_under_way_none_is_lost_behind_those_that_are_over(record: Record) -> None:
    opened(record, "dag/old", 1.0)
    for number in range(3):
        opened(record, f"dag/{number}", 2.0 + number)
        record.close(f"dag/{number}", "promoted", "", 100.0)
    assert [head.id for head in reading.heads(record, "weight", under_way=True)] == ["dag/old"]
