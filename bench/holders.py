"""Synthetic records that can be asked about: each with a holder of its own, sealed under its own identifier."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from bench.records import PATTERNS, filled
from bench.register import uscc
from bench.table import progress
from certlib.library import close_library, open_library
from certlib.store import lookups
from certlib.store.converting import holder_index, sealed_content

if TYPE_CHECKING:
    from certlib.config import Settings
    from certlib.library import Library

FIRST = PATTERNS
"""Number of the first synthetic holder: those before it have real licences."""


def filled_with_holders(settings: Settings, count: int) -> None:
    """Fill the library with `count` business licences; the holder and number of the n-th is `uscc(FIRST + n)`.

    Values are those of real rows, resealed. There is no PDF behind them, and no audit record.
    """
    path = filled(settings, count)
    lib = open_library(settings)
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as conn:
            _give_holders(lib, conn, count)
    finally:
        close_library(lib)
    progress("")


def _give_holders(lib: Library, conn: sqlite3.Connection, count: int) -> None:
    cipher = lib.store.cipher
    rows = conn.execute("SELECT id, identifier, number FROM licence ORDER BY id").fetchall()
    patterns = []
    for _id, identifier, _number in rows[:PATTERNS]:
        licence = lookups.licence_by_identifier(lib.store, identifier)
        patterns.append((licence, licence.token.encode()))
    conn.execute("BEGIN")
    for place, (licence_id, identifier, _number) in enumerate(rows[PATTERNS : PATTERNS + count]):
        code = uscc(FIRST + place)
        # As `bench.records` made them: the pattern of a row follows from its number, which counts from 1.
        licence, token = patterns[(place + 1) % len(patterns)]
        personal = {
            "holders": [[licence.holders[0].name, code, licence.holders[0].code_type]],
            "fields": dict(licence.fields),
            "images": {},
        }
        conn.execute(
            "UPDATE licence SET number = ?, key_id = ?, sealed = ?, sealed_token = ? WHERE id = ?",
            (
                code,
                cipher.key_id,
                sealed_content(cipher, personal, identifier),
                cipher.seal(token, f"token:{identifier}"),
                licence_id,
            ),
        )
        conn.execute(
            "INSERT INTO licence_holder (licence_id, position, code_index) VALUES (?, 0, ?)",
            (licence_id, holder_index(cipher, code)),
        )
        if place % 20_000 == 0:
            progress(f"holder {place:,} of {count:,}")
    conn.execute("COMMIT")
