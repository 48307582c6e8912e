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
from glidepath.kube import TOKEN, WRITE

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
    """The labels that Service, routes and fence go by, which make a Deployment of any chart one of a version.

    Args:
        name: The Deployment's.
        service: The label `app` of the Deployment and of its pods.
        version: Their label `version`.
    """
    of = {"kind": "Deployment", "name": name, "new": True}
    labels = {"app": service, "version": version}
    places = (["metadata", "labels"], ["spec", "template", "metadata", "labels"])
    return [of | {"path": [*place, key], "value": text} for place in places for key, text in labels.items()]


def marked(name: str, token: str) -> list[Field]:
    """A Deployment's annotation with the token of the release under way."""
    return [
        {"kind": "Deployment", "name": name, "path": ["metadata", "annotations", TOKEN], "value": token, "new": True}
    ]


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
