"""The connections to record databases: one pool a process and database, however many releases there are."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from glidepath.errors import NoRecordError, RecordError
from glidepath.record.schema import bring_up

BUSY_TIMEOUT_S = 15
# Connections a process keeps, and how many more it may have for a moment.
KEPT, MORE = 5, 10
# A process has one record; only tests have many.
DATABASES = 8
# Of a Postgres that is gone without a word the client hears within these: seconds, but for the last, which is in ms.
POSTGRES: dict[str, Any] = {
    "connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 2, "tcp_user_timeout": 15000,
}  # fmt: skip

_engines: OrderedDict[str, Engine] = OrderedDict()
_lock = threading.Lock()
# Never used and never dropped: closing them would end the connections of the process that this one was forked from.
_inherited: list[Engine] = []


def engine_of(url: str) -> Engine:
    """This process' engine for a database; it is brought to this code's schema when it is first asked for.

    Args:
        url: A SQLAlchemy URL.

    Raises:
        RecordError: The database can't be opened.
    """
    with _lock:
        open_engine = _engines.get(url)
        if open_engine is not None:
            _engines.move_to_end(url)
            return open_engine
    made = _made(url)
    with _lock:
        engine = _engines.setdefault(url, made)
        unused = [] if engine is made else [made]
        while len(_engines) > DATABASES:
            unused.append(_engines.popitem(last=False)[1])
    for spare in unused:
        spare.dispose()
    return engine


def _made(url: str) -> Engine:
    # A file is there, or it is not: only a server's connection can be gone before it is used.
    options: dict[str, Any] = {
        "pool_pre_ping": not url.startswith("sqlite"), "pool_size": KEPT, "max_overflow": MORE,
    }  # fmt: skip
    options["pool_timeout"] = BUSY_TIMEOUT_S
    try:
        if url.startswith("sqlite"):
            options["connect_args"] = {"timeout": BUSY_TIMEOUT_S}
        elif make_url(url).get_driver_name() in ("psycopg2", "psycopg"):
            options["connect_args"] = {name: at for name, at in POSTGRES.items() if name not in make_url(url).query}
        engine = create_engine(url, **options)
    except (SQLAlchemyError, ImportError, ValueError) as error:  # a ValueError quotes a part of it, maybe the password
        why = "its port is no number" if isinstance(error, ValueError) else error
        raise NoRecordError(
            f"what GLIDEPATH_RECORD_URL or --record gives leads to no record: {why}. Expected a SQLAlchemy URL, such as "
            "sqlite:////var/lib/glidepath.db, whose driver is installed"
        ) from error
    if url.startswith("sqlite"):

        @event.listens_for(engine, "connect")
        def _wal(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA journal_mode=WAL")

    try:
        bring_up(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise RecordError(
            f"the record database {engine.url!r} can't be opened: {error}. "
            "Set GLIDEPATH_RECORD_URL to a database that Airflow's processes can write."
        ) from error
    return engine


def _forked() -> None:
    global _lock
    _lock = threading.Lock()
    _inherited.extend(_engines.values())
    _engines.clear()


os.register_at_fork(after_in_child=_forked)


def default_url() -> str:
    """The record's database: GLIDEPATH_RECORD_URL, else a SQLite file in Airflow's home."""
    home = os.environ.get("AIRFLOW_HOME", os.path.expanduser("~/airflow"))
    return os.environ.get("GLIDEPATH_RECORD_URL", f"sqlite:///{home}/glidepath.db")
