"""An upgrade from an earlier chart meets the same objects: `objects.json` was recorded from the chart that was one."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from tests.support.templates import CASES, CHART, RECORDED, digests, identity, rendered

BEFORE: dict[str, dict[str, str]] = json.loads(RECORDED.read_text())


def test_every_case_was_recorded() -> None:
    assert set(BEFORE) == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_same_values_give_the_same_objects(case: str) -> None:
    """A new one needs an administrator, one that is gone is deleted, one that differs is refused by `plan` in mid-release."""
    assert digests(CHART, case) == BEFORE[case]


@pytest.mark.parametrize("case", CASES)
def test_no_object_is_rendered_twice(case: str) -> None:
    times = Counter(identity(one) for one in rendered(values=CASES[case]))
    assert set(times.values()) == {1}
