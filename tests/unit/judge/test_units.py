"""Units: how two versions are compared by one, and how its numbers are told."""

from __future__ import annotations

import pytest

from glidepath.judge.metrics import KINDS
from glidepath.judge.units import UNITS, unit_of


@pytest.mark.parametrize(
    ("name", "value", "told", "brief"),
    [
        ("points", 0.0123456, "+1.23", "+1.23"),
        ("points", -0.5, "-50.00", "-50"),
        ("ratio", 1.34567, "x1.346", "x1.35"),
        ("mean", 0.5, "x0.500", "x0.5"),
        ("bits", 12345.6, "1.235e+04", "1.23e+04"),
    ],
)
def test_numbers_are_told_by_their_unit(name: str, value: float, told: str, brief: str) -> None:
    assert (unit_of(name).told(value), unit_of(name).brief(value)) == (told, brief)


def test_every_kind_has_a_unit_that_looks_can_name() -> None:
    for kind in KINDS.values():
        assert UNITS[kind.unit.name] is kind.unit
        assert kind.unit.limited is kind.judged


def test_a_unit_of_a_newer_record_is_told_with_its_name() -> None:
    assert (unit_of("bits").after, unit_of("bits").limited) == (" bits", True)
