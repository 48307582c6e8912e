"""What a release's record says happened: a function a question. Nobody else reads or writes its events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from glidepath.record import Event, Record
from glidepath.release.entry import Entry
from glidepath.release.events import (
    FATE,
    FINISHED,
    KINDS,
    WORD,
    Braked,
    Claimed,
    Committed,
    Decided,
    Entered,
    Fate,
    HandedOver,
    HarmProven,
    HelmUpgrade,
    ObservationOver,
    Pods,
    Replicas,
    TakenBack,
    TaskFailed,
    Watching,
    WeightGiven,
)
from glidepath.release.people import Answered, Asked, Questioned
from glidepath.release.phases import Decision

E = TypeVar("E", bound=Entry)
BY_KIND: dict[str, type[Entry]] = {entry.kind: entry for entry in KINDS}


@dataclass(frozen=True)
class Journal:
    """The events of one release.

    Every method raises RecordError when the record can't be read or written.
    """

    record: Record
    release_id: str

    def write(self, entry: Entry, at: float) -> bool:
        """Write an entry, epoch seconds; True when it is new."""
        return self.record.add_event(self.release_id, entry.kind, entry.body(), at, entry.once)

    def fate(self) -> Fate | None:
        """The release's fate, or None while it is open."""
        event = self.record.once(self.release_id, FATE)
        return None if event is None else (TakenBack if event.kind == TakenBack.kind else Committed).of(event)

    def taken_back(self) -> bool:
        """Whether the release has been told to go back."""
        return isinstance(self.fate(), TakenBack)

    def committed(self) -> bool:
        """Whether the release is past the point of no return: the canary is the safe side now."""
        return isinstance(self.fate(), Committed)

    def word_on(self, step: int) -> Decided | None:
        """The guard's word on a step, or None while there is none."""
        event = self.record.once(self.release_id, WORD.format(step=step))
        if event is None:
            return None
        return (ObservationOver if event.kind == ObservationOver.kind else Decided).of(event)

    def answer_on(self, step: int) -> tuple[Decision, str] | None:
        """What to do after a step, and why: go back, if that is the release's fate; otherwise the guard's word."""
        fate = self.fate()
        if isinstance(fate, TakenBack):
            return Decision.ROLLBACK, fate.reason
        word = self.word_on(step)
        return None if word is None else (Decision(word.decision), word.reason)

    def words(self) -> list[Decided]:
        """The guard's words on the steps, in order."""
        return self._all(Decided)

    def weight(self) -> WeightGiven | None:
        """The weight in force, as far as it was written down."""
        return self._last(WeightGiven)

    def weights(self) -> list[WeightGiven]:
        """The weights one after the other."""
        return self._all(WeightGiven)

    def claimed(self) -> Claimed | None:
        """How the service was claimed."""
        return self._once(Claimed)

    def entered(self) -> Entered | None:
        """The phase that began last."""
        return self._last(Entered)

    def phases(self) -> list[Entered]:
        """The phases one after the other."""
        return self._all(Entered)

    def replicas(self) -> Replicas | None:
        """How many replicas each version is to have."""
        return self._last(Replicas)

    def pods(self) -> Pods | None:
        """What the versions' pods are to be."""
        return self._last(Pods)

    def upgrade(self) -> HelmUpgrade | None:
        """The last upgrade through Helm, or the one that is under way."""
        return self._last(HelmUpgrade)

    def harm(self) -> HarmProven | None:
        """The first FAIL."""
        return self._once(HarmProven)

    def brake(self) -> Braked | None:
        """The brake that was pulled first."""
        return self._once(Braked)

    def failure(self) -> TaskFailed | None:
        """The task that ended for good last."""
        return self._last(TaskFailed)

    def handovers(self) -> list[HandedOver]:
        """What whoever owns the values was told, in order."""
        return self._all(HandedOver)

    def asked(self) -> list[Asked]:
        """What people asked, in order."""
        return self._all(Asked)

    def question(self, about: str) -> Questioned | None:
        """The question that Airflow asks a person before something: `traffic` or `promotion`."""
        return next((asked for asked in self._all(Questioned) if asked.about == about), None)

    def answer(self, about: str) -> Answered | None:
        """What it was answered."""
        return next((answered for answered in self._all(Answered) if answered.about == about), None)

    def finished(self) -> bool:
        """Whether the service was let go."""
        return self.record.once(self.release_id, FINISHED) is not None

    def seen(self) -> float:
        """When a guard last gave a sign of life: a look, or an entry where there is nothing to judge. 0 for never."""
        look, life = self.record.last_look(self.release_id), self._last(Watching)
        return max(float(look["at"]) if look else 0.0, life.noted if life else 0.0)

    def entries(self) -> Iterator[Entry]:
        """Everything that happened, in order; kinds that are not known are left out."""
        for event in self.record.events(self.release_id):
            if event.kind in BY_KIND:
                yield BY_KIND[event.kind].of(event)

    def _once(self, of: type[E]) -> E | None:
        event = self.record.once(self.release_id, of.name)
        return None if event is None else of.of(event)

    def _last(self, of: type[E]) -> E | None:
        event: Event | None = self.record.last_event(self.release_id, of.kind)
        return None if event is None else of.of(event)

    def _all(self, of: type[E]) -> list[E]:
        return [of.of(event) for event in self.record.events(self.release_id, of.kind)]
