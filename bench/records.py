"""Synthetic records by the million, straight into SQLite, for look-ups in large libraries.

Each row is a real one that the library made, under an identifier, a code, a number and an index of its own. Only the
table that look-ups read is filled: no audit, no holder index, no blobs. Never do this to a library that matters.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

from bench.library import issued
from bench.table import progress
from certlib.identifiers import public_code
from certlib.library import Library, close_library, open_library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certlib.config import Settings

PATTERNS = 64
"""Real rows that the synthetic ones are copies of."""
SHARD_BITS = 19
"""A status list takes half of its 2^20 places."""
_ODD = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""Multiplying by an odd number modulo 2^128 gives different, scattered codes."""
_MASK = (1 << 128) - 1
_LARGE_INDEXES = ("uq_licence_natural_key", "ix_licence_pdf_sha256")
_FAST = (
    "PRAGMA journal_mode=OFF",
    "PRAGMA synchronous=OFF",
    "PRAGMA locking_mode=EXCLUSIVE",
    "PRAGMA cache_size=-2000000",
)


def code_of(number: int) -> str:
    """The public code of the synthetic record `number`, which counts from 1."""
    return public_code(((number * _ODD) & _MASK).to_bytes(16))


def identifier_of(prefix: str, number: int) -> str:
    """An identifier as long as the real ones; its check character is not computed."""
    return f"{prefix}.20261122{code_of(number)[:12]}.001.0"


def filled(settings: Settings, count: int) -> Path:
    """The library's database, with `count` synthetic records beside a block of real ones."""
    lib = open_library(settings)
    try:
        issued(lib, PATTERNS)
        path = _database(lib)
    finally:
        close_library(lib)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as conn:
        for pragma in _FAST:
            conn.execute(pragma)
        conn.row_factory = sqlite3.Row
        patterns = [dict(row) for row in conn.execute("SELECT * FROM licence ORDER BY id")]
        conn.row_factory = None
        # The large indexes are made afterwards, in one sorted pass each; none of the rows enters the small ones.
        indexes = conn.execute("SELECT name, sql FROM sqlite_master WHERE name IN (?, ?)", _LARGE_INDEXES).fetchall()
        for name, _sql in indexes:
            conn.execute(f'DROP INDEX "{name}"')
        columns = list(patterns[0])
        marks = ", ".join("?" * len(columns))
        conn.execute("BEGIN")
        conn.executemany(
            f"INSERT INTO licence ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608  # the table's own columns
            _rows(patterns, count),
        )
        for name, sql in indexes:
            progress(f"index {name}")
            conn.execute(sql)
        conn.execute("COMMIT")
        conn.execute("PRAGMA locking_mode=NORMAL")
        conn.execute("PRAGMA journal_mode=WAL").fetchone()
        conn.execute("SELECT count(*) FROM licence_type").fetchone()
    progress("")
    return path


def _database(lib: Library) -> Path:
    path = lib.settings.home / "certlib.sqlite"
    if not path.is_file():
        raise SystemExit("the bench fills SQLite libraries in their default place only")
    return path


def _rows(patterns: list[dict[str, Any]], count: int) -> Iterator[tuple[Any, ...]]:
    first = 1 + max(row["id"] for row in patterns)
    places = [list(row) for row in patterns]
    where = {name: place for place, name in enumerate(places[0])}
    values = [list(row.values()) for row in patterns]
    prefixes = [row["identifier"].rsplit(".", 3)[0] for row in patterns]
    shift = 1 + max(row["status_shard"] for row in patterns)
    code, identifier, number = where["public_code"], where["identifier"], where["number"]
    serial, shard, index, digest = where["serial"], where["status_shard"], where["status_index"], where["pdf_sha256"]
    for each in range(1, count + 1):
        pattern = each % len(values)
        row = values[pattern]
        row[where["id"]] = first + each
        row[code] = code_of(each)
        row[identifier] = identifier_of(prefixes[pattern], each)
        row[serial] = row[identifier].rsplit(".", 3)[1]
        row[number] = f"N{each:017d}"
        row[shard], row[index] = shift + (each >> SHARD_BITS), each & ((1 << SHARD_BITS) - 1)
        row[digest] = f"{(each * _ODD) & _MASK:064x}"
        yield tuple(row)
        if each % 500_000 == 0:
            progress(f"{each:,} of {count:,} records")
