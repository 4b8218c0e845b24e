"""Read by Alembic. The connection comes from the caller: there is no alembic.ini and no URL here."""

from alembic import context

from certlib.store import (  # noqa: F401  # their tables join the metadata
    tables_clients,
    tables_collecting,
    tables_holding,
    tables_lifecycle,
    tables_sharing,
    tables_tickets,
    tables_uses,
)
from certlib.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    compare_type=True,
    compare_server_default=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
