"""${message}."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = depends_on = None


def upgrade() -> None:
    """Add only: processes of the version before go on writing."""
    ${upgrades if upgrades else "raise NotImplementedError"}
