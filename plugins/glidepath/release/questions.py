"""What the DAG asks people: whether the canary gets its first requests, and whether it is promoted."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from glidepath.release.entry import Entry
from glidepath.release.events import Decided, WeightGiven
from glidepath.release.people import Asked, Questioned
from glidepath.release.phases import Decision, Phase

BACK = "rollback"
APPROVE, REJECT = "approve", "reject"


@dataclass(frozen=True)
class Question:
    """A question of the DAG. Its other answer is `rollback`.

    Attributes:
        about: What it is asked before.
        task: The task that asks it.
        yes: The answer by which the release goes on.
    """

    about: str
    task: str
    yes: str


TRAFFIC = Question("traffic", "ask_traffic", "begin")
PROMOTION = Question("promotion", "ask", "promote")
QUESTIONS = {question.about: question for question in (TRAFFIC, PROMOTION)}


def open_question(phase: str, entries: Sequence[Entry]) -> Question | None:
    """What a person is asked, and has not answered.

    Args:
        phase: The release's.
        entries: Its journal.
    """
    if phase == Phase.DEPLOYED:
        asked, question = _from_last(entries, lambda entry: isinstance(entry, Questioned)), TRAFFIC
    elif phase == Phase.BAKING:
        said = _from_last(entries, lambda entry: isinstance(entry, Decided))
        asked, question = (said if said and _asks(said[0]) else ()), PROMOTION
    else:
        return None
    return question if asked and not answered(asked) else None


def _asks(entry: Entry) -> bool:
    return isinstance(entry, Decided) and entry.decision == Decision.ASK


def _from_last(entries: Sequence[Entry], meant: Callable[[Entry], bool]) -> Sequence[Entry]:
    """The entries from the last that is meant on; none where there is none."""
    last = next((number for number in reversed(range(len(entries))) if meant(entries[number])), len(entries))
    return entries[last:]


def answered(entries: Sequence[Entry]) -> bool:
    """Whether somebody said yes or no, with a reason. Who answers in Airflow only has given none yet."""
    return any(isinstance(entry, Asked) and entry.what in (APPROVE, REJECT) for entry in entries)


def approved(entries: Sequence[Entry]) -> bool:
    """Whether somebody said that it is promoted."""
    return any(isinstance(entry, Asked) and entry.what == APPROVE for entry in _from_last(entries, _asks))


def counts_from(created: float, before: Collection[str], entries: Iterable[Entry]) -> float:
    """Since when `max_duration` counts, epoch seconds: a canary that waits for a person's word to begin loses no time.

    Args:
        created: When the release was planned, epoch seconds.
        before: What a person is asked before.
        entries: Its journal.
    """
    if TRAFFIC.about not in before:
        return created
    since = created
    for entry in entries:
        if isinstance(entry, WeightGiven):
            return entry.noted
        if isinstance(entry, Questioned):
            since = entry.until
    return since
