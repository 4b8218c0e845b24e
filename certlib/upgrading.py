"""Bringing an older library to this program: its tables, and the keys of the library that it does not have yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from certlib.config import passphrase
from certlib.enrolling import ensure_library_keys
from certlib.errors import SetupError
from certlib.library import close_library, open_library, utc_now
from certlib.store import audits
from certlib.store.cipher import open_data_keys
from certlib.store.engine import HEAD_REVISION, close_store, migrate, open_store, schema_revision

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from certlib.config import Settings
    from certlib.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Upgraded:
    """What was done; the same twice over when nothing was."""

    before: str
    """Revision of the tables."""
    after: str
    keys: tuple[str, ...]
    """Purposes of the keys that were made."""


def upgrade_library(settings: Settings, *, operator: str, now: Callable[[], datetime] = utc_now) -> Upgraded:
    """Bring the library at `settings.home` to the tables and keys of this program. Safe to run again.

    All tables change in one transaction, or none. No server of an older program runs meanwhile.

    Raises:
        SetupError: there is no library, its database is empty, or a newer program wrote it.
        UnavailableError: the database does not take the change now.
    """
    if not settings.data_keys_path.is_file():
        hint = "Make one with: certlib init. Or name it with --home."
        raise SetupError(f"there is no library at {settings.home}", hint=hint)
    store = open_store(
        settings.database_url,
        home=settings.home,
        data_keys=open_data_keys(settings.data_keys_path.read_bytes(), passphrase(settings)),
        now=now,
        status_list_url=settings.status_list_url,
    )
    try:
        before = _older(store)
        if before != HEAD_REVISION:
            migrate(store)
            detail: dict[str, str | int] = {"from": before, "to": HEAD_REVISION}
            entry = audits.Entry(actor=operator, act="library.upgraded", subject="library", detail=detail)
            audits.note(store, entry, at=now())
    finally:
        close_store(store)
    lib = open_library(settings, now=now)
    try:
        made = ensure_library_keys(lib, operator=operator)
    finally:
        close_library(lib)
    return Upgraded(before=before, after=HEAD_REVISION, keys=tuple(key.purpose for key in made))


def _older(store: Store) -> str:
    """The revision of a database that this program can bring to its own."""
    found = schema_revision(store)
    if found is None:
        raise SetupError("the database is empty", hint="Restore it from its backup, or make a library: certlib init")
    if found > HEAD_REVISION:
        raise SetupError(
            f"the database is at revision {found}, this program knows {HEAD_REVISION} and older",
            hint="Install the program that it was last used with, or a newer one.",
        )
    return found
