"""Who owns which field of an object, and what a merge patch and server-side apply make of it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any, TypeVar

Object = dict[str, Any]
Path = tuple[str, ...]
UNOWNED = frozenset({("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")})
SERVER_SET = ("resourceVersion", "uid", "creationTimestamp", "managedFields", "generation")


class Refused(Exception):
    """An answer other than 2xx."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message


T = TypeVar("T")


def clone(value: T) -> T:
    """A copy of plain data, several times as quick as `copy.deepcopy`: crash sweeps copy a cluster a thousand times."""
    copied: T = pickle.loads(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
    return copied


Owners = dict[tuple[str, str], set[Path]]


def leaves(tree: Object, at: Path = ()) -> dict[Path, Any]:
    """Every field that is no mapping, by its path. Lists are whole."""
    found: dict[Path, Any] = {}
    for key, value in tree.items():
        path = (*at, key)
        if path in UNOWNED or (path[:1] == ("metadata",) and key in SERVER_SET):
            continue
        found |= leaves(value, path) if isinstance(value, dict) and value else {path: value}
    return found


def merged(tree: Object, patch: Object) -> Object:
    """A JSON merge patch (RFC 7386)."""
    result = clone(tree)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, dict) else {}, value)
        else:
            result[key] = clone(value)
    return result


def apply(old: Object | None, body: Object, owners: Owners, manager: str, force: bool) -> Object:
    """Server-side apply: the manager then owns what it gives; what it alone owned and gives no more is removed."""
    given, had = leaves(body), leaves(old or {})
    for (other, operation), fields in owners.items():
        clash = {leaf for leaf in fields & given.keys() if had.get(leaf, ...) != given[leaf]}
        if (other, operation) != (manager, "Apply") and clash:
            if not force:
                names = ", ".join("." + ".".join(leaf) for leaf in sorted(clash))
                raise Refused(
                    409, "Conflict", f'Apply failed with {len(clash)} conflict: conflict with "{other}": {names}'
                )
            fields -= clash
    dropped = owners.get((manager, "Apply"), set()) - given.keys()
    owners[manager, "Apply"] = set(given)
    new = merged(old or {}, body)
    for leaf in dropped - set().union(*owners.values()):
        _remove(new, leaf)
    return new


def _remove(tree: Object, leaf: Path) -> None:
    below = tree.get(leaf[0])
    if len(leaf) == 1:
        tree.pop(leaf[0], None)
    elif isinstance(below, dict):
        _remove(below, leaf[1:])


def owners_of(found: Object | None) -> Owners:
    managed = found["metadata"]["managedFields"] if found else []
    return {(one["manager"], one["operation"]): set(_paths(one["fieldsV1"])) for one in managed}


def entry(key: tuple[str, str], fields: set[Path], was: Object, now: str) -> Object:
    tree: Object = {}
    for leaf in sorted(fields):
        below = tree
        for part in leaf:
            below = below.setdefault(f"f:{part}", {})
    for one in was.get("managedFields", []):
        if (one["manager"], one["operation"], one["fieldsV1"]) == (*key, tree):
            return dict(one)
    return {"manager": key[0], "operation": key[1], "time": now, "fieldsV1": tree}


def _paths(tree: Object, at: Path = ()) -> Iterator[Path]:
    for key, below in tree.items():
        path = (*at, key.removeprefix("f:"))
        if below:
            yield from _paths(below, path)
        else:
            yield path
