"""What who looks at releases reads of the record: much at once, and nothing that only the judge needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import and_, func, or_, select

from glidepath.record import paged
from glidepath.record.known import Event
from glidepath.record.store import Record
from glidepath.record.tables import events, looks, releases

# How many releases are asked about at a time; of a list, of which a screen is wanted first; and how many identities.
PAGE, HEADS, NAMES = 200, 50, 2000


@dataclass(frozen=True)
class Head:
    """A release as a list shows it; `steps` is how many it has, `last` the newest event of the kind that was asked for."""

    id: str
    service: str
    namespace: str
    stable: str
    canary: str
    outcome: str | None
    reason: str | None
    created: float
    closed: float | None
    steps: int
    last: Event | None


# What of a release a list shows: neither policy nor plan, which are most of it.
SHOWN = tuple(
    releases.c[column]
    for column in ("id", "service", "namespace", "stable", "canary", "outcome", "reason", "created", "closed")
)


class Mark(NamedTuple):
    """Changes whenever the record has something new of a release; `looks` and `entries` say how many there are.

    Their numbers would not do for entries: of two that are written at once the higher may be there first.
    """

    phase: str
    outcome: str | None
    looks: int
    entries: int

    @property
    def journal(self) -> tuple[object, ...]:
        """The part that no look changes."""
        return self.phase, self.outcome, self.entries


def mark(record: Record, release_id: str) -> str | None:
    """Changes whenever the record has something new of a release; None when it has no such release.

    Raises:
        RecordError: The record can't be read.
    """
    found = marks(record, [release_id]).get(release_id)
    return None if found is None else "-".join(str(value or 0) for value in found)


def marks(record: Record, release_ids: Sequence[str]) -> dict[str, Mark]:
    """The marks of several releases, as far as the record has them.

    Raises:
        RecordError: The record can't be read.
    """
    seen = select(func.max(looks.c.seq)).where(looks.c.release_id == releases.c.id).scalar_subquery()
    noted = select(func.count(events.c.id)).where(events.c.release_id == releases.c.id).scalar_subquery()
    found: dict[str, Mark] = {}
    for first in range(0, len(release_ids), PAGE):
        some = releases.c.id.in_(release_ids[first : first + PAGE])
        query = select(releases.c.id, releases.c.phase, releases.c.outcome, seen, noted).where(some)
        with record.reading() as connection:
            rows = connection.execute(query).all()
        found |= {str(row[0]): Mark(str(row[1]), row[2], int(row[3] or 0), int(row[4] or 0)) for row in rows}
    return found


def looks_after(record: Record, release_id: str, seq: int) -> list[tuple[int, Mapping[str, Any]]]:
    """Number and look of each look after a number, in order."""
    with record.reading() as connection:
        return paged.after(connection, release_id, seq)


def last_look(
    record: Record, release_id: str, at_most: int | None = None, until: float | None = None
) -> tuple[int, Mapping[str, Any]] | None:
    """Number and look of the newest look, of the newest up to a number, or up to an epoch second; None when there is none."""
    with record.reading() as connection:
        return paged.newest(connection, release_id, at_most, until)


def errors(record: Record, release_id: str, after: int = 0) -> dict[str, int]:
    """How many requests of each arm failed in the intervals after a number."""
    with record.reading() as connection:
        return paged.errors(connection, release_id, after)


def heads(
    record: Record,
    kind: str,
    service: str | None = None,
    wanted: Callable[[str], bool] = lambda _: True,
    under_way: bool = False,
) -> Iterator[Head]:
    """The newest releases first, of one service or of all, as far as they are asked for.

    Args:
        record: The record.
        kind: Of the events of which each comes with its newest.
        service: Of this service only; None: of all.
        wanted: Whether a release of this identity is one; of others nothing more is read.
        under_way: Only those without an outcome.
    """
    query = select(releases.c.id, releases.c.created).order_by(releases.c.created.desc(), releases.c.id).limit(NAMES)
    if service is not None:
        query = query.where(releases.c.service == service)
    if under_way:
        query = query.where(releases.c.outcome.is_(None))
    page = query
    while True:
        with record.reading() as connection:
            names = connection.execute(page).all()
        some = [name.id for name in names if wanted(name.id)]
        for first in range(0, len(some), HEADS):
            yield from _heads(record, kind, some[first : first + HEADS])
        if len(names) < NAMES:
            return
        # From where it ended, not by a count: what begins meanwhile moves none across the edge of a page.
        last, created = names[-1], releases.c.created
        page = query.where(or_(created < last.created, and_(created == last.created, releases.c.id > last.id)))


def unfinished(record: Record, service: str | None = None) -> list[str]:
    """The identities of all releases without an outcome, of one service or of all, the newest first.

    Raises:
        RecordError: The record can't be read.
    """
    query = select(releases.c.id).where(releases.c.outcome.is_(None))
    if service is not None:
        query = query.where(releases.c.service == service)
    with record.reading() as connection:
        return list(connection.execute(query.order_by(releases.c.created.desc(), releases.c.id)).scalars())


def _heads(record: Record, kind: str, release_ids: Sequence[str]) -> Iterator[Head]:
    steps = func.json_array_length(releases.c.spec["steps"]).label("steps")
    query = select(*SHOWN, steps).where(releases.c.id.in_(release_ids))
    with record.reading() as connection:
        rows = connection.execute(query.order_by(releases.c.created.desc(), releases.c.id)).mappings().all()
    newest = _newest(record, kind, release_ids)
    for row in rows:
        yield Head(**{**row, "steps": row["steps"] or 0}, last=newest.get(row["id"]))


def _newest(record: Record, kind: str, ids: Sequence[str]) -> dict[str, Event]:
    """The newest event of a kind of each release that has one."""
    newest = select(func.max(events.c.id)).where(events.c.release_id.in_(ids), events.c.kind == kind)
    query = select(events).where(events.c.id.in_(newest.group_by(events.c.release_id)))
    with record.reading() as connection:
        return {row.release_id: Event(row.at, row.kind, row.body) for row in connection.execute(query)}
