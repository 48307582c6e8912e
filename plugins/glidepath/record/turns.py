"""Whose turn it is: of all processes that were told to watch a release, the one that was told last.

Airflow may give a trigger to another process while the first is only slow, or stopped for a while. Each takes a number
at its start; the highest is at work, and what it sees is only written while it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Update, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from glidepath.errors import ReplacedError
from glidepath.record.tables import turns

GUARD, OBSERVER = "guard", "observer"


@dataclass(frozen=True)
class Turn:
    """The newest turn of a role in a release.

    Attributes:
        number: From 1; one more for each that took it.
        at: When its holder last showed life, epoch seconds by its clock.
        left: Whether its holder goes: whoever waits may take the next.
        unseen: Turns that were taken since the last look was recorded, this one included.
        samples: What the holder read last, for the next to go on from; None before anything was read.
    """

    number: int
    at: float
    left: bool
    unseen: int
    samples: Mapping[str, Any] | None


class Turns:
    """The turns of all releases.

    Args:
        begin: Begins a transaction of the record.
    """

    def __init__(self, begin: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._begin = begin

    def take(self, release_id: str, role: str, at: float) -> Turn:
        """Take the next turn: from now on whoever had it writes no more looks."""
        mine = (turns.c.release_id == release_id) & (turns.c.role == role)
        values = {"number": turns.c.number + 1, "at": at, "left": False, "unseen": turns.c.unseen + 1}
        while True:
            with self._begin() as connection:
                if connection.execute(update(turns).where(mine).values(values)).rowcount:
                    return Turn(**connection.execute(_columns().where(mine)).mappings().one())
            first = {"number": 1, "at": at, "left": False, "unseen": 1}
            try:
                with self._begin() as connection:
                    connection.execute(insert(turns).values(release_id=release_id, role=role, **first))
            except IntegrityError:
                continue
            return Turn(samples=None, **first)  # type: ignore[arg-type]

    def find(self, release_id: str, role: str) -> Turn | None:
        """The newest turn, or None before the first."""
        with self._begin() as connection:
            row = connection.execute(_FIND, {"of": release_id, "as": role}).mappings().first()
        return Turn(**row) if row else None

    def keep(
        self, release_id: str, role: str, number: int, at: float, samples: Mapping[str, Any] | None = None
    ) -> bool:
        """Show life, and what was read if that is new; False when the turn is another's, and nothing was written."""
        values = {"at": at} | ({"samples": samples} if samples is not None else {})
        with self._begin() as connection:
            return _written(connection, release_id, role, number, values)

    def leave(self, release_id: str, role: str, number: int) -> None:
        """Say that the holder goes, if the turn is still its own."""
        with self._begin() as connection:
            _written(connection, release_id, role, number, {"left": True})


def seen(connection: Connection, release_id: str, number: int, samples: Mapping[str, Any] | None) -> None:
    """Note in a look's own transaction what it was read from.

    Raises:
        ReplacedError: The turn is another guard's; the look must not be written.
    """
    if not _written(connection, release_id, GUARD, number, {"unseen": 0, "samples": samples}):
        raise ReplacedError(f"another guard watches {release_id} since; what this one saw is not recorded")


def _columns() -> Any:
    return select(turns.c.number, turns.c.at, turns.c.left, turns.c.unseen, turns.c.samples)


_MINE = (turns.c.release_id == bindparam("of")) & (turns.c.role == bindparam("as"))
_FIND = _columns().where(_MINE)


def _written(connection: Connection, release_id: str, role: str, number: int, values: Mapping[str, Any]) -> bool:
    mine = {"of": release_id, "as": role, "mine": number}
    return bool(connection.execute(_update(*values), {**mine, **values}).rowcount)


@cache
def _update(*columns: str) -> Update:
    """Changes some columns of a turn that is still its holder's: made once, for every look writes by it."""
    mine = _MINE & (turns.c.number == bindparam("mine"))
    return update(turns).where(mine).values({column: bindparam(column) for column in columns})
