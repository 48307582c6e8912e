"""A Prometheus in memory that scrapes expositions, by prometheus_client's parser, and knows selectors as Prometheus does."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from glidepath.evidence.series import Series

SELECTOR = re.compile(r"^([a-zA-Z_:][a-zA-Z0-9_:]*)\{(.*)\}$", re.DOTALL)
MATCHER = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)(=~|!~|!=|=)("(?:[^"\\]|\\.)*")(?:,|$)', re.DOTALL)
HOLDS: dict[str, Callable[[str, str], bool]] = {
    "=": lambda value, text: value == text,
    "!=": lambda value, text: value != text,
    "=~": lambda value, text: re.fullmatch(text, value) is not None,
    "!~": lambda value, text: re.fullmatch(text, value) is None,
}


def matchers(selector: str) -> tuple[str, list[tuple[str, str, str]]]:
    """The name and the matchers of a series selector, all of which must be well formed."""
    found = SELECTOR.match(selector)
    assert found, selector
    name, rest = found.groups()
    parts = [(label, sign, json.loads(text)) for label, sign, text in MATCHER.findall(rest)]
    assert MATCHER.sub("", rest) == "", selector
    return name, parts


@dataclass
class Exposed:
    """Raw samples by series; a series has its name as `__name__`."""

    series: dict[tuple[tuple[str, str], ...], list[tuple[float, float]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    at: float = 0.0

    def scrape(self, at: float, text: str, **target: str) -> None:
        """Take in what a target exposes; its labels go before those it exposes itself, as without `honor_labels`."""
        self.at = max(self.at, at)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                own = {(f"exported_{name}" if name in target else name): value for name, value in sample.labels.items()}
                key = tuple(sorted({"__name__": sample.name, **own, **target}.items()))
                self.series.setdefault(key, []).append((at, sample.value))

    def range_vector(self, selector: str, window_s: float, at: float, step_s: float | None = None) -> list[Series]:
        self.asked.append(selector)
        assert step_s is None or step_s > 0
        return list(self._found(selector, window_s, at))

    def now(self) -> float:
        return self.at

    def _found(self, selector: str, window_s: float, at: float) -> Iterator[Series]:
        name, wanted = matchers(selector)
        for key, samples in self.series.items():
            labels = dict(key)
            if labels["__name__"] != name:
                continue
            if not all(HOLDS[sign](labels.get(label, ""), text) for label, sign, text in wanted):
                continue
            inside = tuple(sample for sample in samples if at - window_s < sample[0] <= at)
            if inside:
                yield Series(labels, inside)
