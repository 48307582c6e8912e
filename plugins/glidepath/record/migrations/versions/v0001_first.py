"""The tables as they were before migrations: a record of that time has them already, or some of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = branch_labels = depends_on = None


def upgrade() -> None:
    """Make what is not there."""
    op.create_table(
        "glidepath_release",
        sa.Column("id", sa.String(300), primary_key=True),
        sa.Column("service", sa.String(120), nullable=False),
        sa.Column("namespace", sa.String(120), nullable=False),
        sa.Column("stable", sa.String(63), nullable=False),
        sa.Column("canary", sa.String(63), nullable=False),
        sa.Column("spec", sa.JSON, nullable=False),
        sa.Column("plan", sa.JSON),
        sa.Column("token", sa.Integer),
        sa.Column("phase", sa.String(30), nullable=False),
        sa.Column("outcome", sa.String(30)),
        sa.Column("reason", sa.Text),
        sa.Column("code_version", sa.String(60), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("closed", sa.Float),
        if_not_exists=True,
    )
    op.create_table(
        "glidepath_look",
        sa.Column("release_id", sa.String(300), primary_key=True),
        sa.Column("seq", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("interval", sa.JSON),
        sa.Column("look", sa.JSON, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "glidepath_turn",
        sa.Column("release_id", sa.String(300), primary_key=True),
        sa.Column("role", sa.String(20), primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("left", sa.Boolean, nullable=False),
        sa.Column("unseen", sa.Integer, nullable=False),
        sa.Column("samples", sa.JSON),
        if_not_exists=True,
    )
    op.create_table(
        "glidepath_event",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("release_id", sa.String(300), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("once", sa.String(80)),
        sa.Column("body", sa.JSON, nullable=False),
        sa.UniqueConstraint("release_id", "once"),
        if_not_exists=True,
    )
    op.create_index("glidepath_event_kind", "glidepath_event", ["release_id", "kind"], if_not_exists=True)
