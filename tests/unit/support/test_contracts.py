"""What a package may import: the contract's kind, and those of the checkout that are of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import grimp
import pytest

from tests.support.contracts import OnlyContract

ROOT = Path(__file__).parents[3]
LINTER = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
OURS = [one for one in LINTER["contracts"] if one["type"] == "only"]


def graph(*imports: tuple[str, str]) -> grimp.ImportGraph:
    """Modules that import each other so; those outside of `shop` are external."""
    made = grimp.ImportGraph()
    for module in {"shop", *(name for pair in imports for name in pair)}:
        made.add_module(module, is_squashed=not module.startswith("shop"))
    for importer, imported in imports:
        made.add_import(importer=importer, imported=imported)
    return made


def strangers(made: grimp.ImportGraph, **options: Any) -> list[tuple[str, str]]:
    """The imports that break a contract of these options."""
    check = OnlyContract(name="a contract", session_options={}, contract_options=options).check(made, verbose=False)
    assert check.kept == (not check.metadata["strangers"])
    return list(check.metadata["strangers"])


def test_pythons_own_library_and_what_is_inside_are_always_allowed() -> None:
    assert strangers(graph(("shop.till", "json"), ("shop.till", "shop.prices")), package="shop") == []


def test_what_is_not_allowed_is_named_with_who_imports_it() -> None:
    made = graph(("shop.till", "numpy"), ("shop.till.drawer", "requests"), ("shop.door", "pandas"))
    found = strangers(made, package="shop.till", allowed=["numpy"])
    assert found == [("shop.till.drawer", "requests")]


def test_what_the_allowed_import_is_checked_too() -> None:
    made = graph(("shop.till", "shop.prices"), ("shop.prices", "shop.rates"), ("shop.rates", "requests"))
    allowed = ["shop.prices", "shop.rates"]
    assert strangers(made, package="shop.till", allowed=allowed) == [("shop.rates", "requests")]
    assert strangers(made, package="shop.till", allowed=["shop.prices"]) == [("shop.prices", "shop.rates")]
    assert strangers(made, package="shop.till", as_far_as=["shop.prices"]) == []


def test_a_name_that_begins_alike_is_another() -> None:
    made = graph(("shop.till", "shop.prices_of_old"))
    assert strangers(made, package="shop.till", allowed=["shop.prices"]) == [("shop.till", "shop.prices_of_old")]


def test_a_package_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shop\.cellar is no module of the root packages"):
        strangers(graph(), package="shop.cellar")


@pytest.fixture
def checkout() -> grimp.ImportGraph:
    """All that `make contract` looks at."""
    return grimp.build_graph(*LINTER["root_packages"], include_external_packages=True, cache_dir=None)


@pytest.mark.parametrize("contract", OURS, ids=lambda one: one["name"])
def test_each_contract_of_the_checkout_notices_a_stranger(
    contract: dict[str, Any], checkout: grimp.ImportGraph
) -> None:
    options = {key: value for key, value in contract.items() if key not in ("name", "type")}
    assert strangers(checkout, **options) == []
    inside = min(one for one in checkout.modules if one.startswith(f"{contract['package']}."))
    for stranger in ("sqlalchemy", "glidepath.record.store"):
        if stranger not in checkout.modules:
            checkout.add_module(stranger)
        checkout.add_import(importer=inside, imported=stranger)
    assert strangers(checkout, **options) == [(inside, "glidepath.record.store"), (inside, "sqlalchemy")]
