"""Fields that somebody else owns, and the value that Helm is to render for them. Pure: objects in, fields out.

Server-side apply refuses a value that differs from one that another manager owns, and takes the same value. So the live
value is laid over the rendered one for exactly those fields: `kubectl scale`, an autoscaler, `kubectl set image` or a
team's operator have their way, and Helm's upgrade goes through. What nobody else owns stays as it is rendered.

Two fields are what a release is about, and are not simply left to others:

- the weights of the routes: laid over only where the rendered entries split the traffic as rendered. A brake, or a person's edit, that
  comes between makes Helm conflict, as it must.
- the ways to versions: those rendered, each as it is live where it is there. Where that differs from what is
  live, it has to be taken from its owner first (`Laid.taken`).

The token of a release is never laid over: a stale upgrade would carry the newest unwittingly.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from glidepath.deploy.mesh import SPLIT_FIELD, WAYS_FIELD, splits_alike, ways_as_live
from glidepath.kube import GROUP, HELM

# The protocol of a port is a merge key that manifests leave out.
DEFAULTS = {"protocol": "TCP"}

Key = str | Mapping[str, Any]
_NONE = object()


@dataclass(frozen=True)
class Laid:
    """A field that Helm renders with another value than its owner has given it.

    Attributes:
        kind, name: The object.
        path: The way to the field: keys, and for an item of a list its merge keys with their values.
        owner: The client that owns it, and since when.
        rendered: Helm's value.
        value: What Helm is to apply instead: the live one, or what it has to become.
        taken: It is not the live value: the field has to be taken from its owner before Helm applies it.
    """

    kind: str
    name: str
    path: tuple[Key, ...]
    owner: str
    rendered: Any
    value: Any
    taken: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {where(self.path)} is {short(self.value)}, set by {self.owner}"


def where(path: Sequence[Key]) -> str:
    """A path in words, such as `spec.template.spec.containers[name=shop].image`."""
    words = ""
    for step in path:
        if isinstance(step, str):
            words += f".{step}" if words else step
        else:
            words += "[" + ",".join(f"{key}={value}" for key, value in step.items()) + "]"
    return words


def short(value: Any, length: int = 120) -> str:
    """A value as JSON, cut where it is long."""
    text = json.dumps(value, sort_keys=True, default=str)
    return text if len(text) <= length else f"{text[:length]} ..."


def foreign(rendered: Mapping[str, Any], live: Mapping[str, Any]) -> list[Laid]:
    """The rendered fields that differ from the live ones and that somebody beside Helm owns.

    Args:
        rendered: An object of Helm's manifest.
        live: The same object as the API has it, with its `managedFields`.
    """
    kind, name = str(rendered["kind"]), str(rendered["metadata"]["name"])
    by_path: dict[str, Laid] = {}
    for entry in live["metadata"].get("managedFields") or []:
        if entry.get("manager") == HELM or entry.get("subresource") == "status":
            continue
        owner = _owner(entry)
        for path, was, now in _differing(entry.get("fieldsV1") or {}, rendered, live, ()):
            if (laid := _laid(kind, name, path, owner, was, now)) is not None:
                by_path.setdefault(where(path), laid)
    return list(by_path.values())


def _owner(entry: Mapping[str, Any]) -> str:
    """The client of an entry and when it wrote; of a scale the API keeps no time."""
    below = f" ({entry['subresource']})" if entry.get("subresource") else ""
    return f"{entry.get('manager')}{below}" + (f" at {entry['time']}" if entry.get("time") else "")


def _laid(kind: str, name: str, path: tuple[Key, ...], owner: str, was: Any, now: Any) -> Laid | None:
    if path[:2] == ("metadata", "annotations") and str(path[-1]).startswith(f"{GROUP}/"):
        return None
    if (kind, path) == SPLIT_FIELD and not splits_alike(was, now):
        return None
    if (kind, path) == WAYS_FIELD:
        wanted = ways_as_live(was, now)
        return Laid(kind, name, path, owner, was, wanted, taken=wanted != now)
    return Laid(kind, name, path, owner, was, now)


def _differing(
    fields: Mapping[str, Any], rendered: Any, live: Any, at: tuple[Key, ...]
) -> Iterator[tuple[tuple[Key, ...], Any, Any]]:
    """Each owned field that is rendered otherwise than it is live: its path, both values."""
    for key, below in fields.items():
        kind, _, name = key.partition(":")
        if kind == "f" and isinstance(rendered, Mapping) and isinstance(live, Mapping):
            if name in rendered and name in live:
                yield from _at(below, rendered[name], live[name], (*at, name))
        elif kind == "k" and isinstance(rendered, list) and isinstance(live, list):
            keys = json.loads(name)
            mine, theirs = item(rendered, keys), item(live, keys)
            if mine is None or theirs is None:
                continue
            if _otherwise(below, mine, theirs):
                yield (*at, keys), mine, theirs
            else:
                yield from _at(below, mine, theirs, (*at, keys))


def _at(
    below: Mapping[str, Any], rendered: Any, live: Any, at: tuple[Key, ...]
) -> Iterator[tuple[tuple[Key, ...], Any, Any]]:
    inside = {key: value for key, value in below.items() if key != "."}
    if inside:
        yield from _differing(inside, rendered, live, at)
    elif "." not in below and rendered != live:  # "." owns that an item is there, not what it says
        yield at, rendered, live


def _otherwise(below: Mapping[str, Any], rendered: Mapping[str, Any], live: Mapping[str, Any]) -> bool:
    """Whether an item says the same in another way, such as a variable by `value` where `valueFrom` is rendered."""
    owned = {key[2:] for key in below if key.startswith("f:")}
    return bool(owned - rendered.keys()) and bool(rendered.keys() - live.keys())


def item(items: Sequence[Any], keys: Mapping[str, Any]) -> Any | None:
    """The item of a list that has these merge keys."""
    for entry in items:
        if isinstance(entry, Mapping) and all(entry.get(key, DEFAULTS.get(key, _NONE)) == keys[key] for key in keys):
            return entry
    return None


def overlaid(rendered: Mapping[str, Any], laid: Sequence[Laid]) -> dict[str, Any]:
    """The object as Helm applies it: with what is laid over it."""
    result = copy.deepcopy(dict(rendered))
    for field in laid:
        if (field.kind, field.name) != (rendered["kind"], rendered["metadata"]["name"]):
            continue
        parent: Any = result
        for step in field.path[:-1]:
            parent = parent[step] if isinstance(step, str) else item(parent, step)
        last, value = field.path[-1], copy.deepcopy(field.value)
        if isinstance(last, str):
            parent[last] = value
        else:
            parent[parent.index(item(parent, last))] = value
    return result


def changes(was: Any, now: Any, at: tuple[Key, ...] = ()) -> Iterator[tuple[str, Any, Any]]:
    """The fields in which two values differ: the path in words, and both; None where one has nothing."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in sorted(was.keys() | now.keys()):
            yield from changes(was.get(key), now.get(key), (*at, key))
    elif isinstance(was, list) and isinstance(now, list) and (key := _key(was, now)):
        for name in dict.fromkeys(entry[key] for entry in (*was, *now)):
            yield from changes(item(was, {key: name}), item(now, {key: name}), (*at, {key: name}))
    elif was != now:
        yield where(at), was, now


def _key(*lists: Sequence[Any]) -> str | None:
    """What tells the items of both lists apart."""
    for key in ("name", "containerPort", "mountPath"):
        if all(isinstance(entry, Mapping) and key in entry for items in lists for entry in items):
            names = [[entry[key] for entry in items] for items in lists]
            if all(len(set(some)) == len(some) for some in names):
                return key
    return None
