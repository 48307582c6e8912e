"""Values of labels in a policy: exact ones, or patterns as PromQL has them, marked by its own sign `=~`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

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


def checked(labels: Mapping[str, str | Sequence[str]]) -> None:
    """Make sure that values are what they seem to be.

    Raises:
        ValueError: One is no valid pattern, or an exact value that looks like one and would match nothing.
    """
    for label, values in labels.items():
        for value in [values] if isinstance(values, str) else values:
            _check(label, value)


def _check(label: str, value: str) -> None:
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
