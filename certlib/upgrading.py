"""Bringing an older library to this program: its tables, and the keys of the library that it does not have yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from certlib.cataloguing import add_type, shipped_folders
from certlib.config import passphrase
from certlib.enrolling import ensure_library_keys
from certlib.errors import ConflictError, SetupError, TypeFolderError
from certlib.library import close_library, open_library, utc_now
from certlib.press import read_type_folder
from certlib.store import agencies, audits
from certlib.store.cipher import open_data_keys
from certlib.store.engine import HEAD_REVISION, close_store, migrate, open_store, schema_revision

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from certlib.config import Settings
    from certlib.library import Library
    from certlib.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Upgraded:
    """What was done; the same twice over when nothing was."""

    before: str
    """Revision of the tables."""
    after: str
    keys: tuple[str, ...]
    """Purposes of the keys that were made."""
    types: tuple[str, ...] = ()
    """Codes of the shipped types that were taken in, or in anew: they are other only in what stands on no licence."""
    left: tuple[str, ...] = ()
    """Why others stay as they are; a line each."""


def upgrade_library(settings: Settings, *, operator: str, now: Callable[[], datetime] = utc_now) -> Upgraded:
    """Bring the library at `settings.home` to the tables, keys and types of this program. Safe to run again.

    All tables change in one transaction, or none. No server of an older program runs meanwhile. A shipped type whose
    form is another one than licences were issued from stays as it is registered.

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
        types, left = _renewed_types(lib, operator)
    finally:
        close_library(lib)
    keys = tuple(key.purpose for key in made)
    return Upgraded(before=before, after=HEAD_REVISION, keys=keys, types=types, left=left)


def _renewed_types(lib: Library, operator: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Take in the shipped types that are new or other; the codes of those, and why some could not be."""
    known = {(each.code, each.version): each.digest for each in agencies.all_types(lib.store)}
    types, left = [], []
    for path in shipped_folders():
        folder = read_type_folder(path)
        code, version = folder.licence_type.code, folder.licence_type.version
        if known.get((code, version)) == folder.digest:
            continue
        try:
            add_type(lib, path, operator=operator)
            types.append(code)
        except (ConflictError, TypeFolderError) as error:
            left.append(f"{code} v{version}: {error}")
    return tuple(types), tuple(left)


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
