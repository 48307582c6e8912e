"""Where a unit test is found: `tests/unit` mirrors the checkout; what several modules do together is in a folder `behaviour`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[1]
ROOT = UNIT.parents[1]
# What is mirrored: the package, what stands beside it, and the programs of the examples.
MIRRORED = (ROOT / "plugins/glidepath", ROOT, ROOT / "include", ROOT / "tests", *(ROOT / "examples").glob("*/"))
BEHAVIOUR = "behaviour"


def named(path: Path) -> str:
    """A file's or folder's name as the name of its test has it."""
    return path.name.partition(".")[0].strip("_").replace("-", "_")


def mirrored_names(test: Path) -> Iterator[str]:
    """The names that a test in its folder may have: those of the modules it mirrors, and the folder's own."""
    folder = test.parent.relative_to(UNIT)
    parts = [part for part in folder.parts if part != "examples"]
    yield folder.name
    for mirrored in MIRRORED:
        for there in mirrored.joinpath(*parts).glob("*"):
            yield named(there)


def in_place(test: Path) -> bool:
    """Whether a unit test is named after what it tests, or in a folder of behaviours."""
    return test.parent.name == BEHAVIOUR or test.stem.removeprefix("test_") in set(mirrored_names(test))


def test_every_unit_test_is_named_after_its_module_or_says_what_several_do() -> None:
    assert [str(test.relative_to(UNIT)) for test in sorted(UNIT.rglob("test_*.py")) if not in_place(test)] == []


@pytest.mark.parametrize("name", ["release/test_luck.py", "test_nothing.py", "judge/metrics/test_latencies.py"])
def test_one_that_is_not_is_noticed(name: str) -> None:
    assert not in_place(UNIT / name)
