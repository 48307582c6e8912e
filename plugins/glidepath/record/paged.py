"""A release's looks, as rows or packed: a row each while it runs, and pages of a hundred, packed, some time after its end.

Whoever reads looks reads them here. The newest look stays a row, so a list opens no page. Pages are made from the first look
on: no row is older than a page. What is read in two statements is read rows first: of looks that are packed in between both
are found, which are the same.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Column, Connection, Row, case, delete, func, insert, null, select, union_all

from glidepath.errors import RecordError
from glidepath.record.tables import looks, pages, releases

# Looks of a page: as many as one is glad to read for the sake of one.
PAGE = 100
# Of an interval, what is added up.
ARMS = ("stable", "canary")


class LookRow(NamedTuple):
    """A look: its number, when it was, epoch seconds, what was counted (None for no data), and what followed from it."""

    seq: int
    at: float
    interval: Mapping[str, Any] | None
    look: Mapping[str, Any]


def whole(connection: Connection, release_id: str) -> list[tuple[int, Mapping[str, Any] | None, Mapping[str, Any]]]:
    """Every look as (number, interval or None, look), in order.

    Raises:
        RecordError: A page can't be read.
    """
    query = select(looks.c.seq, looks.c.interval, looks.c.look).where(looks.c.release_id == release_id)
    rows = {row.seq: (row.seq, row.interval, row.look) for row in connection.execute(query)}
    for page in _pages(connection, release_id, 0, pages.c.intervals, pages.c.looks):
        intervals = dict(_unpacked(page, "intervals"))
        rows.update({seq: (seq, intervals[seq], look) for seq, _, look in _unpacked(page, "looks")})
    return [rows[seq] for seq in sorted(rows)]


def after(connection: Connection, release_id: str, seq: int) -> list[tuple[int, Mapping[str, Any]]]:
    """Number and look of each look after a number, in order.

    Raises:
        RecordError: A page can't be read.
    """
    query = select(looks.c.seq, looks.c.look).where(looks.c.release_id == release_id, looks.c.seq > seq)
    rows = {row.seq: row.look for row in connection.execute(query)}
    for page in _pages(connection, release_id, seq, pages.c.looks):
        rows.update({one: look for one, _, look in _unpacked(page, "looks") if one > seq})
    return sorted(rows.items())


def newest(
    connection: Connection, release_id: str, at_most: int | None = None, until: float | None = None
) -> tuple[int, Mapping[str, Any]] | None:
    """Number and look of the newest look, of the newest up to a number, or up to an epoch second; None when there is none.

    Raises:
        RecordError: A page can't be read.
    """
    query = select(looks.c.seq, looks.c.look).where(looks.c.release_id == release_id)
    packed = select(pages.c.first, pages.c.looks).where(pages.c.release_id == release_id)
    if at_most is not None:
        query, packed = query.where(looks.c.seq <= at_most), packed.where(pages.c.first <= at_most)
    if until is not None:
        query, packed = query.where(looks.c.at <= until), packed.where(pages.c.since <= until)
    row = connection.execute(query.order_by(looks.c.seq.desc()).limit(1)).first()
    if row is not None:
        return row.seq, row.look
    packed = packed.order_by(pages.c.first.desc()).limit(1)
    while (page := connection.execute(packed).first()) is not None:
        for seq, at, look in reversed(_unpacked(page, "looks")):
            if (at_most is None or seq <= at_most) and (until is None or at <= until):
                return seq, look
        packed = packed.where(pages.c.first < page.first)
    return None


def errors(connection: Connection, release_id: str, seq: int = 0) -> dict[str, int]:
    """How many requests of each arm failed in the intervals after a number; in one statement, so that none counts twice.

    Raises:
        RecordError: A page can't be read.
    """
    columns = [func.sum(looks.c.interval[arm]["errors"].as_integer()).label(f"{arm}_errors") for arm in ARMS]
    # Of a page in the middle of which the number is, the intervals themselves.
    begun = case((pages.c.first <= seq, pages.c.intervals)).label("intervals")
    counted = [pages.c[f"{arm}_errors"] for arm in ARMS]
    packed = select(*counted, begun, pages.c.first).where(pages.c.release_id == release_id, pages.c.last > seq)
    rows = select(*columns, null(), null()).where(looks.c.release_id == release_id, looks.c.seq > seq)
    found = dict.fromkeys(ARMS, 0)
    for row in connection.execute(union_all(packed, rows)):
        some = {arm: getattr(row, f"{arm}_errors") or 0 for arm in ARMS}
        if row.intervals is not None:
            some = _errors([one for number, one in _unpacked(row, "intervals") if number > seq])
        found = {arm: found[arm] + int(some[arm]) for arm in ARMS}
    return found


def to_pack(connection: Connection, release_id: str) -> list[LookRow]:
    """The next page of a release that has ended: its oldest rows, without its newest; none when all are packed."""
    ended = looks.join(releases, (releases.c.id == looks.c.release_id) & releases.c.outcome.is_not(None))
    query = select(looks.c.seq, looks.c.at, looks.c.interval, looks.c.look).select_from(ended)
    query = query.where(looks.c.release_id == release_id)
    rows = connection.execute(query.order_by(looks.c.seq).limit(PAGE + 1)).all()
    return [LookRow(row.seq, row.at, row.interval, row.look) for row in rows[:-1]]


def page_of(some: Sequence[LookRow]) -> dict[str, Any]:
    """The columns of the page that some looks make."""
    return {
        "first": some[0].seq,
        "last": some[-1].seq,
        "since": min(one.at for one in some),
        "intervals": _packed([(one.seq, one.interval) for one in some]),
        "looks": _packed([(one.seq, one.at, one.look) for one in some]),
        **{f"{arm}_errors": count for arm, count in _errors([one.interval for one in some]).items()},
    }


def turn_over(connection: Connection, release_id: str, some: Sequence[LookRow], page: Mapping[str, Any]) -> bool:
    """Put a page in the place of its looks; False, and nothing is done, if another was first or the release is gone.

    Ends the transaction then.
    """
    seqs = [one.seq for one in some]
    gone = connection.execute(delete(looks).where(looks.c.release_id == release_id, looks.c.seq.in_(seqs)))
    if gone.rowcount != len(seqs):
        connection.rollback()
        return False
    connection.execute(insert(pages).values(release_id=release_id, **page))
    return True


def _pages(connection: Connection, release_id: str, seq: int, *columns: Column[Any]) -> Sequence[Row[Any]]:
    """Of the pages that have looks after a number, the first number and some columns."""
    query = select(pages.c.first, *columns).where(pages.c.release_id == release_id, pages.c.last > seq)
    return connection.execute(query.order_by(pages.c.first)).all()


def _errors(intervals: Sequence[Mapping[str, Any] | None]) -> dict[str, int]:
    counted = [one for one in intervals if one is not None]
    return {arm: sum(int((one.get(arm) or {}).get("errors") or 0) for one in counted) for arm in ARMS}


def _packed(what: Sequence[Any]) -> bytes:
    return zlib.compress(json.dumps(what, separators=(",", ":")).encode())


def _unpacked(page: Row[Any], column: str) -> list[Any]:
    try:
        return list(json.loads(zlib.decompress(getattr(page, column))))
    except (zlib.error, ValueError) as error:
        raise RecordError(
            f"the {column} from number {page.first} on can't be read: {error}. The row of glidepath_look_page is damaged: "
            "restore it from a backup of the record"
        ) from error
