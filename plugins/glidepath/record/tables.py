"""The record's tables. Times are seconds since the epoch (UTC), as floats.

Who changes them writes a migration (`record/migrations/versions`); a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

releases = Table(
    "glidepath_release",
    metadata,
    Column("id", String(300), primary_key=True),
    Column("service", String(120), nullable=False),
    Column("namespace", String(120), nullable=False),
    Column("stable", String(128), nullable=False),
    Column("canary", String(128), nullable=False),
    Column("spec", JSON, nullable=False),
    Column("plan", JSON),
    Column("token", Integer),
    Column("phase", String(30), nullable=False),
    Column("outcome", String(30)),
    Column("reason", Text),
    Column("code_version", String(60), nullable=False),
    Column("created", Float, nullable=False),
    Column("closed", Float),
    Index("glidepath_release_service", "service", "created"),
    Index("glidepath_release_created", "created"),
    Index("glidepath_release_closed", "closed", "id"),
)

looks = Table(
    "glidepath_look",
    metadata,
    Column("release_id", String(300), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("interval", JSON),
    Column("look", JSON, nullable=False),
)

# Looks `first` to `last` of a release that is over, as `record.paged` packs them; `since` is the earliest time of one.
pages = Table(
    "glidepath_look_page",
    metadata,
    Column("release_id", String(300), primary_key=True),
    Column("first", Integer, primary_key=True),
    Column("last", Integer, nullable=False),
    Column("since", Float, nullable=False),
    Column("stable_errors", Integer, nullable=False),
    Column("canary_errors", Integer, nullable=False),
    Column("intervals", LargeBinary, nullable=False),
    Column("looks", LargeBinary, nullable=False),
)

# By (release, role): the process that was told last to watch it.
turns = Table(
    "glidepath_turn",
    metadata,
    Column("release_id", String(300), primary_key=True),
    Column("role", String(20), primary_key=True),
    Column("number", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("left", Boolean, nullable=False),
    Column("unseen", Integer, nullable=False),
    Column("samples", JSON),
)

events = Table(
    "glidepath_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("release_id", String(300), nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("once", String(80)),
    Column("body", JSON, nullable=False),
    # NULLs are distinct: only events that may happen once carry a value here.
    UniqueConstraint("release_id", "once"),
    Index("glidepath_event_kind", "release_id", "kind"),
)
