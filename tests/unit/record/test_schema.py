"""The record's schema: made, brought up from what older code left, left alone when it is newer."""

from __future__ import annotations

import multiprocessing
import re
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from glidepath.record import Record, schema
from glidepath.record.engines import engine_of
from glidepath.record.schema import HEAD, OLDER, VERSION_TABLE, config, version_of
from glidepath.record.tables import metadata

OLD = Path(__file__).parent / "of_0_1" / "record.sql"


def of_version(file: Path, revision: str | None) -> str:
    """A record with a release under way, as the code of a migration left it; None: of before there were any."""
    with closing(sqlite3.connect(file)) as database:
        database.executescript(OLD.read_text())
    url = f"sqlite:///{file}"
    if revision is not None:
        engine = create_engine(url)
        with engine.begin() as connection:
            command.upgrade(config(connection), revision)
        engine.dispose()
    return url


def version(url: str) -> str | None:
    with engine_of(url).connect() as connection:
        return version_of(connection)


@pytest.fixture(params=[None, *OLDER])
def old(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A record of each version before, and of before there were migrations, with a release under way."""
    return of_version(tmp_path / "record.db", request.param)


def test_the_tables_are_what_the_migrations_make(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.db"
    Record(url)
    assert version(url) == HEAD
    with engine_of(url).connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, "compare_type": False})
        assert compare_metadata(context, metadata) == []


def test_what_this_code_calls_newest_is() -> None:
    scripts = ScriptDirectory.from_config(config())
    found = [one.revision for one in scripts.walk_revisions()]
    assert (found[0], tuple(reversed(found[1:]))) == (HEAD, OLDER)


def test_an_old_record_is_brought_up_and_loses_nothing(old: str) -> None:
    file = old.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file)) as database:
        found = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = [name for name in found if name != VERSION_TABLE]
        before = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    record = Record(old)
    assert version(old) == HEAD
    with closing(sqlite3.connect(file)) as database:
        after = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    assert after == before
    assert [one.id for one in record.recent("prices")] == ["dag/run"]


def _open(url: str, answers: multiprocessing.Queue[str | None]) -> None:
    Record(url)
    answers.put(version(url))


def test_many_processes_bring_it_up_at_once(old: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    answers: multiprocessing.Queue[str | None] = spawn.Queue()
    processes = [spawn.Process(target=_open, args=(old, answers)) for _ in range(4)]
    for process in processes:
        process.start()
    assert [answers.get(timeout=120) for _ in processes] == [HEAD] * 4
    for process in processes:
        process.join(timeout=60)
        assert process.exitcode == 0


def test_many_threads_bring_it_up_at_once(old: str) -> None:
    """Guards of many releases begin together, each in a thread of its own, when a triggerer starts after an upgrade."""
    count = 6
    together = threading.Barrier(count)

    def begin(_: int) -> str | None:
        together.wait(timeout=60)
        Record(old)
        return version(old)

    with ThreadPoolExecutor(count) as threads:
        assert list(threads.map(begin, range(count))) == [HEAD] * count


def test_a_fork_amid_a_migration_of_another_thread_brings_up_its_own(old: str) -> None:
    with schema._alone:
        process = multiprocessing.get_context("fork").Process(target=Record, args=(old,))
        process.start()
        process.join(timeout=60)
    assert process.exitcode == 0
    assert version(old) == HEAD


def test_a_newer_one_is_used_as_it_is(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/record.db"
    Record(url)
    engine = engine_of(url)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
        connection.execute(text("ALTER TABLE glidepath_look ADD COLUMN colour VARCHAR(9)"))
    engine.dispose()
    other = f"sqlite:///{tmp_path}/./record.db"
    Record(other).add_look("dag/run", 1, 1.0, None, {"verdict": "PASS"})
    assert version(other) == "9999"


def test_migrations_add_only() -> None:
    """Processes of the version before go on writing while the first of the new version migrates."""
    for file in Path(str(config().get_main_option("script_location"))).glob("versions/*.py"):
        assert not re.search(r"op\.(drop|rename|execute|batch)", file.read_text()), file.name
