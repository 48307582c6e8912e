"""Values of labels in a policy: exact ones, or patterns as PromQL has them, marked by its own sign `=~`."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo

PATTERN, EXACT = "=~", "="
# What nobody writes but in a pattern; a single dot or a brace is in many values.
MEANT_AS_PATTERN = re.compile(r"\.[.*+?]|\||^\^|\$$|\\[dwsDWS.]|\[[^\]]+\]|\(.*\)")
# Python knows these in patterns, Prometheus does not.
FOREIGN = re.compile(r"\(\?(=|!|<=|<!|P=|\()|\\[1-9]")


def pattern_of(value: str) -> str:
    """The pattern, to be matched in full, that a value of a label stands for."""
    if value.startswith(PATTERN):
        return f"(?:{value.removeprefix(PATTERN)})"
    return re.escape(value.removeprefix(EXACT))


def _checked(labels: dict[str, str | list[str]], info: ValidationInfo) -> dict[str, str | list[str]]:
    """Refuse invalid patterns, and exact values that look like patterns, in a policy's file (`written` in the context).

    A release under way goes on by what was frozen for it, as it was read then.

    Raises:
        ValueError: One is no valid pattern, or an exact value that looks like one and would match nothing.
    """
    for label, values in labels.items() if (info.context or {}).get("written") else ():
        if not values:
            raise ValueError(
                f"{label}: given {values!r}, expected a value or values: '=' is that of requests without the label"
            )
        for value in [values] if isinstance(values, str) else values:
            check(label, value)
    return labels


def check(label: str, value: str) -> None:
    """Make sure that a value is what it seems to be, as written in a policy.

    Raises:
        ValueError: It is no valid pattern, or an exact value that looks like one and would match nothing.
    """
    if value.startswith(PATTERN):
        pattern = value.removeprefix(PATTERN)
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(
                f"{label}: {value!r} is no regular expression: {error}; expected one such as '=~5..'"
            ) from error
        if FOREIGN.search(pattern):
            raise ValueError(
                f"{label}: {value!r} has a look-around or a back-reference, which Prometheus' expressions don't know"
            )
    elif not value.startswith(EXACT) and MEANT_AS_PATTERN.search(value):
        raise ValueError(
            f"{label}: {value!r} is taken as it stands, and looks like a pattern: write {PATTERN + value!r} for a regular "
            f"expression that matches in full, as in PromQL, or {EXACT + value!r} for exactly this value"
        )


Identifier = Annotated[str, Field(pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=200)]
Labels = Annotated[dict[Identifier, str | list[str]], AfterValidator(_checked)]
