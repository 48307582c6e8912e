"""The script that commits a handover to git, on a real repository."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path

import pytest

from glidepath.errors import HandoverError
from glidepath.handover import ROLLBACK, Command, Word
from tests.unit.handover.words import WORD

SCRIPT = Path(__file__).resolve().parents[3] / "include" / "handover" / "commit-values"
FILE = "apps/prices/release.json"
BACK = dataclasses.replace(WORD, phase=ROLLBACK, version="v1", values={"roles": {"stable": "v1", "canary": ""}})


def git(folder: Path, *arguments: str) -> str:
    """What git says."""
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    return subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A bare repository with one commit on main."""
    bare, work = tmp_path / "values.git", tmp_path / "work"
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
    git(tmp_path, "clone", "--quiet", str(bare), str(work))
    (work / "README").write_text("values")
    git(work, "checkout", "--quiet", "-B", "main")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "first")
    git(work, "push", "--quiet", "origin", "main")
    return bare


def handover(repository: Path) -> Command:
    """By the script; the repository is at a place with a protocol, which shallow clones need."""
    return Command([str(SCRIPT), f"file://{repository}", "main", FILE], 2, 30, pause_s=0.0)


def says(repository: Path) -> str:
    """The version that git calls stable."""
    return str(json.loads(git(repository, "show", f"main:{FILE}"))["roles"]["stable"])


def commits(repository: Path) -> list[str]:
    """The keys of the commits, newest first."""
    return git(repository, "log", "--format=%(trailers:key=Glidepath-Key,valueonly,separator=)", "main").splitlines()


def test_a_promotion_and_its_taking_back_are_commits_and_told_twice_they_are_one(repository: Path) -> None:
    told = handover(repository)
    assert told.tell(WORD) == git(repository, "rev-parse", "--short", "main").strip()
    assert says(repository) == "v2"
    assert "says so already" in told.tell(WORD)
    assert commits(repository) == [WORD.key, ""]
    told.tell(BACK)
    assert says(repository) == "v1"
    assert commits(repository)[0] == "dag/run 1:rollback"
    assert git(repository, "log", "-1", "--format=%s", "main").strip() == "prices: v1 is the stable version"


def test_a_promotion_that_comes_after_its_taking_back_is_refused(repository: Path) -> None:
    handover(repository).tell(BACK)
    with pytest.raises(HandoverError, match="its promotion comes too late"):
        handover(repository).tell(WORD)
    assert says(repository) == "v1"
    other: Word = dataclasses.replace(WORD, release="dag/run 2")
    handover(repository).tell(other)
    assert says(repository) == "v2"


def test_somebody_who_pushes_first_is_no_end(repository: Path, tmp_path: Path) -> None:
    hook = repository / "hooks" / "pre-receive"
    hook.write_text(
        f"#!/bin/sh\n[ -e {tmp_path}/once ] || {{ touch {tmp_path}/once; echo somebody was first >&2; exit 1; }}"
    )
    hook.chmod(0o755)
    handover(repository).tell(WORD)
    assert says(repository) == "v2"


def test_a_repository_that_refuses_is_told_with_its_own_words(repository: Path) -> None:
    hook = repository / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho protected branch >&2; exit 1")
    hook.chmod(0o755)
    with pytest.raises(HandoverError, match="protected branch"):
        handover(repository).tell(WORD)
