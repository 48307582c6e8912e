"""Whole numbers among a chart's values, and how Helm is to be given them. Pure.

Helm reads a file's numbers as floats: `{{ .Values.bytes | quote }}` makes "1.5e+06" of 1500000. With `--set` they are
integers, "1500000". What Helm keeps of a release does not say in which way its values were given.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

# Go writes floats from here on with an exponent.
LARGE = 1_000_000
# Beyond these a float is not exact; what --set reads as an integer ends at the second.
INEXACT, INTEGERS = 1 << 53, 1 << 63

Path = tuple[str | int, ...]


def large(values: Any, at: Path = ()) -> Iterator[tuple[Path, int]]:
    """The whole numbers that are not the same as a float and as an integer, and where they are."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from large(value, (*at, str(key)))
    elif isinstance(values, list):
        for index, value in enumerate(values):
            yield from large(value, (*at, index))
    elif isinstance(values, int) and not isinstance(values, bool) and LARGE <= abs(values) < INTEGERS:
        yield at, values


def rounded(values: Mapping[str, Any]) -> bool:
    """Whether a number may be rounded: Helm reads what it has kept as floats, and writes it back so."""
    return any(abs(number) > INEXACT for _, number in large(values))


def exact(values: Mapping[str, Any], manifest: str) -> dict[str, Any]:
    """The values with rounded numbers as the manifest has them that was made of them.

    One that it does not have, or has in two ways, stays as it is.
    """
    written = {int(digits) for digits in re.findall(r"(?<![\w.+-])-?[0-9]{16,19}(?![\w.])", manifest)}
    new = copy.deepcopy(dict(values))
    for path, number in large(values):
        same = [digits for digits in written if float(digits) == float(number)]
        if abs(number) > INEXACT and len(same) == 1:
            at: Any = new
            for step in path[:-1]:
                at = at[step]
            at[path[-1]] = same[0]
    return new


def settings(values: Mapping[str, Any], paths: frozenset[Path]) -> list[str]:
    """Arguments that give these values as integers, for those paths where there is a large number."""
    return [word for path, value in large(values) if path in paths for word in ("--set", f"{_words(path)}={value}")]


def _words(path: Path) -> str:
    """A path in the language of --set."""
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        else:
            safe = "".join(f"\\{letter}" if letter in "\\.,=[]{}" else letter for letter in step)
            words += f".{safe}" if words else safe
    return words
