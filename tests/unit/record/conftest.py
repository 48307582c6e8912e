"""A record of a test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from glidepath.record import Record
from tests.unit.record.rows import RELEASE


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """A record with one release."""
    store = Record(f"sqlite:///{tmp_path}/record.db")
    store.open_release(RELEASE)
    return store
