"""Reads a policy's YAML; every error names file, line and key."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
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
# Beside policies: what holds in all of them.
DEFAULTS = "defaults.yaml"
HOLDS = "service, namespace, helm, steps"


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
    """The policy in a file, over what `defaults.yaml` beside it says for all.

    Raises:
        PolicyError: It can't be read or is not valid; one line an error, with file, line, what was given and expected.
    """
    beside = path.parent / DEFAULTS
    try:
        changed = beside.stat().st_mtime_ns if path.name != DEFAULTS and beside.exists() else None
        return _parsed(path, path.stat().st_mtime_ns, beside if changed is not None else None, changed)
    except OSError as error:
        raise PolicyError(f"{path}: the policy can't be read: {error.strerror}; expected a YAML file") from error


@cache
def _parsed(path: Path, _changed: int, beside: Path | None, _beside_changed: int | None) -> Policy:
    defaults = read(beside.read_text(), str(beside), HOLDS) if beside is not None else None
    return parse_policy(path.read_text(), str(path), CHECKOUT, defaults)


def parse_policy(text: str, name: str, root: Path, defaults: Written | None = None) -> Policy:
    """The policy in a text; `name` stands for it in errors, relative paths are taken from `root`.

    Args:
        text, name, root: As said.
        defaults: What holds where the text says nothing: keys of a mapping one by one, a list or any other value as a whole.
    """
    written = read(text, name, HOLDS).over(defaults)
    try:
        return Policy.model_validate(written.values, context={"written": True}).located(root)
    except ValidationError as error:
        raise PolicyError(told(error, written)) from error


@dataclass(frozen=True)
class Written:
    """What a YAML file says, and where.

    Attributes:
        name: The file's.
        values: Its content.
        lines: Where each place of it stands, as `file:line`.
    """

    name: str
    values: dict[str, Any]
    lines: Mapping[Place, str]

    def over(self, below: Written | None) -> Written:
        """This one laid over another."""
        return (
            self
            if below is None
            else Written(self.name, _laid(self.values, below.values), {**below.lines, **self.lines})
        )

    def where(self, place: Place) -> str:
        """Where a place stands, or what is around it when the place itself is not written."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, f"{self.name}:1")


def read(text: str, name: str, holds: str) -> Written:
    """What a YAML text says.

    Args:
        text: The YAML.
        name: Stands for it in errors.
        holds: What it is a mapping with.

    Raises:
        PolicyError: It is no YAML, or no mapping.
    """
    try:
        node = yaml.compose(text, _Loader)
        values = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise PolicyError(f"{where}: not valid YAML: {getattr(error, 'problem', None) or error}") from error
    if not isinstance(values, dict):
        raise PolicyError(f"{name}:1: given {type(values).__name__}, expected a mapping with {holds}")
    return Written(name, values, {place: f"{name}:{line}" for place, line in _lines(node).items()})


def _laid(over: Mapping[str, Any], below: Mapping[str, Any]) -> dict[str, Any]:
    both = {
        key: _laid(over[key], below[key])
        for key in over
        if isinstance(over[key], dict) and isinstance(below.get(key), dict)
    }
    return {**below, **over, **both}


def policy_files(folder: Path) -> list[Path]:
    """The policies of a folder."""
    return sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and path.name != DEFAULTS)


def dag_id_of(path: Path) -> str:
    """What the release DAG of a policy is called, even when the policy is invalid: runs under way go on under that name."""
    return dag_id(name_in(path, "name", "service") or re.sub(r"[^a-zA-Z0-9_.-]", "_", path.stem))


def name_in(path: Path, *keys: str) -> str | None:
    """The name that a YAML file has under the first of some keys, whatever else is wrong with it; None for none."""
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    name = next((values[key] for key in keys if values.get(key)), None) if isinstance(values, dict) else None
    return name if isinstance(name, str) and re.match(NAME, name) else None


def told(error: ValidationError, written: Written | None = None) -> str:
    """pydantic's errors, one a line: where, which key, what was given, what was expected."""
    rows = []
    for problem in error.errors(include_url=False):
        # A discriminated union, that of metrics, puts its tag into the place: metrics, their number, the tag.
        place = tuple(part for at, part in enumerate(problem["loc"]) if at != TAG or problem["loc"][0] != "metrics")
        where = f"{written.where(place)}: " if written is not None else ""
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


def policy_json_schema() -> dict[str, Any]:
    """The policy's JSON Schema, for editors."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Policy.model_json_schema()}
