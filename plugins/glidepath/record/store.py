"""Reads and writes the record. Safe for several processes; a write that was made already changes nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from glidepath.errors import NoReleaseError, RecordError
from glidepath.record import paged
from glidepath.record.engines import default_url, engine_of
from glidepath.record.known import Event, Known
from glidepath.record.release import Release
from glidepath.record.tables import events, looks, pages, releases, turns
from glidepath.record.turns import Turns, seen

# What is asked all the time is put together once: making a statement takes as long as SQLite takes to answer it.
_RELEASE = select(releases).where(releases.c.id == bindparam("id"))
_TOKEN = select(releases.c.token).where(releases.c.id == bindparam("id"))
_EVENTS = select(events.c.at, events.c.kind, events.c.body).where(events.c.release_id == bindparam("id"))
_OF_KIND = _EVENTS.where(events.c.kind == bindparam("kind"))
_ALL, _ALL_OF_KIND = (query.order_by(events.c.id) for query in (_EVENTS, _OF_KIND))
_LAST_OF_KIND = _OF_KIND.order_by(events.c.id.desc()).limit(1)
_ONCE = _EVENTS.where(events.c.once == bindparam("once"))
_ADD_LOOK = insert(looks)


class Record:
    """The record database; `turns` says whose turn it is to watch a release.

    Args:
        url: A SQLAlchemy URL; SQLite and Postgres are tried.

    Raises:
        RecordError: The database can't be opened.
    """

    def __init__(self, url: str | None = None) -> None:
        self.url = url or default_url()
        engine_of(self.url)
        self.turns = Turns(self._begin)
        self._known: dict[str, Known] = {}
        self._renewing, self._reading = threading.Lock(), threading.local()

    @property
    def _engine(self) -> Engine:
        """This process' own: a record that was made before a fork has another one in each process."""
        return engine_of(self.url)

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise
        except SQLAlchemyError as error:
            raise RecordError(f"the record database {self._engine.url!r} refused: {error}") from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read by, for `record.reading`.

        Raises:
            RecordError: The record can't be read.
        """
        with self._begin() as connection:
            yield connection

    @contextmanager
    def as_of_now(self, release_id: str) -> Iterator[None]:
        """Until the end, or the first write by it, this thread reads a release's row and events as they are now.

        For one who asks much at a time, and asks again, without this, before it does anything about the answer.

        Raises:
            RecordError: The record can't be read.
        """
        known = self._known.setdefault(release_id, Known(release_id))
        with self._renewing, self._begin() as connection:
            known.renew(connection)
        self._reading.known = known
        try:
            yield
        finally:
            self.read_anew()

    def read_anew(self) -> None:
        """From here on this thread reads what is there when it asks."""
        self._reading.known = None

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Until the end this thread reads what is there when it asks; after it as before."""
        known, self._reading.known = getattr(self._reading, "known", None), None
        try:
            yield
        finally:
            self._reading.known = known

    def as_known(self, release_id: str) -> object:
        """What this thread reads of a release as of now: equal to another such mark as long as nothing is new; else None."""
        known = self._of(release_id)
        return None if known is None else known.mark

    def _of(self, release_id: str) -> Known | None:
        known: Known | None = getattr(self._reading, "known", None)
        return known if known is not None and known.id == release_id else None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection to write by, for `record.packing`; from here on this thread reads what is there when it asks.

        Raises:
            RecordError: The record can't be written.
        """
        self.read_anew()
        with self._begin() as connection:
            yield connection

    def open_release(self, release: Release) -> None:
        """Write a new release; one that is there already is left as it is."""
        if self.find(release.id) is not None:
            return
        values = {column.name: getattr(release, column.name) for column in releases.columns}
        try:
            with self.writing() as connection:
                connection.execute(insert(releases).values(values))
        except IntegrityError:
            return

    def find(self, release_id: str) -> Release | None:
        """The release with this identity, or None."""
        if (known := self._of(release_id)) is not None:
            return Release(**known.row) if known.row is not None else None
        with self._begin() as connection:
            row = connection.execute(_RELEASE, {"id": release_id}).mappings().first()
        return Release(**row) if row else None

    def get(self, release_id: str) -> Release:
        """The release with this identity.

        Raises:
            NoReleaseError: There is none.
        """
        release = self.find(release_id)
        if release is None:
            raise self._none(release_id)
        return release

    def token(self, release_id: str) -> int | None:
        """The fencing token under which this release writes; None before it has one. Its plan, which is large, is not read.

        Raises:
            NoReleaseError: There is no such release.
        """
        row: Any
        if (known := self._of(release_id)) is not None:
            row = known.row
        else:
            with self._begin() as connection:
                row = connection.execute(_TOKEN, {"id": release_id}).mappings().first()
        if row is None:
            raise self._none(release_id)
        token: int | None = row["token"]
        return token

    def _none(self, release_id: str) -> NoReleaseError:
        return NoReleaseError(f"no release {release_id!r} in the record {self._engine.url!r}; was `plan` run?")

    def recent(self, service: str | None = None, limit: int = 50) -> list[Release]:
        """The newest releases first, of one service or of all."""
        query = select(releases).order_by(releases.c.created.desc(), releases.c.id).limit(limit)
        if service is not None:
            query = query.where(releases.c.service == service)
        with self._begin() as connection:
            return [Release(**row) for row in connection.execute(query).mappings()]

    def ended_before(self, at: float, limit: int, skip: int = 0) -> list[Release]:
        """Releases that were closed before an epoch second, the oldest first; the first `skip` are left out."""
        query = select(releases).where(releases.c.closed < at).order_by(releases.c.closed, releases.c.id)
        query = query.limit(limit).offset(skip)
        with self._begin() as connection:
            return [Release(**row) for row in connection.execute(query).mappings()]

    def forget(self, release_id: str) -> None:
        """Delete a release that has ended, with its looks, turns and events. One that runs is left alone."""
        with self.writing() as connection:
            gone = connection.execute(
                delete(releases).where(releases.c.id == release_id, releases.c.outcome.is_not(None))
            )
            for table in (looks, pages, turns, events) if gone.rowcount else ():
                connection.execute(delete(table).where(table.c.release_id == release_id))

    def set_token(self, release_id: str, token: int) -> None:
        """Note the fencing token under which this release writes; a lower one than is there, of a task that slept, is not."""
        lower = or_(releases.c.token.is_(None), releases.c.token < token)
        with self.writing() as connection:
            connection.execute(update(releases).where(releases.c.id == release_id, lower).values(token=token))

    def replan(self, release_id: str, plan: Mapping[str, Any]) -> None:
        """Note another plan: the judge is rebuilt from it from then on."""
        with self.writing() as connection:
            connection.execute(update(releases).where(releases.c.id == release_id).values(plan=plan))

    def move(self, release_id: str, phase: str, allowed_from: frozenset[str]) -> bool:
        """Move to a phase if the release is in one it may be reached from; True when it moved."""
        with self.writing() as connection:
            moved = connection.execute(
                update(releases)
                .where(releases.c.id == release_id, releases.c.phase.in_(allowed_from))
                .values(phase=phase)
            )
        return bool(moved.rowcount)

    def close(self, release_id: str, outcome: str, reason: str, at: float) -> bool:
        """Close the release with its outcome. The first one counts; True when it was this one."""
        with self.writing() as connection:
            closed = connection.execute(
                update(releases)
                .where(releases.c.id == release_id, releases.c.outcome.is_(None))
                .values(outcome=outcome, phase=outcome, reason=reason, closed=at)
            )
        return bool(closed.rowcount)

    def add_event(
        self, release_id: str, kind: str, body: Mapping[str, Any], at: float, once: str | None = None
    ) -> bool:
        """Add an event. With `once`, only the first event of that name is kept; True when this one was."""
        try:
            with self.writing() as connection:
                connection.execute(
                    insert(events).values(release_id=release_id, at=at, kind=kind, once=once, body=dict(body))
                )
        except IntegrityError:
            return False
        return True

    def events(self, release_id: str, kind: str | None = None) -> list[Event]:
        """The release's events in the order they were written."""
        if (known := self._of(release_id)) is not None:
            return known.of_kind(kind)
        query, of_kind = (_ALL, {}) if kind is None else (_ALL_OF_KIND, {"kind": kind})
        with self._begin() as connection:
            return [Event(**row) for row in connection.execute(query, {"id": release_id, **of_kind}).mappings()]

    def last_event(self, release_id: str, kind: str) -> Event | None:
        """The newest event of a kind, or None."""
        if (known := self._of(release_id)) is not None:
            return known.events[kind][-1][1] if kind in known.events else None
        with self._begin() as connection:
            row = connection.execute(_LAST_OF_KIND, {"id": release_id, "kind": kind}).mappings().first()
        return Event(**row) if row else None

    def once(self, release_id: str, name: str) -> Event | None:
        """The event that was written under this once-name, or None."""
        if (known := self._of(release_id)) is not None:
            return known.named.get(name)
        with self._begin() as connection:
            row = connection.execute(_ONCE, {"id": release_id, "once": name}).mappings().first()
        return Event(**row) if row else None

    def add_look(
        self,
        release_id: str,
        seq: int,
        at: float,
        interval: Mapping[str, Any] | None,
        look: Mapping[str, Any],
        turn: int | None = None,
        samples: Mapping[str, Any] | None = None,
    ) -> None:
        """Write one look, and with it what the next is to be differenced from. One that is there already is left as it is.

        Args:
            release_id, seq, at: Whose it is, its number, and when it was, epoch seconds.
            interval, look: What was counted, None for no data; and what follows from it.
            turn: The guard's turn; None for one that nobody can replace.
            samples: What the guard read last.

        Raises:
            ReplacedError: The turn is another guard's by now; nothing was written.
        """
        values = {"release_id": release_id, "seq": seq, "at": at, "interval": interval, "look": dict(look)}
        try:
            with self.writing() as connection:
                if turn is not None:
                    seen(connection, release_id, turn, samples)
                connection.execute(_ADD_LOOK, values)
        except IntegrityError:
            return

    def looks(self, release_id: str) -> list[tuple[int, Mapping[str, Any] | None, Mapping[str, Any]]]:
        """Every look as (sequence number, interval or None, look), in order."""
        with self._begin() as connection:
            return paged.whole(connection, release_id)

    def last_look(self, release_id: str, at_most: int | None = None) -> Mapping[str, Any] | None:
        """The newest look, or the newest up to a sequence number; None when there is none."""
        with self._begin() as connection:
            found = paged.newest(connection, release_id, at_most)
        return found[1] if found else None
