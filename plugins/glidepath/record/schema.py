"""The record's schema: brought up to this code's by Alembic when a process first opens a database.

Migrations add only. So processes of the version before go on while one of this version migrates, and a record that is newer
than this code is used as it is.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

if TYPE_CHECKING:
    from alembic.config import Config

# Not Alembic's own name: the record may share a database with Airflow, which has that one.
VERSION_TABLE = "glidepath_version"
# The newest migration in `migrations/versions`, and those before it: with one of these a record is older.
HEAD = "0003"
OLDER = ("0001", "0002")
# How often what another process is just migrating is looked at again.
TRIES = 5
LOCK = 0x676C6964  # of Postgres; any number that nobody else takes
# Alembic keeps the migration that it is at in its modules: of a process' threads one at a time may ask it for one.
_alone = threading.Lock()


def version_of(connection: Connection) -> str | None:
    """The migration that a database is at; None before the first.

    Raises:
        SQLAlchemyError: The database refused.
    """
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return None if version is None else str(version)


def bring_up(engine: Engine) -> None:
    """Bring a database to this code's schema; one that is there, or newer, is left alone.

    Raises:
        SQLAlchemyError: The database refused.
    """
    for left in reversed(range(TRIES)):
        try:
            with engine.begin() as connection:
                if not _behind(connection):
                    return
                _migrate(connection)
            return
        except SQLAlchemyError:  # two processes may migrate at the same moment: the next try finds it done
            if not left:
                raise


def _behind(connection: Connection) -> bool:
    version = version_of(connection)
    return version is None or version in OLDER


def _migrate(connection: Connection) -> None:
    from alembic import command

    with _alone:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        elif connection.dialect.name == "sqlite":  # its driver begins none before the first row is written: too late
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        if _behind(connection):  # still: another thread, or another process, may have been first
            command.upgrade(config(connection), "head")


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration, for `bring_up` and for whoever writes a migration."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    made.attributes["connection"] = connection
    return made


def _forked() -> None:
    global _alone
    _alone = threading.Lock()


os.register_at_fork(after_in_child=_forked)
