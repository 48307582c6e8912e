"""Whoever owns the service's values, in memory: keeps what it was told, as the handover's contract says."""

from __future__ import annotations

from collections.abc import Callable

from glidepath.errors import HandoverError
from glidepath.handover import PROMOTE, ROLLBACK, Handover, Word

GITOPS = "gitops: {handover: command, command: [commit-values]}\n"


class Git(Handover):
    """A values file: `says` is the version that it calls stable.

    Attributes:
        heard: The keys that it was told, in order.
        fails: What it answers; after having carried it out if `late`.
        before: Called before it carries something out.
    """

    def __init__(self, says: str = "v1") -> None:
        super().__init__(tries=1, timeout_s=1)
        self.says, self.heard = says, list[str]()
        self.fails: HandoverError | None = None
        self.late = False
        self.before: Callable[[], object] = lambda: None

    def check(self) -> str:
        return "a file in memory"

    def once(self, word: Word) -> str:
        self.before()
        if self.fails is not None and not self.late:
            raise self.fails
        taken_back = f"{word.release}:{ROLLBACK}"
        if not (word.phase == PROMOTE and taken_back in self.heard):
            self.says = str(word.values["roles"]["stable"])
        self.heard.append(word.key)
        if self.fails is not None:
            raise self.fails
        return "committed"
