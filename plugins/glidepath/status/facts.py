"""What is known of one release, read once: its row, its journal, and the look that is shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from glidepath.judge import Look
from glidepath.record import Release
from glidepath.release.asking import held
from glidepath.release.entry import Entry
from glidepath.release.events import Committed, Decided, ObservationOver, TakenBack, WeightGiven
from glidepath.release.people import Asked
from glidepath.release.phases import Decision, Phase
from glidepath.release.questions import Question, open_question

E = TypeVar("E", bound=Entry)


@dataclass(frozen=True)
class Facts:
    """One release.

    Attributes:
        release: Its row.
        entries: Its journal, in order.
        look: The look that decided, else the newest; None before the first.
        seq: That look's number; 0 before the first.
        newest: The newest look; None before the first.
    """

    release: Release
    entries: Sequence[Entry]
    look: Look | None = None
    seq: int = 0
    newest: Look | None = None

    def last(self, of: type[E]) -> E | None:
        """The newest entry of a kind."""
        return next((entry for entry in reversed(self.entries) if type(entry) is of), None)

    @property
    def spec(self) -> Mapping[str, Any]:
        """What the release was planned by, as it was written: by any version of the code."""
        return self.release.spec

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        """The policy's steps: weight, bake (seconds), min_requests."""
        return self.spec.get("steps") or ()

    @property
    def warm_s(self) -> float:
        """How long the old version stays after a promotion, seconds."""
        return float((self.spec.get("after_promotion") or {}).get("warm") or 0.0)

    @property
    def given(self) -> WeightGiven | None:
        """The weight that was given last."""
        return self.last(WeightGiven)

    @property
    def step(self) -> int:
        """Number of the step in force, from 1; 0 before the first."""
        return self.given.step if self.given else 0

    @property
    def word(self) -> Decided | None:
        """The guard's last word, on a step or on the observation."""
        return next((entry for entry in reversed(self.entries) if isinstance(entry, Decided)), None)

    @property
    def decision(self) -> Decided | None:
        """The word that promotes, goes back or asks: the last that does not just advance."""
        words = [
            entry for entry in self.entries if isinstance(entry, Decided) and not isinstance(entry, ObservationOver)
        ]
        last = words[-1] if words else None
        return None if last is None or last.decision == Decision.ADVANCE else last

    @property
    def back(self) -> TakenBack | None:
        """Why it goes back; None while it does not."""
        return self.last(TakenBack)

    @property
    def committed(self) -> bool:
        """Whether nothing leads back any more."""
        return self.last(Committed) is not None

    @property
    def question(self) -> Question | None:
        """What a person is asked, and has not answered."""
        over = self.release.outcome is not None or self.back is not None
        return None if over else open_question(self.release.phase, self.entries)

    @property
    def held(self) -> Asked | None:
        """Who holds it at its weight; None when nobody does."""
        return held(self.entries)

    @property
    def watched(self) -> bool:
        """Whether the canary may have traffic and its fate is open: then a guard follows a person's word."""
        phases = (Phase.BAKING, Phase.PROMOTING, Phase.OBSERVING)
        return self.release.outcome is None and self.release.phase in phases and not (self.back or self.committed)
