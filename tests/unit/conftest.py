"""Tasks as Airflow runs them, with ports that lead to an in-memory API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apiserver import ApiServer
from tests.support.releases import fill
from tests.support.stage import Stage


@pytest.fixture(scope="session")
def played_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a record of releases that were promoted, taken back, wait, are undecided, blind, observed. To be read only."""
    folder = tmp_path_factory.mktemp("played")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
        fill(folder, f"sqlite:///{folder}/all.db")
    return f"sqlite:///{folder}/all.db"


@pytest.fixture
def linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A service that the ports of every task lead to."""
    monkeypatch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
    with ApiServer() as server:
        made = Stage(server, tmp_path)
        monkeypatch.setattr("glidepath.hooks.ports.ports_for", lambda *_: made.ports())
        monkeypatch.setenv("GLIDEPATH_RECORD_URL", f"sqlite:///{tmp_path}/record.db")
        yield made
