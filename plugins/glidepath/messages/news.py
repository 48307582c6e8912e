"""What of a release is news, out of its journal: each has a key that is the same whoever reads it, and whenever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from glidepath.claim.state import TAKE_BACK
from glidepath.policy.messages import About
from glidepath.release import events, people
from glidepath.release.entry import Entry
from glidepath.release.phases import Decision, Phase
from glidepath.release.questions import REJECT, TRAFFIC
from glidepath.status.timeline import timeline


@dataclass(frozen=True)
class News:
    """One thing that people are told of.

    Attributes:
        key: Tells it from all others of its release, such as `weight-2`.
        about: What kind of thing it is, as policies name them.
        at: When it happened, epoch seconds.
        text: The timeline's line of it.
    """

    key: str
    about: About
    at: float
    text: str = ""


def news(entries: Iterable[Entry]) -> Iterator[News]:
    """The news of a journal, in order."""
    words, observed = 0, False
    for entry in entries:
        text = next((moment.text for moment in timeline([entry])), "")
        if isinstance(entry, events.WeightGiven) and not entry.window:
            yield News(f"weight-{entry.step}", "begun" if entry.step == 1 else "step", entry.noted, text)
        elif isinstance(entry, events.Decided) and entry.decision == Decision.ASK:
            yield News(f"asks-{entry.step}", "asks", entry.noted, text)
        elif isinstance(entry, people.Questioned) and entry.about == TRAFFIC.about:
            yield News("asks-0", "asks", entry.noted, text)
        elif isinstance(entry, people.Asked):
            words += 1
            # What takes it back is told by what it does.
            if entry.what not in (REJECT, TAKE_BACK):
                yield News(f"word-{words}", "word", entry.noted, text)
        elif isinstance(entry, events.TakenBack):
            yield News("back", "back", entry.noted, text)
        elif isinstance(entry, events.Entered) and entry.phase == Phase.OBSERVING and not observed:
            observed = True
            yield News("observing", "observing", entry.noted, "promoted; the old version stays warm for a while")
        elif isinstance(entry, events.Closed):
            yield News("ended", "ended", entry.noted, text)


def for_people(items: list[News]) -> list[News]:
    """Without what says the same again: that a release has ended which they know to go back."""
    back = any(item.about == "back" for item in items)
    return [item for item in items if not (back and item.about == "ended")]
