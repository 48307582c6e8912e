"""A pause of the sync: a controller that goes by git leaves the service alone while a release holds it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubernetes import client

from glidepath.errors import ClusterError, PreflightError
from glidepath.kube import GROUP, Objects

# On what a release has paused: which. Without it the pause is somebody else's, and is left as it is.
PAUSED_BY = f"{GROUP}/paused-by"
TRIES = 5


@dataclass(frozen=True)
class Kind:
    """A controller's object: the API's path of its kind, and what pauses it and what lets it go on, as merge patches."""

    path: str
    pause: Mapping[str, Any]
    resume: Mapping[str, Any]


_SKIP = "argocd.argoproj.io/skip-reconcile"
# Argo CD compares with the revision that it has looked up last, for minutes, unless it is asked to look anew; it removes this.
_REFRESH = "argocd.argoproj.io/refresh"
_SUSPEND = ({"spec": {"suspend": True}}, {"spec": {"suspend": False}})
KINDS = {
    "Application": Kind(
        "argoproj.io/v1alpha1/applications",
        {"metadata": {"annotations": {_SKIP: "true"}}},
        {"metadata": {"annotations": {_SKIP: None, _REFRESH: "normal"}}},
    ),
    "HelmRelease": Kind("helm.toolkit.fluxcd.io/v2/helmreleases", *_SUSPEND),
    "Kustomization": Kind("kustomize.toolkit.fluxcd.io/v1/kustomizations", *_SUSPEND),
}


class Sync:
    """The sync of one Application of Argo CD, or one HelmRelease or Kustomization of Flux.

    Args:
        api: An API client; it has to be allowed to get and patch the object.
        kind: One of KINDS.
        namespace, name: Where it is and what it is called.
    """

    def __init__(self, api: client.ApiClient, kind: str, namespace: str, name: str) -> None:
        self._objects, self._kind = Objects(api, namespace), KINDS[kind]
        self._name, self.shown = name, f"{kind} {namespace}/{name}"

    def check(self) -> str:
        """What it is and whether it is paused, in a few words.

        Raises:
            PreflightError: It can't be read.
        """
        try:
            live = self._objects.get(self._kind.path, self._name)
        except ClusterError as error:
            raise PreflightError(
                f"gitops.pause: {self.shown} can't be read; nothing was touched. Name the one that owns the service, and let "
                f"Glidepath's account get and patch it: {error}"
            ) from error
        by = _paused_by(live)
        if by:
            return f"{self.shown}, paused by {by} still"
        return f"{self.shown}, paused by somebody: left so" if self._paused(live) else self.shown

    def pause(self, release: str) -> str:
        """Pause it for a release; what was done. Paused by somebody else, it is left so.

        Raises:
            ClusterError: The API refused or did not answer; call again.
        """

        def change(live: Mapping[str, Any]) -> dict[str, Any] | None:
            by, paused = _paused_by(live), self._paused(live)
            if (paused and not by) or (paused and by == release):
                return None
            return _with_mark(self._kind.pause, release)

        changed = self._change(change)
        return f"{self.shown} is paused" if changed else f"{self.shown} was paused already"

    def resume(self, of: str | None = None) -> str:
        """Let it go on if a release has paused it; what was done. It is gone: nothing to do.

        Args:
            of: Only if it was this release; None: whichever.

        Raises:
            ClusterError: The API refused or did not answer; call again.
        """

        def change(live: Mapping[str, Any]) -> dict[str, Any] | None:
            by = _paused_by(live)
            return _with_mark(self._kind.resume, None) if by and of in (None, by) else None

        try:
            changed = self._change(change)
        except ClusterError as error:
            if error.status != 404:
                raise
            return f"{self.shown} is gone"
        return f"{self.shown} goes on" if changed else f"{self.shown} is left as it is"

    def _paused(self, live: Mapping[str, Any]) -> bool:
        notes = live["metadata"].get("annotations") or {}
        return notes.get(_SKIP) == "true" or bool((live.get("spec") or {}).get("suspend"))

    def _change(self, change: Callable[[Mapping[str, Any]], dict[str, Any] | None]) -> bool:
        """Patch what was read, bound to it; somebody wrote meanwhile: read again."""
        for left in reversed(range(TRIES)):
            live = self._objects.get(self._kind.path, self._name)
            body = change(live)
            if body is None:
                return False
            body["metadata"]["resourceVersion"] = live["metadata"]["resourceVersion"]
            try:
                self._objects.merge(self._kind.path, self._name, body)
                return True
            except ClusterError as error:
                if error.status != 409 or not left:
                    raise
        raise AssertionError("unreachable")


def _paused_by(live: Mapping[str, Any]) -> str:
    return str((live["metadata"].get("annotations") or {}).get(PAUSED_BY) or "")


def _with_mark(patch: Mapping[str, Any], release: str | None) -> dict[str, Any]:
    """A patch with the mark of the release that pauses; None takes it away."""
    notes = (patch.get("metadata") or {}).get("annotations") or {}
    return {**patch, "metadata": {"annotations": {**notes, PAUSED_BY: release}}}
