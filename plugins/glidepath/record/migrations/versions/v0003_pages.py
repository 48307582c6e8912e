"""Pages of looks that are packed, and releases by their end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = depends_on = None


def upgrade() -> None:
    """Add only: processes of the version before go on writing."""
    op.create_table(
        "glidepath_look_page",
        sa.Column("release_id", sa.String(300), primary_key=True),
        sa.Column("first", sa.Integer, primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("stable_errors", sa.Integer, nullable=False),
        sa.Column("canary_errors", sa.Integer, nullable=False),
        sa.Column("intervals", sa.LargeBinary, nullable=False),
        sa.Column("looks", sa.LargeBinary, nullable=False),
        if_not_exists=True,
    )
    op.create_index("glidepath_release_closed", "glidepath_release", ["closed", "id"], if_not_exists=True)
