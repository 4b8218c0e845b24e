"""Bringing a database to the tables this program was written for (Alembic)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from alembic import command
from alembic.config import Config
from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

LOCK_NUMBER: Final = 0x63657274_6C696200
"""Any constant: two programs that migrate one PostgreSQL database at once wait for each other on it."""


def configuration(conn: Connection) -> Config:
    """Alembic's settings for the database behind `conn`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = conn
    return config


def upgrade(conn: Connection) -> None:
    """Run every missing migration inside the caller's transaction."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": LOCK_NUMBER})
    command.upgrade(configuration(conn), "head")
