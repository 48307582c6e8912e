"""Selectors of labels and fields, evaluated as the API does; a form that is not known here is left to the API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Matches = Callable[[Mapping[str, Any]], bool]
NAME = "metadata.name"


def matching(labels: str, fields: str = "") -> Matches | None:
    """Whether an object is selected; None where only the API can say.

    Args:
        labels: A selector of labels by equality or presence: `a=b`, `a==b`, `a!=b`, `a`, `!a`, joined by commas.
        fields: A selector of fields; only by the object's name.
    """
    if "(" in labels:
        return None
    tests = [_labelled(one.strip()) for one in labels.split(",") if one.strip()]
    for one in fields.split(","):
        key, is_equal, value = one.replace("==", "=").partition("=")
        if not one:
            continue
        if key != NAME or not is_equal:
            return None
        tests.append(lambda found, value=value: found["metadata"]["name"] == value)  # type: ignore[misc]
    return lambda found: all(test(found) for test in tests)


def one_label(labels: str) -> tuple[str, str] | None:
    """A label and its value that a selector asks for: the last one; None where it asks for none."""
    for one in reversed(labels.split(",")):
        key, is_equal, value = one.replace("==", "=", 1).partition("=")
        if is_equal and "!" not in key and "(" not in one:
            return key.strip(), value.strip()
    return None


def _labelled(one: str) -> Matches:
    if "!=" in one:
        key, _, value = one.partition("!=")
        return lambda found: _labels(found).get(key.strip()) != value.strip()
    if "=" in one:
        key, _, value = one.replace("==", "=", 1).partition("=")
        return lambda found: _labels(found).get(key.strip()) == value.strip()
    if one.startswith("!"):
        return lambda found: one[1:].strip() not in _labels(found)
    return lambda found: one in _labels(found)


def _labels(found: Mapping[str, Any]) -> Mapping[str, str]:
    return found["metadata"].get("labels") or {}
