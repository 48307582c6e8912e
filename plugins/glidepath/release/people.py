"""What people say to a release, and what they are told: a type for each kind of event in its record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from glidepath.release.entry import Entry


@dataclass(frozen=True)
class Asked(Entry):
    """A person asked something of the release.

    Attributes:
        what: `take-back`, `commit`, `hold`, `resume`, `approve` or `reject`.
        who: Their name, as the way they came by knows them.
        why: Their reason.
    """

    kind = "asked"
    what: str
    who: str
    why: str


@dataclass(frozen=True)
class Questioned(Entry):
    """A person is asked by Airflow.

    Attributes:
        until: By when, epoch seconds.
        unanswered: What holds then: `promote` or `rollback`.
        by: Who may answer; empty: whoever may edit the DAG's runs.
        about: What it is asked before: `traffic` or `promotion`.
    """

    kind = "question"
    until: float
    unanswered: str
    by: Sequence[str] = ()
    about: str = "promotion"

    @property
    def once(self) -> str:
        """Each question is asked once."""
        return _named("question", self.about)


@dataclass(frozen=True)
class Answered(Entry):
    """How Airflow's question was answered: `begin`, `promote` or `rollback`, and by whom; empty where nobody did.

    Attributes:
        about: What was asked before: `traffic` or `promotion`.
    """

    kind = "answer"
    answer: str
    who: str
    about: str = "promotion"

    @property
    def once(self) -> str:
        """Each question has one answer."""
        return _named("answer", self.about)


@dataclass(frozen=True)
class Messaged(Entry):
    """A message to people or machines: a try of it, and what came of that.

    Attributes:
        channel: What the channel is called, such as `slack-1`.
        news: What it is about, such as `weight-2`.
        attempt: Number of the try, from 1.
        state: `begun`, `sent`, `failed`, or `passed` for what newer news has overtaken.
        why: Why it failed.
        final: Whether it is not tried again.
        thread: What later messages of the release answer to.
    """

    kind = "message"
    name = "message:{channel}:{news}:{attempt}:{state}"
    channel: str
    news: str
    attempt: int
    state: str
    why: str = ""
    final: bool = False
    thread: str = ""


def _named(kind: str, about: str) -> str:
    """As records of before there was a second question have it."""
    return kind if about == "promotion" else f"{kind}:{about}"
