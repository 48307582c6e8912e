"""Tasks as Airflow runs them, with ports that lead to an in-memory API server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apiserver import ApiServer
from tests.support.stage import Stage


@pytest.fixture
def linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A service that the ports of every task lead to."""
    monkeypatch.setattr("glidepath.evidence.sampled.wait_silent", lambda *_: 0.0)
    with ApiServer() as server:
        made = Stage(server, tmp_path)
        monkeypatch.setattr("glidepath.hooks.ports.ports_for", lambda _: made.ports())
        monkeypatch.setenv("GLIDEPATH_RECORD_URL", f"sqlite:///{tmp_path}/record.db")
        yield made
