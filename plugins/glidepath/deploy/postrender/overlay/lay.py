"""Helm's post-renderer: lays values over the manifests that Helm gives it. Run by Helm, in a process of its own.

    lay.py FILE < manifests > manifests

FILE is JSON: a list of {kind, name, path, value}, where path is a list of keys and, for an item of a list, of mappings with
its merge keys; with `new` the field is made where the manifest has none. A document that none of them is of is passed on byte for byte; of the others each scalar that is not laid
over keeps its text, so that nothing is read in another way than Helm would have read it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

DEFAULTS = {"protocol": "TCP"}
TAG = "tag:yaml.org,2002:"


def documents(text: str) -> Iterator[str]:
    """The documents of a stream, without the lines that part them."""
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        if line.rstrip() == "---":
            yield "".join(lines)
            lines = []
        else:
            lines.append(line)
    yield "".join(lines)


def child(node: yaml.Node, key: str) -> yaml.Node | None:
    """The value of a mapping's key."""
    values = [value for name, value in node.value if name.value == key] if isinstance(node, yaml.MappingNode) else []
    return values[-1] if values else None


def text_at(node: yaml.Node, *path: str) -> str:
    """A scalar's text; empty where there is none."""
    for key in path:
        value = child(node, key)
        if value is None:
            return ""
        node = value
    return str(node.value)


def node_of(value: Any) -> yaml.Node:
    """A value of JSON as a node."""
    if isinstance(value, Mapping):
        pairs = [(node_of(str(key)), node_of(item)) for key, item in value.items()]
        return yaml.MappingNode(f"{TAG}map", pairs, flow_style=not pairs)
    if isinstance(value, list):
        return yaml.SequenceNode(f"{TAG}seq", [node_of(item) for item in value], flow_style=not value)
    if isinstance(value, str):
        return yaml.ScalarNode(f"{TAG}str", value, style='"')
    kinds = {bool: "bool", int: "int", float: "float", type(None): "null"}
    return yaml.ScalarNode(TAG + kinds[type(value)], json.dumps(value))


def place(node: yaml.Node, step: str | Mapping[str, Any]) -> int:
    """Where in a mapping or a list a step leads.

    Raises:
        KeyError: Nowhere.
    """
    if isinstance(step, str):
        for index, (name, _) in enumerate(node.value):
            if name.value == step:
                return index
        raise KeyError(step)
    for index, item in enumerate(node.value):
        if all((text_at(item, key) or DEFAULTS.get(key)) == str(value) for key, value in step.items()):
            return index
    raise KeyError(str(step))


def make(document: yaml.Node, path: Sequence[str]) -> None:
    """See to it that the document has a field at each key of a path."""
    node = document
    for key in path:
        if child(node, key) is None:
            node.value = [pair for pair in node.value if pair[0].value != key]
            node.value.append((node_of(key), yaml.MappingNode(f"{TAG}map", [])))
        below = child(node, key)
        assert below is not None
        if not isinstance(below, yaml.MappingNode):  # an empty one is null
            below = yaml.MappingNode(f"{TAG}map", [])
            node.value[place(node, key)] = (node_of(key), below)
        node = below


def lay(document: yaml.Node, path: Sequence[str | Mapping[str, Any]], value: Any) -> None:
    """Put a value where the path leads.

    Raises:
        KeyError: The document has no such field.
    """
    node = document
    for step in path[:-1]:
        below = node.value[place(node, step)]
        node = below[1] if isinstance(below, tuple) else below
    index = place(node, path[-1])
    old = node.value[index]
    node.value[index] = (old[0], node_of(value)) if isinstance(old, tuple) else node_of(value)


def laid(document: str, overlay: Sequence[Mapping[str, Any]]) -> str:
    """A document with what is laid over it; as it was where that is nothing. A hook is no object of the release."""
    node = yaml.compose(document, Loader=yaml.SafeLoader) if document.strip() else None
    if node is None or text_at(node, "metadata", "annotations", "helm.sh/hook"):
        return document
    its = (text_at(node, "kind"), text_at(node, "metadata", "name"))
    wanted = [field for field in overlay if (field["kind"], field["name"]) == its]
    for field in wanted:
        if field.get("new"):
            make(node, field["path"])
        lay(node, field["path"], field["value"])
    if not wanted:
        return document
    return str(yaml.serialize(node, Dumper=yaml.SafeDumper, width=1 << 30, allow_unicode=True))


def main() -> None:
    """Read manifests, write manifests."""
    overlay = json.loads(Path(sys.argv[1]).read_text())
    manifests = sys.stdin.buffer.read().decode()
    sys.stdout.buffer.write("---\n".join(laid(document, overlay) for document in documents(manifests)).encode())


if __name__ == "__main__":
    main()
