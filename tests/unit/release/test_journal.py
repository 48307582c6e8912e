"""The journal: every kind of entry goes into the record and comes out of it, that of other versions' too."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glidepath.record import Event, Record
from glidepath.release import events, people
from glidepath.release.entry import Entry
from glidepath.release.events import KINDS, Committed, Decided, Fate, ObservationOver, TakenBack, WeightGiven
from glidepath.release.journal import Journal
from glidepath.release.phases import Decision
from tests.support.stage import Stage

VALUES: dict[str, Any] = {
    "int": st.integers(0, 10**6), "float": st.floats(0, 1e10), "str": st.text(max_size=20), "bool": st.booleans(),
}  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(Record(f"sqlite:///{tmp_path}/record.db"), "dag/run")


def entries(kind: type[Entry]) -> st.SearchStrategy[Entry]:
    """Any entry of a kind."""
    hints = get_type_hints(kind)
    made: dict[str, Any] = {}
    for one in dataclasses.fields(kind):
        if one.name == "noted":
            continue
        hint = str(hints[one.name]).removeprefix("<class '").removesuffix("'>")
        simple = hint.removesuffix(" | None")
        if simple in VALUES:
            made[one.name] = VALUES[simple] if simple == hint else st.none() | VALUES[simple]
        elif "Mapping" in hint:
            of = VALUES["int"] if "int" in hint else VALUES["str"]
            made[one.name] = st.dictionaries(st.text(max_size=5), of, max_size=3)
        else:
            made[one.name] = st.lists(VALUES["float"] if "float" in hint else VALUES["str"], max_size=3)
    return st.builds(kind, **made)


@given(st.data())
@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.__name__)
def test_an_entry_survives_the_record(kind: type[Entry], data: st.DataObject) -> None:
    entry = data.draw(entries(kind))
    assert kind.of(Event(3.0, kind.kind, entry.body())) == entry


def test_every_entry_there_is_is_a_kind_of_the_record() -> None:
    there = {
        one for module in (events, people) for one in vars(module).values()
        if isinstance(one, type) and issubclass(one, Entry) and one.kind and one.__module__ == module.__name__
    }  # fmt: skip
    assert there == set(KINDS)
    assert len({one.kind for one in KINDS}) == len(KINDS)


def test_what_a_newer_version_wrote_more_is_not_read_and_what_an_older_one_lacks_has_a_default() -> None:
    newer = {"step": 1, "weight": 20, "seconds": 0.1, "window": False, "colour": "green"}
    assert WeightGiven.of(Event(1.0, "weight", newer)) == WeightGiven(1, 20, 0.1)
    assert WeightGiven.of(Event(1.0, "weight", {"step": 1, "weight": 20, "seconds": None})) == WeightGiven(1, 20)
    assert TakenBack.of(Event(1.0, "taken_back", {"reason": "harm"})).noted == 1.0


def test_the_first_fate_counts(journal: Journal) -> None:
    assert (journal.fate(), journal.taken_back(), journal.committed()) == (None, False, False)
    assert journal.write(TakenBack("harm"), 1.0)
    assert not journal.write(Committed(), 2.0)
    assert (journal.fate(), journal.taken_back(), journal.committed()) == (TakenBack("harm"), True, False)


def test_a_step_has_one_word_and_a_release_that_goes_back_no_other(journal: Journal) -> None:
    assert journal.answer_on(1) is None
    assert journal.write(Decided(1, "advance", "good", 7), 1.0)
    assert not journal.write(ObservationOver(1, "promote", "over", 8), 2.0)
    assert journal.write(ObservationOver(2, "promote", "over", 9), 2.0)
    assert journal.answer_on(1) == (Decision.ADVANCE, "good")
    assert isinstance(journal.word_on(2), ObservationOver)
    assert [one.step for one in journal.words()] == [1]
    journal.write(TakenBack("harm"), 3.0)
    assert journal.answer_on(1) == journal.answer_on(9) == (Decision.ROLLBACK, "harm")


def test_an_event_of_a_kind_that_is_not_known_is_left_out(journal: Journal) -> None:
    journal.record.add_event("dag/run", "tea", {"cups": 2}, 1.0)
    journal.write(Committed(), 2.0)
    assert [(one.kind, one.noted) for one in journal.entries()] == [("committed", 2.0)]


def test_fates_are_the_ones_that_may_be_written_once() -> None:
    assert {one for one in KINDS if issubclass(one, Fate)} == {TakenBack, Committed}


def test_a_whole_release_is_told_in_kinds(stage: Stage) -> None:
    """No task writes what the vocabulary does not have."""
    from tests.support.tasks import GOOD

    run = stage.run()
    for action in GOOD:
        action(run)
    told = list(run.journal.entries())
    assert len(told) == len(run.ports.record.events(run.id))
    assert told[0].kind == "claim"
    assert told[-1].kind == "finished"
