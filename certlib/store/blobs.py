"""Bundles: one file holds the sealed bytes of a whole block, written once and flushed before any row names it.

A bundle that no row names (a crash came between) is an orphan: harmless, and removed by `remove_orphans`.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from certlib.errors import OwnFaultError, UnavailableError
from certlib.store.engine import reading
from certlib.store.tables import BUNDLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy import Connection

    from certlib.store.engine import Store

FOLDER = "blobs"
_SUFFIX = ".bundle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Bundle:
    """A file that has reached the disk."""

    name: str
    """Relative to the blobs' folder, `2026/11/22/<32 hex>.bundle`."""
    places: tuple[tuple[int, int], ...]
    """Offset and length in bytes of each piece, in the order given."""
    size_bytes: int


def write_bundle(home: Path, pieces: Sequence[bytes], *, at: datetime) -> Bundle:
    """A new file with `pieces` one after another; on return the file and its folder have reached the disk.

    Raises:
        UnavailableError: it could not be written, for example because the disk is full. Nothing names the rest.
    """
    name = f"{at:%Y/%m/%d}/{secrets.token_hex(16)}{_SUFFIX}"
    path = home / FOLDER / name
    places, offset = [], 0
    try:
        _make_folder(path.parent, home)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb", buffering=1 << 20) as file:
            for piece in pieces:
                file.write(piece)
                places.append((offset, len(piece)))
                offset += len(piece)
            file.flush()
            os.fsync(file.fileno())
        _flush_folder(path.parent)
    except OSError as error:
        raise UnavailableError(f"a bundle could not be written: {error.strerror}") from error
    return Bundle(name=name, places=tuple(places), size_bytes=offset)


def add_bundle(conn: Connection, bundle: Bundle, *, at: datetime) -> int:
    """Name a written bundle in the database, inside the caller's transaction; its row id."""
    row = {"name": bundle.name, "size_bytes": bundle.size_bytes, "created_at": at}
    return int(conn.execute(insert(BUNDLE).values(row).returning(BUNDLE.c.id)).scalar_one())


def read_piece(home: Path, name: str, offset: int, length: int) -> bytes:
    """The bytes of one piece, as they lie.

    Raises:
        OwnFaultError: code `blob_missing`, the file is gone; `unreadable_record`, it is shorter than its row says.
    """
    try:
        with (home / FOLDER / name).open("rb", buffering=0) as file:
            data = os.pread(file.fileno(), length, offset)
    except FileNotFoundError as error:
        hint = "Restore the blobs folder from its backup."
        raise OwnFaultError(f"bundle {name} is missing", code="blob_missing", hint=hint) from error
    except OSError as error:
        raise UnavailableError(f"bundle {name} cannot be read: {error.strerror}") from error
    if len(data) != length:
        raise OwnFaultError(f"bundle {name} is shorter than its rows say", code="unreadable_record")
    return data


def bundle_names(home: Path) -> Iterator[str]:
    """The names of all bundles on disk, in the order of their days."""
    root = home / FOLDER
    for path in sorted(root.glob(f"*/*/*/*{_SUFFIX}")):
        yield path.relative_to(root).as_posix()


def remove_orphans(store: Store, *, older_than: datetime) -> tuple[str, ...]:
    """Remove the bundles that no row names and that were written before `older_than`; the names removed.

    The caller leaves running writers their time, a day for example: they write first and name afterwards.
    """
    removed = []
    names = list(bundle_names(store.home))  # before the rows, so that a bundle named meanwhile is known
    with reading(store) as conn:
        known = set(conn.execute(select(BUNDLE.c.name)).scalars())
    for name in names:
        path = store.home / FOLDER / name
        if name not in known and path.stat().st_mtime < older_than.timestamp():
            path.unlink()
            removed.append(name)
    return tuple(removed)


def _make_folder(folder: Path, home: Path) -> None:
    """Make `folder` and flush each folder that got a new entry."""
    if folder.is_dir():
        return
    missing = [
        each for each in (folder, *folder.parents) if each != home and home in each.parents and not each.is_dir()
    ]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in missing:
        _flush_folder(each.parent)


def _flush_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
