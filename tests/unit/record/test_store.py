"""The record: what is written once stays, and two processes don't trip over each other."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace

import pytest

from glidepath.errors import NoReleaseError, RecordError
from glidepath.record import Record
from glidepath.release.phases import TRANSITIONS, Phase, origins
from tests.unit.record.rows import RELEASE


def test_a_release_reads_back_and_is_never_overwritten(record: Record) -> None:
    record.open_release(replace(RELEASE, stable="v9"))
    assert record.get("dag/run") == RELEASE
    assert record.find("other") is None
    with pytest.raises(NoReleaseError, match="no release 'other'"):
        record.get("other")


def test_the_token_is_read_without_the_rest(record: Record) -> None:
    assert record.token("dag/run") is None
    record.set_token("dag/run", 3)
    record.set_token("dag/run", 2)
    assert record.token("dag/run") == record.get("dag/run").token == 3
    for asked in (record.token, record.get):
        with pytest.raises(NoReleaseError, match="no release 'other'"):
            asked("other")


def test_the_first_outcome_counts(record: Record) -> None:
    assert record.close("dag/run", "rolled_back", "harm", 7.0)
    assert not record.close("dag/run", "promoted", "luck", 8.0)
    now = record.get("dag/run")
    assert (now.outcome, now.phase, now.reason, now.closed) == ("rolled_back", "rolled_back", "harm", 7.0)


def test_a_phase_is_only_reached_from_those_the_table_names(record: Record) -> None:
    for target in Phase:
        for origin in Phase:
            store = record
            store.open_release(replace(RELEASE, id=f"{origin}>{target}", phase=str(origin)))
            moved = store.move(f"{origin}>{target}", target, origins(target))
            assert moved == (origin == target or target in TRANSITIONS[origin]), (origin, target)


def test_an_event_with_a_once_name_is_kept_once(record: Record) -> None:
    assert record.add_event("dag/run", "committed", {"n": 1}, 1.0, once="fate")
    assert not record.add_event("dag/run", "taken_back", {"n": 2}, 2.0, once="fate")
    assert record.add_event("dag/run", "weight", {"n": 3}, 3.0)
    assert record.add_event("dag/run", "weight", {"n": 4}, 4.0)
    fate = record.once("dag/run", "fate")
    assert fate is not None
    assert (fate.kind, fate.body) == ("committed", {"n": 1})
    assert [event.body["n"] for event in record.events("dag/run", "weight")] == [3, 4]
    last = record.last_event("dag/run", "weight")
    assert last is not None
    assert last.body == {"n": 4}
    assert record.once("dag/run", "nothing") is None
    assert record.last_event("dag/run", "nothing") is None


def test_looks_keep_their_numbers_to_the_bit_and_their_order(record: Record) -> None:
    assert record.last_look("dag/run") is None
    record.add_look("dag/run", 2, 2.0, None, {"e": 0.1 + 0.2})
    record.add_look("dag/run", 1, 1.0, {"n": 10**12}, {"e": 1e-300})
    record.add_look("dag/run", 2, 9.0, None, {"e": 7})
    assert record.looks("dag/run") == [(1, {"n": 10**12}, {"e": 1e-300}), (2, None, {"e": 0.1 + 0.2})]
    assert record.last_look("dag/run") == {"e": 0.30000000000000004}


def test_recent_releases_are_the_newest_first(record: Record) -> None:
    record.open_release(replace(RELEASE, id="b", service="other", created=9.0))
    assert [one.id for one in record.recent()] == ["b", "dag/run"]
    assert [one.id for one in record.recent("model-service")] == ["dag/run"]


def test_a_database_that_cannot_be_opened_says_what_to_do() -> None:
    with pytest.raises(RecordError, match="GLIDEPATH_RECORD_URL"):
        Record("sqlite:////proc/no/such/folder/record.db")


def _claim_fate(url: str, number: int, answers: multiprocessing.Queue[bool]) -> None:
    answers.put(Record(url).add_event("dag/run", f"by {number}", {}, float(number), once="fate"))


def test_of_many_processes_one_decides_the_fate(record: Record) -> None:
    context = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[bool] = context.Queue()
    processes = [context.Process(target=_claim_fate, args=(record.url, number, answers)) for number in range(4)]
    for process in processes:
        process.start()
    won = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(timeout=60)
    assert sorted(won) == [False, False, False, True]
