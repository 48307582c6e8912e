"""The record keeps which code judged a release."""

from __future__ import annotations

import subprocess
from importlib import metadata
from pathlib import Path

import pytest

from glidepath import version
from glidepath.version import code_version

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def anew() -> None:
    """Nothing is remembered from the test before."""
    code_version.cache_clear()


def test_a_checkout_says_what_git_says() -> None:
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    said = code_version().removesuffix("-dirty")
    assert commit.stdout.startswith(said.split("-g")[-1])


def test_a_copy_without_git_says_that_nobody_knows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(version, "HERE", tmp_path)
    assert code_version() == "unknown"


def test_a_copy_without_git_goes_by_what_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(version, "HERE", tmp_path)
    monkeypatch.setenv("GLIDEPATH_VERSION", "v1.2-3-gabc1234")
    assert code_version() == "v1.2-3-gabc1234"


def test_without_the_command_git_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert code_version() == "unknown"


class Installed:
    """A distribution in a folder."""

    version = "1.2.3"

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def locate_file(self, path: str) -> Path:
        """As `importlib.metadata` has it."""
        return self.folder / path


def test_an_installed_package_says_what_it_was_built_as(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed(version.HERE.parent))
    assert code_version() == "1.2.3"


def test_one_that_is_installed_elsewhere_is_not_this_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(metadata, "distribution", lambda _: Installed(tmp_path))
    assert code_version() != "1.2.3"
