"""Whole numbers of a chart's values, and how Helm is given them."""

from __future__ import annotations

from typing import Any

import pytest

from glidepath.deploy.numbers import exact, large, rounded, settings

VALUES: dict[str, Any] = {
    "env": {
        "A": 1_500_000,
        "B": 999_999,
        "ON": True,
        "TEXT": "1e3",
        "RATIO": 0.5,
        "BIG": 1 << 70,
        "MINUS": -3_000_000_000,
    },
    "odd.key": [{"x,y": 2_000_000}, 5],
    "none": None,
}


def test_only_numbers_that_a_float_writes_in_another_way_are_large() -> None:
    found = [(("env", "A"), 1_500_000), (("env", "MINUS"), -3_000_000_000), (("odd.key", 0, "x,y"), 2_000_000)]
    assert list(large(VALUES)) == found


def test_settings_speak_the_language_of_set() -> None:
    every = frozenset(path for path, _ in large(VALUES))
    assert settings(VALUES, every) == [
        "--set", "env.A=1500000", "--set", "env.MINUS=-3000000000", "--set", r"odd\.key[0].x\,y=2000000",
    ]  # fmt: skip
    assert settings(VALUES, frozenset()) == []
    assert settings({"env": {"A": 7}}, every) == []


@pytest.mark.parametrize(
    ("manifest", "number"),
    [
        ('value: "12345678901234567"', 12345678901234567),
        ("id: 12345678901234568", 12345678901234568),
        ("a: 12345678901234567\nb: 12345678901234569", 12345678901234568),
        ("name: x-12345678901234567", 12345678901234568),
        ("", 12345678901234568),
    ],
    ids=["rounded", "as it is", "two that round to it", "part of a name", "not rendered"],
)
def test_a_rounded_number_is_what_the_manifest_has(manifest: str, number: int) -> None:
    values = {"env": {"ID": 12345678901234568}}
    assert rounded(values)
    assert exact(values, manifest) == {"env": {"ID": number}}
    assert values == {"env": {"ID": 12345678901234568}}
    assert not rounded({"env": {"ID": 1 << 53}})
