"""What of a release is news, out of its journal: each has a key that is the same whoever reads it, and whenever."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from glidepath.claim.state import TAKE_BACK
from glidepath.policy.messages import About
from glidepath.release import events, people
from glidepath.release.asking import REJECT
from glidepath.release.entry import Entry
from glidepath.release.phases import Decision, Phase
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
    for one in entries:
        text = next((moment.text for moment in timeline([one])), "")
        if isinstance(one, events.WeightGiven) and not one.window:
            yield News(f"weight-{one.step}", "begun" if one.step == 1 else "step", one.noted, text)
        elif isinstance(one, events.Decided) and one.decision == Decision.ASK:
            yield News(f"asks-{one.step}", "asks", one.noted, text)
        elif isinstance(one, people.Asked):
            words += 1
            # What takes it back is told by what it does.
            if one.what not in (REJECT, TAKE_BACK):
                yield News(f"word-{words}", "word", one.noted, text)
        elif isinstance(one, events.TakenBack):
            yield News("back", "back", one.noted, text)
        elif isinstance(one, events.Entered) and one.phase == Phase.OBSERVING and not observed:
            observed = True
            yield News("observing", "observing", one.noted, "promoted; the old version stays warm for a while")
        elif isinstance(one, events.Closed):
            yield News("ended", "ended", one.noted, text)


def for_people(found: list[News]) -> list[News]:
    """Without what says the same again: that a release has ended which they know to go back."""
    back = any(one.about == "back" for one in found)
    return [one for one in found if not (back and one.about == "ended")]
