"""A stage for each test, without waiting for traffic to be seen silent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.apiserver import ApiServer
from tests.support.stage import Stage


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """v1 stable under traffic, v2 not there yet."""
    monkeypatch.setattr("glidepath.release.endings.wait_silent", lambda *_: 0.0)
    with ApiServer() as server:
        yield Stage(server, tmp_path)
