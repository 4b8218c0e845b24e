"""Reads that must all see the same state of the database."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from certlib.store.engine import is_sqlite, reading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from certlib.store.engine import Store


@contextmanager
def one_moment(store: Store) -> Iterator[Connection]:
    """A connection for reading whose statements all see the database as it was at the first of them.

    Raises:
        UnavailableError: the database does not answer.
        OwnFaultError: code `database_error`: it refused a statement.
    """
    with reading(store) as conn:
        conn.exec_driver_sql("BEGIN" if is_sqlite(store) else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            yield conn
        finally:
            conn.exec_driver_sql("ROLLBACK")
