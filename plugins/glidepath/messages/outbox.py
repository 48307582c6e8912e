"""What was sent and what is to be, by the journal: each news once a channel, as far as that can be had.

A try is written down before it is made, under a name that can be written once: of several processes one makes it. What came
of it is written down after it. A process that dies in between leaves a try of which nobody knows; it is made again after
HOLD_S, so such a message may come twice. All carriers but chats give it an id by which the other side can tell.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from glidepath.messages.message import message
from glidepath.messages.news import News, for_people, news
from glidepath.messages.port import Carrier
from glidepath.policy.messages import Channel
from glidepath.record import Record
from glidepath.release.entry import Entry
from glidepath.release.events import Closed
from glidepath.release.journal import Journal
from glidepath.release.people import Messaged
from glidepath.status import status

# After so long a try of which nothing is heard is taken for lost; longer than any carrier takes.
HOLD_S = 90.0
# Before the second try; before each further one four times as long, seconds.
PAUSE_S, FACTOR = 2.0, 4.0
BEGUN, SENT, FAILED, PASSED = "begun", "sent", "failed", "passed"


@dataclass
class Outbox:
    """One channel of one release. One thread at a time may use it.

    Attributes:
        record, release_id: Whose news.
        name: The channel's, in the journal.
        asked: The channel, as the policy has it.
        carrier: What carries its messages.
        link: The release's page; empty for none.
        say: Where a failure is logged.
        now: The clock, epoch seconds.
        pause_s: Before the second try.
    """

    record: Record
    release_id: str
    name: str
    asked: Channel
    carrier: Carrier
    link: str = ""
    say: Callable[[str], None] = print
    now: Callable[[], float] = time.time
    pause_s: float = PAUSE_S
    _over: bool = field(default=False, init=False)

    def deliver(self) -> float | None:
        """Send what is due; when there is more to do, epoch seconds, at the latest news; None when all is told.

        Raises:
            RecordError: The record can't be read or written: then nothing is sent.
        """
        entries = list(Journal(self.record, self.release_id).entries())
        due: float | None = None
        for item in self._wanted(entries):
            at = self._next(item, entries)
            if at is not None and at <= self.now():
                at = self._try(item, entries)
            if at is not None:
                due = at if due is None else min(due, at)
                if self.carrier.every:
                    break  # in order: what comes after it waits
        self._over = due is None and any(isinstance(entry, Closed) for entry in entries)
        return due

    @property
    def over(self) -> bool:
        """Whether the release has ended, and all of it was told or given up, when it was last looked at."""
        return self._over

    def _wanted(self, entries: Sequence[Entry]) -> list[News]:
        """The news that this channel is to be told, in order; what newer news has overtaken is noted, and left out."""
        items = list(news(entries))
        kept = [item for item in (items if self.carrier.every else for_people(items)) if item.about in self.asked.about]
        if self.carrier.every:
            return kept
        for item in kept[:-1]:
            if self._next(item, entries) is not None:
                self._note(item, 0, PASSED, final=True)
        return kept[-1:]

    def _mine(self, item: News, entries: Sequence[Entry]) -> list[Messaged]:
        return [
            entry
            for entry in entries
            if isinstance(entry, Messaged) and (entry.channel, entry.news) == (self.name, item.key)
        ]

    def _next(self, item: News, entries: Sequence[Entry]) -> float | None:
        """When the next try of a message is due; None when there is none."""
        made = self._mine(item, entries)
        if any(entry.final for entry in made):
            return None
        if not made:
            return 0.0  # at once, whatever the clock of whoever wrote it
        last = max(made, key=lambda entry: (entry.attempt, entry.state != BEGUN))
        if last.state == BEGUN:
            return last.noted + HOLD_S
        return last.noted + self.pause_s * FACTOR ** (last.attempt - 1)

    def _try(self, item: News, entries: Sequence[Entry]) -> float | None:
        """Make the next try; when the one after it is due, None when there is none."""
        made = self._mine(item, entries)
        attempt = max((entry.attempt for entry in made), default=0) + 1
        if attempt > self.asked.tries:  # the last one was made by a process that died
            self._fail(item, attempt - 1, "nobody knows whether it was sent", final=True)
            return None
        outgoing = message(status(self.record, self.release_id, self.now()), item, self.link, self.asked.mention)
        if not self._note(item, attempt, BEGUN):
            return self.now() + HOLD_S  # another process makes it
        try:
            thread = self.carrier.send(outgoing, _thread(entries, self.name))
        except Exception as error:  # one that nobody thought of, too, is no more than a message that was not sent
            final = attempt == self.asked.tries or not getattr(error, "may_pass", False)
            self._fail(item, attempt, str(error), final)
            return None if final else self.now() + self.pause_s * FACTOR ** (attempt - 1)
        self._note(item, attempt, SENT, final=True, thread=thread)
        return None

    def _fail(self, item: News, attempt: int, why: str, final: bool) -> None:
        self._note(item, attempt, FAILED, why=why, final=final)
        self.say(f"messages: {self.name}: {item.key}, try {attempt} of {self.asked.tries} failed: {why}")

    def _note(
        self, item: News, attempt: int, state: str, why: str = "", final: bool = False, thread: str = ""
    ) -> bool:  # fmt: skip
        entry = Messaged(self.name, item.key, attempt, state, why, final, thread)
        return Journal(self.record, self.release_id).write(entry, self.now())


def _thread(entries: Sequence[Entry], channel: str) -> str:
    """What messages of the channel answer to; empty before the first."""
    mine = (entry.thread for entry in entries if isinstance(entry, Messaged) and entry.channel == channel)
    return next((thread for thread in mine if thread), "")
