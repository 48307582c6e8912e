"""Which selectors are merged, and how: only where both kinds of regular expressions are known to match the same."""

from __future__ import annotations

import re

import pytest

from glidepath.evidence import app_source, mesh_source
from glidepath.evidence.selectors import alike, differing, matched, merged, parsed, starts

VERSIONS = ["v1", "v2.0"]


def test_selectors_of_one_source_and_two_services_are_one() -> None:
    first, second = (app_source(f"ns-{name}", name, VERSIONS) for name in ("shop", "cart"))
    one, other = parsed(first.requests), parsed(second.requests)
    assert one is not None
    assert other is not None
    assert one.shape == other.shape
    both = parsed(merged([one, other]))
    assert both is not None
    assert [(label, how) for label, how, _ in both.matchers] == [("namespace", "=~"), ("pod", "=~"), ("version", "=~")]
    assert [value for label, _, value in both.matchers if label == "namespace"] == [r"ns\-shop|ns\-cart"]
    # The versions are the same: nothing is told by them.
    assert differing([one, other]) == (0, 1)


def test_a_selector_alone_is_written_as_it_was() -> None:
    for source in (app_source("n", 'a"\\b\n|c', VERSIONS), mesh_source("n", "s", VERSIONS)):
        for text in (source.requests, source.latency, source.without((("path", "/health.*"),)).requests):
            found = parsed(text)
            assert found is not None
            assert merged([found]) == text


def test_what_is_left_out_has_to_be_the_same() -> None:
    texts = [source.without((("path", path),)).requests for source, path in
             ((mesh_source("n", "a", VERSIONS), "/x"), (mesh_source("n", "b", VERSIONS), "/y"))]  # fmt: skip
    one, other = map(parsed, texts)
    assert one is not None
    assert other is not None
    assert one.shape != other.shape


@pytest.mark.parametrize(
    "pattern",
    ["", "v1", "v1|v2", "a|", r"shop\-v1\-[a-z0-9]+(?:-[a-z0-9]+)?", "5..|0", "[1-4]..", "outbound[|][0-9]+[|]v1", "a{2,3}", "/(a|b)(/.*)?"],
)  # fmt: skip
def test_patterns_that_both_read_alike(pattern: str) -> None:
    found = alike(pattern) if "[|]" not in pattern else re.compile("")
    assert found is not None


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d+", r"\w", r"\b", r"\pL", "[[:alpha:]]", "(?i)a", "(?P<a>b)", "a++", "a*?", "a{2}{3}", "(a+)+", "(a|b)*", "(a*){2}", "^a$",
        "[a-]b-]", "(", "*", "[z-a]", "a*b*c*d*e", r"\é", "[a--b]", "[a&&b]", "a{,3}",
    ],
)  # fmt: skip
def test_patterns_that_may_differ_or_take_long_are_not_merged(pattern: str) -> None:
    assert alike(pattern) is None


@pytest.mark.parametrize(
    "text", ["m", "m{a=b}", 'm{a="\\x41"}', 'm{"a.b"="c"}', 'm{a="b"} offset 5m', 'm{a="b"} or n{a="b"}']
)
def test_what_is_of_another_form_is_left_alone(text: str) -> None:
    assert parsed(text) is None


def test_a_label_that_is_not_there_is_empty() -> None:
    one, other = parsed('m{a=""}'), parsed('m{a="x"}')
    assert one is not None
    assert other is not None
    assert merged([one, other]) == 'm{a=~"|x"}'
    assert matched(one, (0,), [""])
    assert not matched(other, (0,), [""])


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"shop\-v1\-[a-z0-9]+(?:-[a-z0-9]+)?|cart\-[a-z]*", ("shop-v1-", "cart-")),
        ("v1|v2", ("v1", "v2")),
        ("ab*|ab?|ab{0,2}|ab+", ("a", "ab")),
        (r"a\.*", ("a",)),
        ("(a|b)c", ("",)),
        (r"a\|b", ("",)),
        ("[ab]c", ("",)),
        ("", ("",)),
    ],
)
def test_what_a_pattern_matches_begins_as_it_does(pattern: str, expected: tuple[str, ...]) -> None:
    assert starts(("pod", "=~", pattern)) == expected
    assert starts(("pod", "=", pattern)) == (pattern,)
