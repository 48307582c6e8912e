"""Whoever owns the service's values, in memory; and the objects of Argo CD and Flux whose sync is paused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glidepath.errors import HandoverError
from glidepath.handover import PROMOTE, ROLLBACK, Handover, Word
from glidepath.handover.sync import KINDS
from tests.support.stage import Stage

GITOPS = "gitops: {handover: command, command: [commit-values]}\n"


APPLICATION = ("Application", "argocd", "prices")
HELM_RELEASE = ("HelmRelease", "flux-system", "prices")


def synced(stage: Stage, of: tuple[str, str, str], manager: str = "kubectl", **metadata: Any) -> None:
    """Put the object there whose sync a release pauses, as its team has applied it."""
    kind, namespace, name = of
    group, _, plural = KINDS[kind].path.rpartition("/")
    body: dict[str, Any] = {
        "apiVersion": group,
        "kind": kind,
        "metadata": {"name": name, **metadata},
        "spec": {"a": "b"},
    }
    stage.server.put(f"/apis/{group}/namespaces/{namespace}/{plural}", body, manager)
    stage.synced = of


def paused(stage: Stage, of: tuple[str, str, str]) -> tuple[bool, str | None]:
    """Whether its sync is paused, and by which release."""
    found = stage.server.find(KINDS[of[0]].path.rpartition("/")[2], of[2])
    notes = found["metadata"].get("annotations") or {}
    by = notes.get("glidepath.dev/paused-by")
    return notes.get("argocd.argoproj.io/skip-reconcile") == "true" or bool(found["spec"].get("suspend")), by


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
