"""The connections to the record: few, however many releases a process watches, and never shared over a fork."""

from __future__ import annotations

import os
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from glidepath.record import Record, engines
from tests.unit.record.rows import RELEASE


def opened(folder: Path) -> int:
    """How many files below a folder this process has open as the database itself."""
    found = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_link(fd)]
    return sum(one == str(folder / "record.db") for one in found)


def _is_link(fd: str) -> bool:
    return os.path.lexists(f"/proc/self/fd/{fd}")


def test_two_hundred_records_share_a_few_connections(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.db"
    records = [Record(url) for _ in range(200)]
    records[0].open_release(RELEASE)
    with ThreadPoolExecutor(40) as pool:
        found = list(pool.map(lambda record: record.get("dag/run").canary, records * 5))
    assert found == ["v2"] * 1000
    assert 1 <= opened(tmp_path) <= engines.KEPT + engines.MORE


def test_a_fork_has_connections_of_its_own_and_leaves_its_parents_alone(tmp_path: Path) -> None:
    record = Record(f"sqlite:///{tmp_path}/record.db")
    record.open_release(RELEASE)
    mine = record._engine
    child = os.fork()
    if child == 0:
        try:
            record.add_event("dag/run", "from the child", {}, 1.0)
            os._exit(0 if record._engine is not mine and mine.pool.checkedin() == 1 else 1)  # type: ignore[attr-defined]
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0
    record.add_event("dag/run", "from the parent", {}, 2.0)
    assert [one.kind for one in record.events("dag/run")] == ["from the child", "from the parent"]
    assert record._engine is mine


def test_many_databases_are_not_all_kept_open(tmp_path: Path) -> None:
    records = []
    for number in range(engines.DATABASES + 3):
        (tmp_path / str(number)).mkdir()
        records.append(Record(f"sqlite:///{tmp_path}/{number}/record.db"))
    assert len(engines._engines) == engines.DATABASES
    assert opened(tmp_path / "0") == 0
    records[0].open_release(RELEASE)  # opened again
    assert records[0].get("dag/run") == RELEASE


@pytest.mark.parametrize("driver", ["psycopg2", "psycopg"])
def test_a_postgres_that_is_gone_without_a_word_is_noticed(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def created(_url: str, **options: object) -> object:
        asked.append(options)
        return create_engine("sqlite://")

    monkeypatch.setattr(engines, "create_engine", created)
    engines._made(f"postgresql+{driver}://eve@nowhere/glidepath?connect_timeout=2")
    given = asked[0]["connect_args"]
    assert given == {name: value for name, value in engines.POSTGRES.items() if name != "connect_timeout"}


def test_a_file_that_another_process_writes_when_it_is_first_opened_is_waited_for(tmp_path: Path) -> None:
    """To have it read while it is written SQLite needs it alone, and refuses at once where it does not get that."""
    writer = sqlite3.connect(tmp_path / "record.db")
    writer.execute("CREATE TABLE other (x)")
    writer.execute("BEGIN IMMEDIATE")
    said: list[str] = []

    class Connection(sqlite3.Connection):
        """Ends the other's write when it is waited for."""

        def execute(self, sql: str, *given: Any) -> sqlite3.Cursor:
            said.append(sql)
            if sql == "BEGIN IMMEDIATE":
                writer.rollback()
            return super().execute(sql, *given)

    with closing(sqlite3.connect(tmp_path / "record.db", factory=Connection)) as opened_first:
        engines._to_wal(opened_first)
        assert said == ["PRAGMA journal_mode=WAL", "BEGIN IMMEDIATE", "PRAGMA journal_mode=WAL"]
        assert opened_first.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    writer.close()
