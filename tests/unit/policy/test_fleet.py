"""Fleets: which policies are in which wave, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from glidepath.errors import PolicyError
from glidepath.policy.fleet import Fleet, load_fleet

NAMES = ("cart", "catalog", "search-eu", "search-us")


def fleet(*waves: list[str]) -> Fleet:
    return Fleet(name="shop", waves=list(waves))


def test_names_and_patterns_are_policies_in_their_order() -> None:
    assert fleet(["catalog"], ["search-*", "cart"]).chosen(NAMES) == [["catalog"], ["cart", "search-eu", "search-us"]]
    assert fleet(["*"]).chosen(NAMES) == [sorted(NAMES)]
    assert fleet(["cart", "c*"]).chosen(NAMES) == [["cart", "catalog"]]


@pytest.mark.parametrize(
    ("waves", "told"),
    [
        ([["carts"]], "wave 1: no policy is called 'carts'; expected one of: cart, catalog, search-eu, search-us"),
        ([["cart"], ["c*"]], "cart is in wave 1 and in wave 2; expected each policy in one"),
    ],
)
def test_what_names_nothing_or_somebody_twice_is_refused(waves: list[list[str]], told: str) -> None:
    with pytest.raises(PolicyError, match=told):
        fleet(*waves).chosen(NAMES)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: shop\nwaves: []\n", ":2: waves: given []"),
        ("name: shop\nwaves: [[]]\n", ":2: waves[0]: given []"),
        ("name: shop\nwaves: [[cart]]\nconcurent: 2\n", ":3: concurent: given 2: unknown key"),
        ("name: Shop!\nwaves: [[cart]]\n", ":1: name: given 'Shop!'"),
        ("name: shop\nwaves: [['a b']]\n", ":2: waves[0][0]: given 'a b'"),
        ("- shop\n", ":1: given list, expected a mapping with name, waves"),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(text)
    with pytest.raises(PolicyError) as error:
        load_fleet(file)
    assert f"{file}{told}" in str(error.value)


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="the fleet can't be read: No such file"):
        load_fleet(tmp_path / "gone.yaml")
