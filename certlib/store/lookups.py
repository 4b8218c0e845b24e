"""Finding issued licences. Each look-up by key is one read of one index."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import date
from threading import Lock
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import psycopg
from sqlalchemy import select, text

from certlib.errors import NotFoundError, OwnFaultError, UnavailableError
from certlib.identifiers import MAX_IDENTIFIER_CHARS, LicenceIdentifier, PublicCode
from certlib.model import Status
from certlib.store.blobs import read_piece
from certlib.store.converting import holder_index, licence_value, pdf_binding
from certlib.store.engine import BUSY_TIMEOUT_MS, is_sqlite, reading
from certlib.store.reserving import images_of
from certlib.store.tables import BUNDLE, LICENCE, LICENCE_HOLDER
from certlib.store.values import PublicRow

if TYPE_CHECKING:
    from certlib.model import Licence
    from certlib.store.engine import Store

_COLUMNS: Final = "identifier, public_code, status, effective_on, expires_on, timezone, public_json"
_BY_CODE: Final = f"SELECT {_COLUMNS} FROM licence WHERE public_code = ? AND state = 'issued'"  # noqa: S608  # constant
_BY_IDENTIFIER: Final = _BY_CODE.replace("public_code = ?", "identifier = ?")
_SUCCESSOR: Final = (
    "SELECT identifier FROM licence WHERE previous_identifier = ? AND previous_identifier <> '' AND state = 'issued' "
    "ORDER BY id DESC LIMIT 1"
)
READER_CACHE_KIB: Final = 64 * 1024
"""Keeps the upper levels of the indexes in memory at millions of rows; taken only as it is used."""
_MAX_FOUND: Final = 500
"""More hits than this are a search too wide, not an answer (China profile, 7.6)."""


def licence_by_code(store: Store, code: PublicCode) -> Licence:
    """The licence with this public code, normalised.

    Raises:
        NotFoundError: none.
    """
    return _licence(store, LICENCE.c.public_code, code)


def licence_by_identifier(store: Store, identifier: str) -> Licence:
    """The licence with this identifier.

    Raises:
        NotFoundError: none; a reservation that was not recorded is none.
    """
    return _licence(store, LICENCE.c.identifier, identifier)


def licence_by_pdf_sha256(store: Store, pdf_sha256: str) -> Licence:
    """The licence whose sealed PDF has this digest (64 lower-case hex).

    Raises:
        NotFoundError: none.
    """
    return _licence(store, LICENCE.c.pdf_sha256, pdf_sha256)


def licences_by_number(store: Store, *, agency_code: str, type_code: str, number: str) -> tuple[Licence, ...]:
    """All versions under a number, oldest first; may be empty."""
    if not number.isprintable():  # PostgreSQL takes no NUL; no number has one
        return ()
    query = select(LICENCE).where(
        LICENCE.c.agency_code == agency_code,
        LICENCE.c.type_code == type_code,
        LICENCE.c.number == number,
        text("state <> 'void'"),
        LICENCE.c.state == "issued",
    )
    with reading(store) as conn:
        rows = conn.execute(query.order_by(LICENCE.c.version)).mappings().all()
    return tuple(licence_value(store.cipher, row) for row in rows)


def licences_by_holder(store: Store, code: str) -> tuple[Licence, ...]:
    """The issued licences of a holder code, oldest first, at most 500; may be empty."""
    query = (
        select(LICENCE)
        .join(LICENCE_HOLDER, LICENCE_HOLDER.c.licence_id == LICENCE.c.id)
        .where(LICENCE_HOLDER.c.code_index == holder_index(store.cipher, code), LICENCE.c.state == "issued")
        .order_by(LICENCE.c.id)
        .limit(_MAX_FOUND)
    )
    with reading(store) as conn:
        rows = conn.execute(query).mappings().all()
    return tuple(licence_value(store.cipher, row) for row in rows)


def successor_of(store: Store, identifier: str) -> Licence | None:
    """The licence that names `identifier` as its previous one, the newest if there are several."""
    query = (
        select(LICENCE)
        .where(
            LICENCE.c.previous_identifier == identifier,
            text("previous_identifier <> ''"),
            LICENCE.c.state == "issued",
        )
        .order_by(LICENCE.c.id.desc())
        .limit(1)
    )
    with reading(store) as conn:
        row = conn.execute(query).mappings().one_or_none()
    return None if row is None else licence_value(store.cipher, row)


def pdf_of(store: Store, licence: Licence) -> bytes:
    """The sealed PDF as it was recorded, its digest checked.

    Raises:
        NotFoundError: no such licence.
        OwnFaultError: code `blob_missing`: the file is gone; `unreadable_record`: the stored bytes were changed.
    """
    query = (
        select(LICENCE.c.pdf_offset, LICENCE.c.pdf_length, LICENCE.c.pdf_key_id, BUNDLE.c.name)
        .join(BUNDLE, BUNDLE.c.id == LICENCE.c.pdf_bundle)
        .where(LICENCE.c.identifier == licence.identifier)
    )
    with reading(store) as conn:
        row = conn.execute(query).one_or_none()
    if row is None:
        raise NotFoundError(f"{licence.identifier}: no PDF is recorded")
    sealed = read_piece(store.home, row.name, row.pdf_offset, row.pdf_length)
    pdf = store.cipher.open(sealed, pdf_binding(licence.identifier), row.pdf_key_id)
    if hashlib.sha256(pdf).hexdigest() != licence.pdf_sha256:
        raise OwnFaultError(f"{licence.identifier}: the PDF is not what its digest says", code="unreadable_record")
    return pdf


def image_of(store: Store, licence: Licence, field: str) -> bytes:
    """The bytes of an image field, as they were given.

    Raises:
        NotFoundError: no such licence or image.
        OwnFaultError: code `unreadable_record`.
    """
    with reading(store) as conn:
        licence_id = conn.execute(select(LICENCE.c.id).where(LICENCE.c.identifier == licence.identifier)).scalar()
    images = {} if licence_id is None else images_of(store, licence_id, licence.identifier)
    if field not in images:
        raise NotFoundError(f"{licence.identifier}: no image {field}")
    return images[field]


def public_row(store: Store, key: str) -> PublicRow:
    """What the public look-up shows of the licence with this public code or identifier.

    Raises:
        NotFoundError: none.
    """
    column = LICENCE.c.identifier if "." in key else LICENCE.c.public_code
    query = select(*(LICENCE.c[name] for name in _COLUMNS.split(", "))).where(
        column == key, LICENCE.c.state == "issued"
    )
    with reading(store) as conn:
        row = conn.execute(query).one_or_none() if _may_be_key(key) else None
    if row is None:
        raise NotFoundError("nothing is known under this key")
    return _public_row(tuple(row))


@dataclass(slots=True)
class PublicReader:
    """One read-only connection of the raw driver, for the hot path; read what was committed before each call.

    Made by `open_public_reader`, one per worker process. Calls do not overlap: a lock stands guard.
    """

    _connect: Any
    _connection: Any
    _lock: Lock

    def read(self, key: str) -> PublicRow | None:
        """What is public about the licence with this public code (normalised) or identifier; None if there is none.

        Raises:
            UnavailableError: the database does not answer.
        """
        with self._lock:
            row = self._row(_BY_IDENTIFIER if "." in key else _BY_CODE, key)
        return None if row is None else _public_row(row)

    def successor(self, identifier: str) -> str:
        """Identifier of the newest licence that names `identifier` as its previous one, or empty.

        Raises:
            UnavailableError: the database does not answer.
        """
        with self._lock:
            row = self._row(_SUCCESSOR, identifier)
        return "" if row is None else str(row[0])

    def _row(self, query: str, key: str) -> Any:  # noqa: ANN401  # a driver's tuple
        if not _may_be_key(key):
            return None
        try:
            if isinstance(self._connection, sqlite3.Connection):
                return self._connection.execute(query, (key,)).fetchone()
            query = query.replace("?", "%s")
            try:
                return self._connection.execute(query, (key,), prepare=True).fetchone()
            except psycopg.OperationalError:
                # The server was restarted or dropped us: one new connection, one more try.
                self._connection.close()
                self._connection = self._connect()
                return self._connection.execute(query, (key,), prepare=True).fetchone()
        except (sqlite3.Error, psycopg.Error) as error:
            raise UnavailableError("the database does not answer now") from error

    def close(self) -> None:
        """Give back the connection."""
        self._connection.close()


def open_public_reader(store: Store) -> PublicReader:
    """A reader of its own connection. The caller closes it.

    Raises:
        UnavailableError: the database does not answer.
    """
    url = store.engine.url

    def sqlite() -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"file:{quote(str(url.database))}?mode=ro", uri=True, check_same_thread=False, isolation_level=None
        )
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA query_only=ON")
        connection.execute(f"PRAGMA cache_size=-{READER_CACHE_KIB}")
        return connection

    def postgresql() -> psycopg.Connection[tuple[Any, ...]]:
        plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(plain, autocommit=True)
        connection.execute("SET default_transaction_read_only = on")
        return connection

    connect = sqlite if is_sqlite(store) else postgresql
    try:
        return PublicReader(_connect=connect, _connection=connect(), _lock=Lock())
    except (sqlite3.OperationalError, psycopg.OperationalError) as error:
        raise UnavailableError("the database does not answer now") from error


def _licence(store: Store, column: Any, key: str) -> Licence:  # noqa: ANN401  # a column
    query = select(LICENCE).where(column == key, LICENCE.c.state == "issued")
    with reading(store) as conn:
        row = conn.execute(query).mappings().one_or_none() if _may_be_key(key) else None
    if row is None:
        raise NotFoundError("no licence is known under this key")
    return licence_value(store.cipher, row)


def _may_be_key(key: str) -> bool:
    """Keys are short and printable ASCII; drivers choke on some of the rest."""
    return len(key) <= MAX_IDENTIFIER_CHARS and key.isascii() and key.isprintable()


def _public_row(row: tuple[Any, ...]) -> PublicRow:
    identifier, public_code, status, effective_on, expires_on, timezone, public_json = row
    return PublicRow(
        identifier=LicenceIdentifier(identifier),
        public_code=PublicCode(public_code),
        status=Status(status),
        effective_on=_day(effective_on),
        expires_on=None if expires_on is None else _day(expires_on),
        timezone=timezone,
        public_json=bytes(public_json),
    )


def _day(value: date | str) -> date:
    """The raw SQLite driver gives dates as text."""
    return date.fromisoformat(value) if isinstance(value, str) else value
