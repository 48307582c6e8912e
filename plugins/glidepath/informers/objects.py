"""Reads of objects out of what is watched; from the API where that is not proven fresh."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from kubernetes import client

from glidepath.errors import ClusterError
from glidepath.informers.selectors import matching, one_label
from glidepath.informers.shared import NARROWED, Reader
from glidepath.kube import Objects


class WatchedObjects(Objects):
    """As `Objects`, to be read only. What is read is shared with others, and may be as old as its reader allows.

    Args:
        api: A client, for what can't be read from what is watched.
        namespace: The namespace of every call.
        reader: What is watched.
    """

    def __init__(self, api: client.ApiClient, namespace: str, reader: Reader) -> None:
        super().__init__(api, namespace)
        self._reader = reader

    def get(self, kind: str, name: str) -> dict[str, Any]:
        """See `Objects.get`."""
        known, found = self._reader.get(kind, name)
        if not known:
            return super().get(kind, name)
        if found is None:
            raise ClusterError(f"reading {kind} {name}: {name} is not there", HTTPStatus.NOT_FOUND)
        return found  # type: ignore[return-value]

    def list(self, kind: str, selector: str = "", fields: str = "") -> Sequence[dict[str, Any]]:
        """See `Objects.list`."""
        found = self._all(kind, selector, fields)
        return super().list(kind, selector, fields) if found is None else found

    def list_metadata(self, kind: str, selector: str) -> Sequence[dict[str, Any]]:
        """See `Objects.list_metadata`."""
        narrowed = NARROWED.get(kind, "")
        known = not narrowed or narrowed in selector.split(",")
        found = self._all(kind, selector, "", metadata=True) if known else None
        if found is None:
            self._reader.beyond()
            return super().list_metadata(kind, selector)
        return [one["metadata"] for one in found]

    def list_everywhere(self, kind: str) -> Sequence[dict[str, Any]]:
        """See `Objects.list_everywhere`."""
        self._reader.beyond()
        return super().list_everywhere(kind)

    def log(self, pod: str, query: Sequence[tuple[str, str]]) -> str:
        """See `Objects.log`."""
        self._reader.beyond()
        return super().log(pod, query)

    def _all(self, kind: str, selector: str, fields: str, metadata: bool = False) -> Sequence[Any] | None:
        """What is selected; where nothing is, the very tuple that the cache has. None where that is not known now."""
        matches = matching(selector, fields)
        if matches is None:
            return None
        found = self._reader.all(kind, metadata, one_label(selector))
        return found if found is None or not (selector or fields) else [one for one in found if matches(one)]

    def _call(self, what: str, method: str, kind: str, *arguments: Any, **more: Any) -> dict[str, Any]:
        if method != "GET":
            raise AssertionError(f"{what}: a write goes by what was read from the API, never by what is watched")
        self._reader.beyond()
        return super()._call(what, method, kind, *arguments, **more)
