"""Numbers and limits, as people read them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from glidepath.text.numbers import bare, limit, limits, number
from tests.unit.text.test_lines import ERRORS


def test_what_is_not_known_is_dots() -> None:
    assert (number(None, "points"), bare(None, "ratio")) == ("...", "...")


def test_a_number_has_its_unit_unless_a_neighbour_says_it() -> None:
    assert (number(0.002, "points"), bare(0.002, "points")) == ("+0.20 points", "+0.20")
    assert (number(1.1, "ratio"), bare(1.1, "ratio")) == ("x1.100", "x1.100")


@pytest.mark.parametrize(
    ("sides", "sign", "where"), [("above", "+", "below"), ("below", "-", "above"), ("both", "±", "within")]
)
def test_a_limit_says_on_which_side_harm_lies(sides: str, sign: str, where: str) -> None:
    assert limit(0.08, "points", sides) == f"{sign}8.00 points"
    assert limits(replace(ERRORS, limit=0.08, safe_limit=0.05, sides=sides)) == (
        f"harm beyond {sign}8.00 points", f"comparable {where} {sign}5.00 points",
    )  # fmt: skip
