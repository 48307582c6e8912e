"""Lists of releases by an index, and room for versions as long as an image's tag."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = depends_on = None


def upgrade() -> None:
    """Add only: processes of the version before go on writing."""
    op.create_index("glidepath_release_service", "glidepath_release", ["service", "created"], if_not_exists=True)
    op.create_index("glidepath_release_created", "glidepath_release", ["created"], if_not_exists=True)
    if op.get_bind().dialect.name != "sqlite":  # which has no lengths
        for name in ("stable", "canary"):
            op.alter_column("glidepath_release", name, type_=sa.String(128), existing_nullable=False)
