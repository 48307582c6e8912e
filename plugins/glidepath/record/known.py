"""What is known of one release, so that a guard that asks much at a time asks the database once.

Events are only ever added, and a release's row changes seldom: one query says whether anything is new, and what is new is
read and added to what is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from glidepath.record.tables import events, releases

_count = select(func.count(events.c.id)).where(events.c.release_id == releases.c.id).scalar_subquery()
_NEW = select(releases.c.phase, releases.c.outcome, releases.c.token, _count).where(releases.c.id == bindparam("id"))
_ROW = select(releases).where(releases.c.id == bindparam("id"))
_EVENTS = (
    select(events.c.id, events.c.at, events.c.kind, events.c.body, events.c.once)
    .where(events.c.release_id == bindparam("id"), events.c.id > bindparam("after"))
    .order_by(events.c.id)
)


@dataclass(frozen=True)
class Event:
    """Something that happened in a release, at an epoch second."""

    at: float
    kind: str
    body: Mapping[str, Any]


@dataclass
class Known:
    """What is known of a release.

    Attributes:
        id: Its identity.
        row: Its row; None where the record has none.
        events: Its events, by kind, in order.
        named: Its events that can be there once, by their once-names.
    """

    id: str
    row: Mapping[str, Any] | None = None
    events: dict[str, list[tuple[int, Event]]] = field(default_factory=dict)
    named: dict[str, Event] = field(default_factory=dict)
    _seen: tuple[Any, ...] | None = None
    _after: int = 0
    _count: int = 0

    def renew(self, connection: Connection) -> None:
        """Read what is new."""
        found = connection.execute(_NEW, {"id": self.id}).first()
        if found is None:
            self.row = self._seen = None
            self._forget()
            return
        if tuple(found) == self._seen:
            return
        # Another plan is told by an event.
        self.row, self._seen = dict(connection.execute(_ROW, {"id": self.id}).mappings().one()), tuple(found)
        self._read(connection)
        if self._count < found[3]:  # one with a lower number was written later than one with a higher
            self._forget()
            self._read(connection)

    def _forget(self) -> None:
        self.events, self.named, self._after, self._count = {}, {}, 0, 0

    def _read(self, connection: Connection) -> None:
        for row in connection.execute(_EVENTS, {"id": self.id, "after": self._after}):
            event = Event(row.at, row.kind, row.body)
            self.events.setdefault(row.kind, []).append((row.id, event))
            if row.once is not None:
                self.named[row.once] = event
            self._after, self._count = row.id, self._count + 1

    @property
    def mark(self) -> object:
        """Another one as soon as a row or an event is; None where the record has none."""
        return self._seen

    def of_kind(self, kind: str | None) -> list[Event]:
        """The events of a kind, or all, in order."""
        several = [self.events.get(kind, [])] if kind is not None else list(self.events.values())
        return [event for _, event in sorted((one for each in several for one in each), key=lambda one: one[0])]
