"""Tasks as Airflow runs them, with ports that lead to an in-memory API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apiserver import ApiServer
from tests.support.releases import played
from tests.support.stage import Stage


@pytest.fixture(scope="session")
def played_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a record of releases that were promoted, taken back, wait, are undecided, blind, observed. To be read only."""
    return played(tmp_path_factory.mktemp("played"))


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """v1 stable under traffic, v2 not there yet; nobody waits for traffic to be seen silent."""
    monkeypatch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
    with ApiServer() as server:
        yield Stage(server, tmp_path)


@pytest.fixture
def linked(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """The same, and the ports of every task lead to it."""
    monkeypatch.setattr("glidepath.hooks.ports.ports_for", lambda *_: stage.ports())
    monkeypatch.setenv("GLIDEPATH_RECORD_URL", f"sqlite:///{tmp_path}/record.db")
    return stage
