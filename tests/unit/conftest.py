"""Tasks as Airflow runs them, with ports that lead to an in-memory API server."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from tests.support.apiserver import ApiServer
from tests.support.releases import played
from tests.support.stage import Stage


@event.listens_for(Engine, "connect")
def _unsynced(connection: Any, _record: Any) -> None:
    """No test takes the machine's power away: its databases need not wait for the disk."""
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous=OFF")


@pytest.fixture(scope="session")
def played_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a record of releases that were promoted, taken back, wait, are undecided, blind, observed. To be read only.

    One for all processes of a run: whichever needs it first plays them.
    """
    own = tmp_path_factory.getbasetemp()
    every = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder, said = every / "played", every / "played.url"
    with (every / "played.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            shutil.rmtree(folder, ignore_errors=True)  # half of it, if who was at it died
            folder.mkdir()
            said.write_text(played(folder))
    return said.read_text()


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
