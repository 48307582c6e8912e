"""The recorded releases of the replay's tests, and Airflow's API over releases in every state."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from glidepath.record import Record
from tests.support.airflow_api import Api, serving
from tests.unit.replay.conftest import folder, record

__all__ = ["folder", "record"]


@pytest.fixture
def api(played_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """A server over a copy of the played record, whose user is known."""
    with closing(
        sqlite3.connect(played_url.removeprefix("sqlite:///"))
    ) as played:  # its file alone may lack the last writes
        played.execute("VACUUM INTO ?", [str(tmp_path / "copy.db")])
    monkeypatch.setattr("glidepath.cli.watching.POLL_S", 0.01)
    monkeypatch.delenv("GLIDEPATH_AIRFLOW_TOKEN", raising=False)
    with serving(Record(f"sqlite:///{tmp_path}/copy.db")) as made:
        monkeypatch.setenv("GLIDEPATH_AIRFLOW_URL", made.url)
        monkeypatch.setenv("GLIDEPATH_AIRFLOW_USER", "ann")
        monkeypatch.setenv("GLIDEPATH_AIRFLOW_PASSWORD", "right")
        yield made
