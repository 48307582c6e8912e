"""Whether the judge's tests notice what would break its promise: a wrong sign, a dropped clip, a wrong edge.

`make test` sees to it that each mutant still is one; `make mutants` tries them all. Those that one test file is quick to
notice are tests here, too, marked `long`.
"""

from __future__ import annotations

import pytest

from tests.mutants import MUTANTS, TESTS, Mutant, noticed, text


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "mutant", [one for one in MUTANTS if one.test], ids=lambda one: f"{one.file}: {one.wrong.strip()}"
)
def test_the_tests_notice(mutant: Mutant) -> None:
    assert noticed(mutant, [f"{TESTS}/{mutant.test}"])


def test_without_a_mutant_there_is_nothing_to_notice() -> None:
    as_it_is = Mutant("cap.py", "MOST = 64", "MOST = 64  # as it was")
    assert not noticed(as_it_is, [f"{TESTS}/test_cap.py", f"{TESTS}/test_mixture.py"])


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: f"{one.file}: {one.wrong.strip()}")
def test_every_mutant_still_changes_the_judge(mutant: Mutant) -> None:
    compile(text(mutant), mutant.file, "exec")
