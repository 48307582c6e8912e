"""Two recorded releases, and what was exported of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from glidepath.cli.main import main
from glidepath.record import Record
from tests.unit.replay.world import recorded


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A good release, and one with four times the errors."""
    url = f"sqlite:///{tmp_path_factory.mktemp('record')}/r.db"
    recorded(url, "good")
    return recorded(url, "bad", seed=2, errors=0.02)


@pytest.fixture(scope="module")
def folder(record: Record, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both, exported."""
    folder = tmp_path_factory.mktemp("evidence")
    for name in ("good", "bad"):
        assert main(["export", name, "--file", str(folder / f"{name}.jsonl"), "--record", record.url]) == 0
    return folder
