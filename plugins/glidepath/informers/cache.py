"""The objects of one kind as the API told them, and until when that is proven."""

from __future__ import annotations

import math
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
# What was missed is sent as soon as a watch begins: after so many seconds it has come.
SETTLE_S = 0.5


class GoneError(Exception):
    """The API no longer knows the version that a watch would go on from."""


class Cache:
    """What a list and the events since make of a kind. Its objects are shared: nobody changes them.

    Attributes:
        version: The resourceVersion to watch from; None before a list, or when another is needed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[str, dict[str, Object]] = {}
        self._sorted: dict[str, tuple[Object, ...]] = {}
        self._labelled: dict[tuple[str, str], dict[str, tuple[Object, ...]]] = {}
        self._proven = self._opened = -math.inf
        self._covered: frozenset[str] = frozenset()
        self.version: str | None = None

    def replace(self, objects: Sequence[Object], version: str, at: float, namespaces: Collection[str]) -> None:
        """Begin anew with a list.

        Args:
            objects: All there are.
            version: The list's resourceVersion.
            at: When it was asked for, by a clock that does not jump, seconds: it has all that was there then.
            namespaces: Those that are kept; what is in others is left out.
        """
        kept: dict[str, dict[str, Object]] = {namespace: {} for namespace in namespaces}
        for one in objects:
            namespace, name = _at(one)
            if namespace in kept:
                kept[namespace][name] = one
        with self._lock:
            self._objects, self._sorted, self._labelled, self.version = kept, {}, {}, version
            self._covered, self._proven, self._opened = frozenset(namespaces), at, -math.inf

    def opened(self, at: float) -> None:
        """Note that the API has begun a watch from `version` on, and when it was asked to, as for `replace`."""
        with self._lock:
            self._proven, self._opened = max(self._proven, self._opened), at

    def take(self, event: Mapping[str, Any], at: float) -> None:
        """Follow one event of a watch.

        Args:
            event: As the API sends it.
            at: When the API sent it at the latest, as for `replace`.

        Raises:
            GoneError: It says that a list is needed.
        """
        what, found = str(event["type"]), event["object"]
        if what == "ERROR":
            raise GoneError(f"{found.get('code')}: {found.get('message')}")
        with self._lock:
            if what != "BOOKMARK":
                self._change(what, found)
            self.version = str(found["metadata"]["resourceVersion"])
            self._proven = max(self._proven, at)

    def _change(self, what: str, found: Object) -> None:
        namespace, name = _at(found)
        there = self._objects.get(namespace)
        if there is None:
            return
        if what == "DELETED":
            there.pop(name, None)
        else:
            there[name] = found
        self._sorted.pop(namespace, None)
        for key in [key for key in self._labelled if key[0] == namespace]:
            del self._labelled[key]

    def suspect(self) -> None:
        """Answer nothing before the next sign that nothing was left out."""
        with self._lock:
            self._proven = self._opened = -math.inf

    def doubt(self) -> None:
        """Answer nothing before the next list."""
        with self._lock:
            self.version = None
            self._proven = self._opened = -math.inf

    def covers(self, namespaces: Collection[str]) -> bool:
        """Whether the last list kept these namespaces."""
        return self._covered.issuperset(namespaces)

    def get(self, namespace: str, name: str, now: float, within_s: float) -> tuple[bool, Object | None]:
        """Whether the cache is proven, and then the object, or None where there is none.

        Args:
            namespace, name: Which object.
            now: The time, as for `replace`.
            within_s: How old the proof may be, seconds.
        """
        with self._lock:
            if not self._knows(namespace, now, within_s):
                return False, None
            return True, self._objects[namespace].get(name)

    def all(
        self, namespace: str, now: float, within_s: float, label: tuple[str, str] | None = None
    ) -> tuple[Object, ...] | None:
        """All objects of a namespace, or those with a label, by their names; None where that is not proven, as for `get`.

        It is the same tuple until one of the namespace's objects has changed.
        """
        with self._lock:
            if not self._knows(namespace, now, within_s):
                return None
            if namespace not in self._sorted:
                self._sorted[namespace] = tuple(one for _, one in sorted(self._objects[namespace].items()))
            if label is None:
                return self._sorted[namespace]
            key = namespace, label[0]
            if key not in self._labelled:
                self._labelled[key] = _by_label(self._sorted[namespace], label[0])
            return self._labelled[key].get(label[1], ())

    def _knows(self, namespace: str, now: float, within_s: float) -> bool:
        settled = self._opened if now - self._opened >= SETTLE_S else -math.inf
        return namespace in self._covered and max(self._proven, settled) >= now - within_s


def _by_label(objects: Sequence[Object], label: str) -> dict[str, tuple[Object, ...]]:
    found: dict[str, list[Object]] = {}
    for one in objects:
        value = (one["metadata"].get("labels") or {}).get(label)
        if value is not None:
            found.setdefault(value, []).append(one)
    return {value: tuple(many) for value, many in found.items()}


def _at(found: Object) -> tuple[str, str]:
    return str(found["metadata"].get("namespace") or ""), str(found["metadata"]["name"])
