"""Reads a policy's YAML; every error names file, line and key."""

from __future__ import annotations

import re
from collections.abc import Hashable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from glidepath.errors import PolicyError
from glidepath.policy.fields import NAME
from glidepath.policy.model import Policy, dag_id

CHECKOUT = Path(__file__).resolve().parents[3]
Place = tuple[Hashable, ...]
TAG = 2


class _Loader(yaml.SafeLoader):
    """Safe YAML that refuses a key written twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key.value!r} is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_policy(path: Path) -> Policy:
    """The policy in a file.

    Raises:
        PolicyError: It can't be read or is not valid; one line an error, with file, line, what was given and expected.
    """
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise PolicyError(f"{path}: the policy can't be read: {error.strerror}; expected a YAML file") from error


@cache
def _parsed(path: Path, _changed: int) -> Policy:
    return parse_policy(path.read_text(), str(path), CHECKOUT)


def parse_policy(text: str, name: str, root: Path) -> Policy:
    """The policy in a text; `name` stands for it in errors, relative paths are taken from `root`."""
    try:
        node = yaml.compose(text, _Loader)
        values = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise PolicyError(f"{where}: not valid YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(values, dict):
        raise PolicyError(
            f"{name}:1: given {type(values).__name__}, expected a mapping with service, namespace, helm, steps"
        )
    try:
        return Policy.model_validate(values, context={"written": True}).located(root)
    except ValidationError as error:
        raise PolicyError(told(error, name, _lines(node))) from error


def dag_id_of(path: Path) -> str:
    """What the release DAG of a policy is called, even when the policy is invalid: runs under way go on under that name."""
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        values = None
    name = (values.get("name") or values.get("service")) if isinstance(values, dict) else None
    if isinstance(name, str) and re.match(NAME, name):
        return dag_id(name)
    return dag_id(re.sub(r"[^a-zA-Z0-9_.-]", "_", path.stem))


def told(error: ValidationError, name: str = "", lines: dict[Place, int] | None = None) -> str:
    """pydantic's errors, one a line: where, which key, what was given, what was expected."""
    rows = []
    for problem in error.errors(include_url=False):
        # A discriminated union, that of metrics, puts its tag into the place: metrics, their number, the tag.
        place = tuple(part for at, part in enumerate(problem["loc"]) if at != TAG or problem["loc"][0] != "metrics")
        where = f"{name}:{_line(place, lines)}: " if lines is not None else ""
        key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).lstrip(".")
        prefix = (
            ""
            if problem["type"] in ("missing", "value_error") and isinstance(problem["input"], dict)
            else f"given {problem['input']!r}: "
        )
        message = (
            "unknown key" if problem["type"] == "extra_forbidden" else problem["msg"].removeprefix("Value error, ")
        )
        rows.append(f"{where}{key + ': ' if key else ''}{prefix}{message}")
    return "\n".join(rows)


def _lines(node: yaml.Node | None, place: Place = ()) -> dict[Place, int]:
    lines: dict[Place, int] = {}
    if node is None:
        return lines
    lines[place] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            lines |= _lines(value, (*place, key.value))
            lines[(*place, key.value)] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            lines |= _lines(value, (*place, number))
    return lines


def _line(place: Place, lines: dict[Place, int] | None) -> int:
    """The line of a place, or of what is around it when the place itself is not written."""
    while place and place not in (lines or {}):
        place = place[:-1]
    return (lines or {}).get(place, 1)


def policy_json_schema() -> dict[str, Any]:
    """The policy's JSON Schema, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Policy.model_json_schema()}
