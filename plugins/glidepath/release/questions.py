"""What the DAG asks people: whether the canary gets its first requests, and whether it is promoted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
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
        asked = [number for number, entry in enumerate(entries) if isinstance(entry, Questioned)]
        return None if not asked or answered(entries[asked[-1] :]) else TRAFFIC
    words = [number for number, entry in enumerate(entries) if isinstance(entry, Decided)]
    if phase != Phase.BAKING or not words:
        return None
    last = entries[words[-1]]
    asks = isinstance(last, Decided) and last.decision == Decision.ASK
    return PROMOTION if asks and not answered(entries[words[-1] :]) else None


def answered(entries: Sequence[Entry]) -> bool:
    """Whether somebody said yes or no, with a reason. Who answers in Airflow only has given none yet."""
    return any(isinstance(entry, Asked) and entry.what in (APPROVE, REJECT) for entry in entries)


def approved(entries: Sequence[Entry]) -> bool:
    """Whether somebody said that it is promoted."""
    words = [
        number for number, entry in enumerate(entries) if isinstance(entry, Decided) and entry.decision == Decision.ASK
    ]
    after = entries[words[-1] :] if words else ()
    return any(isinstance(entry, Asked) and entry.what == APPROVE for entry in after)


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
