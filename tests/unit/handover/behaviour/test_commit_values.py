"""The script that commits a handover to git, on a real repository."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from glidepath.errors import HandoverError
from glidepath.handover import ROLLBACK, Command, Word
from tests.support.values import Values
from tests.unit.handover.words import WORD

BACK = dataclasses.replace(WORD, phase=ROLLBACK, version="v1", values={"roles": {"stable": "v1", "canary": ""}})


@pytest.fixture
def values(tmp_path: Path) -> Values:
    """A repository with one commit."""
    return Values.made(tmp_path)


def handover(values: Values) -> Command:
    """By the script."""
    return Command(values.command, 2, 30, pause_s=0.0)


def test_a_promotion_and_its_taking_back_are_commits_and_told_twice_they_are_one(values: Values) -> None:
    told = handover(values)
    assert told.tell(WORD) == values.git("rev-parse", "--short", "main").strip()
    assert values.says() == "v2"
    assert "says so already" in told.tell(WORD)
    assert values.keys() == [WORD.key, ""]
    told.tell(BACK)
    assert values.says() == "v1"
    assert values.keys()[0] == "dag/run 1:rollback"
    assert values.git("log", "-1", "--format=%s", "main").strip() == "prices: v1 is the stable version"


def test_a_promotion_that_comes_after_its_taking_back_is_refused(values: Values) -> None:
    handover(values).tell(BACK)
    with pytest.raises(HandoverError, match="its promotion comes too late"):
        handover(values).tell(WORD)
    assert values.says() == "v1"
    other: Word = dataclasses.replace(WORD, release="dag/run 2")
    handover(values).tell(other)
    assert values.says() == "v2"


def test_somebody_who_pushes_first_is_no_end(values: Values, tmp_path: Path) -> None:
    values.refuse(f"[ -e {tmp_path}/once ] || {{ touch {tmp_path}/once; echo somebody was first >&2; exit 1; }}")
    handover(values).tell(WORD)
    assert values.says() == "v2"


def test_a_repository_that_refuses_is_told_with_its_own_words(values: Values) -> None:
    values.refuse("echo protected branch >&2; exit 1")
    with pytest.raises(HandoverError, match="protected branch"):
        handover(values).tell(WORD)
