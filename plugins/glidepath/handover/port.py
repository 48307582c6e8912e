"""What is handed over, and how often it is tried."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from glidepath.errors import HandoverError

Phase = Literal["promote", "rollback"]
PROMOTE: Phase = "promote"
ROLLBACK: Phase = "rollback"


@dataclass(frozen=True)
class Word:
    """Which version is the stable one from now on, and for which release.

    The same release and phase always give the same word, so that it may be told twice. A rollback's is the last one: who
    has heard it must not carry out a promotion of the same release that comes later.

    Attributes:
        phase: `promote`: the canary becomes the stable version; `rollback`: what was told so is taken back.
        release: The release's identity, `<dag>/<run>`.
        stable, canary: The versions' roles when the release began.
        version: The version that is to be the stable one now.
        values: What the service's values have to say for that, in the chart's form.
    """

    phase: Phase
    release: str
    service: str
    namespace: str
    helm_release: str
    stable: str
    canary: str
    version: str
    values: Mapping[str, Any]

    @property
    def key(self) -> str:
        """The same for every time that this is told."""
        return f"{self.release}:{self.phase}"

    def to_dict(self) -> dict[str, Any]:
        """As JSON-safe values, with the key."""
        return {"key": self.key, **asdict(self)}


class Handover(ABC):
    """Tells a word, and tries again what may pass.

    Args:
        tries: How often at most.
        timeout_s: Of one try, seconds.
        pause_s: Before the second try, seconds; before the third twice that.
    """

    def __init__(self, tries: int, timeout_s: float, pause_s: float = 2.0) -> None:
        self._tries, self._timeout_s, self._pause_s = tries, timeout_s, pause_s

    def tell(self, word: Word) -> str:
        """Tell it; what was answered, shortened.

        Raises:
            HandoverError: It was refused, or not answered in time; whether it was carried out is then not known.
        """
        untold = True
        for attempt in range(1, self._tries + 1):
            try:
                return self.once(word)
            except HandoverError as error:
                error.untold = untold = untold and error.untold
                if attempt == self._tries or not error.may_pass:
                    raise
            time.sleep(self._pause_s * attempt)
        raise AssertionError("unreachable")

    @abstractmethod
    def check(self) -> str:
        """What it is, in a few words, after making sure that it can be asked at all.

        Raises:
            PreflightError: It can't.
        """

    @abstractmethod
    def once(self, word: Word) -> str:
        """One try."""
