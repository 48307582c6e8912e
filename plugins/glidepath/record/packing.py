"""Packs the looks of releases that have ended, some at a time. All that reads looks finds the same before, between and after."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from glidepath.record import paged
from glidepath.record.store import Record
from glidepath.record.tables import looks, releases


def to_pack(record: Record, before: float, limit: int) -> list[str]:
    """Releases that were closed before an epoch second and have looks to pack, the last that ended first.

    Raises:
        RecordError: The record can't be read.
    """
    more = select(looks.c.seq).where(looks.c.release_id == releases.c.id).limit(1).offset(1)
    query = select(releases.c.id).where(releases.c.closed < before, more.exists())
    with record.reading() as connection:
        return list(connection.execute(query.order_by(releases.c.closed.desc()).limit(limit)).scalars())


def pack(record: Record, release_id: str) -> int:
    """Pack the next page of looks of a release that has ended; how many were packed, 0 when nothing is left to do.

    Raises:
        RecordError: The record can't be read or written.
    """
    with record.reading() as connection:
        some = paged.to_pack(connection, release_id)
    if not some:
        return 0
    page = paged.page_of(some)  # before the transaction: a guard that writes waits for no packing
    try:
        with record.writing() as connection:
            return len(some) if paged.turn_over(connection, release_id, some, page) else 0
    except IntegrityError:
        return 0
