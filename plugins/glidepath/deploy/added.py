"""What objects get beside what their chart renders, by post-rendering. Pure.

A field is what `postrender/overlay/lay.py` takes: kind, name, path, value, and `new` where the manifest may have none.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from glidepath.deploy.manifests import Object
from glidepath.deploy.mesh import HELD_KINDS
from glidepath.deploy.overlay import Laid
from glidepath.kube import TOKEN, WORKLOAD_KINDS, WRITE

Field = Mapping[str, Any]


def field_of(laid: Laid) -> Field:
    """What is laid over, for the post-renderer."""
    return {"kind": laid.kind, "name": laid.name, "path": laid.path, "value": laid.value}


def numbered(rendered: Sequence[Object], number: int | None) -> list[Field]:
    """The number of an upgrade on everything that a release holds."""
    held = [manifest for manifest in rendered if manifest["kind"] in HELD_KINDS] if number is not None else []
    at = {"path": ["metadata", "annotations", WRITE], "value": str(number), "new": True}
    return [{"kind": manifest["kind"], "name": manifest["metadata"]["name"], **at} for manifest in held]


def labelled(name: str, service: str, version: str) -> list[Field]:
    """The labels that Service, routes and fence go by, which make what any chart runs one of a version.

    Args:
        name: The Deployment's, or the StatefulSet's.
        service: Its label `app`, and that of its pods.
        version: Their label `version`.
    """
    labels = {"app": service, "version": version}
    places = (["metadata", "labels"], ["spec", "template", "metadata", "labels"])
    return [field for place in places for key, text in labels.items() for field in _either(name, [*place, key], text)]


def marked(name: str, token: str) -> list[Field]:
    """The annotation of what runs a version, with the token of the release under way."""
    return _either(name, ["metadata", "annotations", TOKEN], token)


def _either(name: str, path: Sequence[str], value: str) -> list[Field]:
    """A field of whatever runs a version by this name; of a kind that the chart does not make it says nothing."""
    return [{"kind": kind, "name": name, "path": path, "value": value, "new": True} for kind in WORKLOAD_KINDS]


def with_fields(rendered: Sequence[Object], added: Sequence[Field]) -> Sequence[Object]:
    """The objects as the post-renderer makes them."""
    if not added:
        return rendered
    made = copy.deepcopy(list(rendered))
    for manifest in made:
        for field in added:
            if (field["kind"], field["name"]) == (manifest["kind"], manifest["metadata"]["name"]):
                _set(manifest, field["path"], field["value"])
    return made


def _set(tree: Object, path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        if not isinstance(tree.get(key), dict):
            tree[key] = {}
        tree = tree[key]
    tree[path[-1]] = value
