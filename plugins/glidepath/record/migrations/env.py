"""Alembic's way into the migrations: on the connection that `record.schema` gives."""

from alembic import context

from glidepath.record.schema import VERSION_TABLE
from glidepath.record.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, version_table=VERSION_TABLE
)
with context.begin_transaction():
    context.run_migrations()
