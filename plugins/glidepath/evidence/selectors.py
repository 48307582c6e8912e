"""Selectors that differ only in what some labels have to be, as one selector that selects what any of them does.

It may select more than that: each selector's own series are told from the others' afterwards, by the same matchers. So a
selector is merged only where Python's regular expressions are known to match what Prometheus' (RE2) do.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from glidepath.evidence.series import KNOWN
from glidepath.evidence.source import quoted

SELECTOR = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\}", re.DOTALL)
MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)("(?:[^"\\\n]|\\.)*")(?:,|$)', re.DOTALL)
# What both kinds of regular expressions read alike: letters, escaped signs, simple classes, each repeated at most once, and
# groups that are there once or not at all: Python takes a time for anything more that RE2 does not.
_SELF = r"[^\\.+*?()\[\]{}^$|]|\\[!-/:-@\[-`{-~ ]"
_ATOM = rf"{_SELF}|[.]|" r"""\[\^?(?:[A-Za-z0-9]-[A-Za-z0-9]|[A-Za-z0-9_.:/ ])+-?\]"""
ALIKE = re.compile(rf"(?:(?:{_ATOM})(?:[*+?]|\{{[0-9]{{1,3}}(?:,[0-9]{{0,3}})?\}})?|\((?:\?:)?|\)\??(?![*+?{{])|[|])*")
# What a pattern begins with that stands for itself, letter by letter; and an alternative inside a part of it.
LITERAL = re.compile(f"(?:{_SELF})*")
LETTERS = re.compile(_SELF, re.DOTALL)
BRANCHES = re.compile(r"[(\[][^)\]]*[|]")
REPEATS, MOST_REPEATS = re.compile(r"(?<!\\)[*+{]"), 3

# What selectors that can be merged have in common: the name, and each matcher, or only its label where it may differ.
Shape = tuple[str, tuple[tuple[str, ...], ...]]


@dataclass(frozen=True)
class Selector:
    """A selector of one metric's series.

    Attributes:
        name: The metric's.
        matchers: Label, operator and value of each.
    """

    name: str
    matchers: tuple[tuple[str, str, str], ...]

    @property
    def shape(self) -> Shape:
        """What it has in common with those that it can be merged with."""
        return self.name, tuple(
            (label,) if may_differ(operator, value) else (label, operator, value)
            for label, operator, value in self.matchers
        )


def may_differ(operator: str, value: str) -> bool:
    """Whether what a matcher matches can be told here as Prometheus tells it."""
    return operator == "=" or (operator == "=~" and alike(value) is not None)


@lru_cache(KNOWN)
def alike(pattern: str) -> re.Pattern[str] | None:
    """A pattern of Prometheus' as one of Python's, to be matched in full; None where they may not match the same."""
    parts = pattern.split("|")
    if not ALIKE.fullmatch(pattern) or any(len(REPEATS.findall(part)) > MOST_REPEATS for part in parts):
        return None
    try:
        return re.compile(pattern, re.DOTALL)
    except re.error:
        return None


@lru_cache(KNOWN)
def parsed(text: str) -> Selector | None:
    """The parts of a selector; None where it is of another form than those that are merged."""
    whole = SELECTOR.fullmatch(text)
    if whole is None:
        return None
    matchers, place = [], 0
    while place < len(whole[2]):
        found = MATCHER.match(whole[2], place)
        if found is None:
            return None
        try:
            matchers.append((found[1], found[2], str(json.loads(found[3]))))
        except ValueError:  # an escape of PromQL's that JSON does not have
            return None
        place = found.end()
    return Selector(whole[1], tuple(matchers))


def merged(selectors: Iterable[Selector]) -> str:
    """The text of a selector that selects what any of some selects; they are of one shape."""
    several = list(dict.fromkeys(selectors))
    name, matchers = several[0].name, []
    for same in zip(*(selector.matchers for selector in several), strict=True):
        different = dict.fromkeys(same)
        label, operator, value = same[0]
        if len(different) > 1:
            patterns = (value if operator == "=~" else re.escape(value) for _, operator, value in different)
            operator, value = "=~", "|".join(dict.fromkeys(patterns))
        matchers.append(f"{label}{operator}{quoted(value)}")
    return f"{name}{{{','.join(matchers)}}}"


def differing(selectors: Iterable[Selector]) -> tuple[int, ...]:
    """The places of the matchers in which some selectors of one shape are not all alike."""
    places = enumerate(zip(*(selector.matchers for selector in selectors), strict=True))
    return tuple(place for place, same in places if len(set(same)) > 1)


def matched(selector: Selector, places: Iterable[int], values: Iterable[str]) -> bool:
    """Whether a selector's matchers at some places, of those that may differ, match these values of their labels."""
    for place, given in zip(places, values, strict=True):
        _, operator, value = selector.matchers[place]
        if operator == "=":
            if given != value:
                return False
            continue
        pattern = alike(value)
        if pattern is None or pattern.fullmatch(given) is None:
            return False
    return True


def starts(matcher: tuple[str, str, str]) -> tuple[str, ...]:
    """Texts of which any value begins with one that a matcher matches, of those that may differ."""
    _, operator, value = matcher
    return (value,) if operator == "=" else _beginnings(value)


@lru_cache(KNOWN)
def _beginnings(pattern: str) -> tuple[str, ...]:
    if "\\|" in pattern or BRANCHES.search(pattern):
        return ("",)
    found = []
    for one in pattern.split("|"):
        literal = LITERAL.match(one)
        text = literal[0] if literal else ""
        letters = [letter[-1] for letter in LETTERS.findall(text)]
        # One that may be there any number of times, or not at all, is no beginning.
        found.append("".join(letters[:-1] if one[len(text) : len(text) + 1] in ("*", "?", "{") else letters))
    return tuple(dict.fromkeys(found))
