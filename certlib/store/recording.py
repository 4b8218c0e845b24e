"""Transaction B of an issuance: the sealed bytes, the licence and its audit record, together."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from sqlalchemy import bindparam, insert, select, update

from certlib.errors import ConflictError, NotFoundError, OwnFaultError
from certlib.model import Status, require_transition
from certlib.store import audits
from certlib.store.blobs import add_bundle, write_bundle
from certlib.store.converting import licence_value, made_value, pdf_binding, sealed_token
from certlib.store.engine import reading, writing
from certlib.store.tables import LICENCE, STATUS_CHANGE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.model import Licence
    from certlib.store.blobs import Bundle
    from certlib.store.cipher import Cipher
    from certlib.store.engine import Store
    from certlib.store.values import MadeLicence


_NEEDED: Final = tuple(
    LICENCE.c[name]
    for name in (
        *("id", "identifier", "state", "pdf_sha256", "agency_code", "type_code", "type_version", "number", "version"),
        *("batch", "operator", "previous_identifier"),
    )
)
"""All but the long columns."""


def record(store: Store, made: Sequence[MadeLicence], *, now: datetime) -> list[Licence]:
    """The licences that `made` became, in the order given; what is returned survives a power cut.

    1. The bytes are what their digests say. 2. All PDFs of the block, each sealed, go into one bundle that reaches
    the disk. 3. One transaction names them, makes the licences active, ends the ones they supersede, and writes the
    audit records. A crash between 2 and 3 leaves a bundle that nobody names. All of `made` are recorded, or none.

    What supersedes a suspended licence is suspended from its first moment on. The same bytes again for an issued
    licence change nothing and give it as it stands.

    Raises:
        NotFoundError: one was never reserved.
        ConflictError: code `already_recorded`: other bytes stand under the identifier (somebody else finished the same
            reservation: reserve again to get what stands); code `already_void`: the reservation was given up.
        IllegalTransitionError: the licence that one of them supersedes has ended in another way meanwhile.
        OwnFaultError: code `wrong_digest`: a PDF is not the one its digest names.
        UnavailableError: the database or the disk does not take it now; nothing was recorded.
    """
    for each in made:
        if hashlib.sha256(each.pdf).hexdigest() != each.pdf_sha256:
            raise OwnFaultError(f"{each.reserved.identifier}: the PDF is not what its digest says", code="wrong_digest")
    unique = _unique(made)
    with reading(store) as conn:
        new = [unique[row["identifier"]] for row in _rows(conn, unique.values()) if _is_new(row, unique)]
    bundle = _bundle(store, new, now) if new else None
    suspended: frozenset[str] = frozenset()
    with writing(store) as conn:
        rows = {row["identifier"]: row for row in _rows(conn, unique.values(), lock=True)}
        pending = [row for row in rows.values() if _is_new(row, unique)]
        if pending and bundle is not None:
            where = {each.reserved.identifier: place for each, place in zip(new, bundle.places, strict=True)}
            bundle_id = add_bundle(conn, bundle, at=now)
            work = [_Work(row, unique[row["identifier"]], bundle_id, *where[row["identifier"]]) for row in pending]
            suspended = _record_rows(store.cipher, conn, work, now)
    licences: dict[str, Licence] = {row["identifier"]: made_value(unique[row["identifier"]]) for row in pending}
    licences |= {each: replace(licences[each], status=Status.SUSPENDED) for each in suspended}
    licences |= _standing(store, rows.keys() - licences.keys())
    return [licences[each.reserved.identifier] for each in made]


def _unique(made: Sequence[MadeLicence]) -> dict[str, MadeLicence]:
    unique: dict[str, MadeLicence] = {}
    for each in made:
        first = unique.setdefault(each.reserved.identifier, each)
        if first.pdf_sha256 != each.pdf_sha256:
            raise _conflict(each.reserved.identifier)
    return unique


def _rows(conn: Connection, made: Iterable[MadeLicence], *, lock: bool = False) -> Sequence[RowMapping]:
    """The rows of `made` in the order of their ids, so that two writers lock them in the same order."""
    identifiers = [each.reserved.identifier for each in made]
    query = select(*_NEEDED).where(LICENCE.c.identifier.in_(identifiers)).order_by(LICENCE.c.id)
    rows = conn.execute(query.with_for_update() if lock else query).mappings().all()
    if len(rows) != len(identifiers):
        missing = min(set(identifiers) - {row["identifier"] for row in rows})
        raise NotFoundError(f"{missing}: nothing is reserved under it")
    return rows


def _standing(store: Store, identifiers: Collection[str]) -> dict[str, Licence]:
    """Licences that were recorded before, as they stand."""
    if not identifiers:
        return {}
    with reading(store) as conn:
        rows = conn.execute(select(LICENCE).where(LICENCE.c.identifier.in_(identifiers))).mappings().all()
    return {row["identifier"]: licence_value(store.cipher, row) for row in rows}


def _is_new(row: RowMapping, made: dict[str, MadeLicence]) -> bool:
    """Whether the row waits to be recorded; False when exactly these bytes stand there."""
    identifier = row["identifier"]
    if row["state"] == "void":
        raise ConflictError(f"{identifier} was given up", identifier=identifier, code="already_void")
    if row["state"] == "issued" and row["pdf_sha256"] != made[identifier].pdf_sha256:
        raise _conflict(identifier)
    return bool(row["state"] == "prepared")


def _bundle(store: Store, made: Sequence[MadeLicence], now: datetime) -> Bundle:
    seal = store.cipher.seal
    return write_bundle(store.home, [seal(each.pdf, pdf_binding(each.reserved.identifier)) for each in made], at=now)


class _Work(NamedTuple):
    """One reservation to be recorded, and where its PDF lies."""

    row: RowMapping
    made: MadeLicence
    bundle_id: int
    offset: int
    length: int


def _record_rows(cipher: Cipher, conn: Connection, work: Sequence[_Work], now: datetime) -> frozenset[str]:
    """Write the rows; the identifiers of those that are suspended from the start."""
    suspended: set[str] = set()
    values: list[dict[str, Any]] = []
    entries: list[audits.Entry] = []
    for each in work:
        made = each.made
        values.append(
            {
                "row_id": each.row["id"],
                "state": "issued",
                "status": str(Status.ACTIVE),
                "timezone": made.timezone,
                "agency_name": made.agency_name,
                "public_json": made.public_json,
                "recorded_at": now,
                "pdf_sha256": made.pdf_sha256,
                "pdf_bundle": each.bundle_id,
                "pdf_offset": each.offset,
                "pdf_length": each.length,
                "pdf_key_id": cipher.key_id,
                "pdf_name": made.pdf_name,
                "token_kid": made.token_kid,
                "seal_kid": made.seal_kid,
                "check_phrase": made.check_phrase,
                "sealed_token": sealed_token(cipher, made.token, made.reserved.identifier),
            }
        )
        entries.append(_issued_entry(each.row, made))
        if each.row["previous_identifier"]:
            ended, old = _supersede(conn, each.row, now)
            entries += ended
            if old is Status.SUSPENDED:
                suspended.add(each.row["identifier"])
                values[-1]["status"] = str(Status.SUSPENDED)
                entries.append(_moved(conn, each.row["id"], each.row, Status.ACTIVE, Status.SUSPENDED, now))
    columns = [name for name in values[0] if name != "row_id"]
    statement = update(LICENCE).where(LICENCE.c.id == bindparam("row_id"))
    conn.execute(statement.values({name: bindparam(name) for name in columns}), values)
    audits.append(conn, entries, at=now)
    return frozenset(suspended)


def _issued_entry(row: RowMapping, made: MadeLicence) -> audits.Entry:
    detail: dict[str, str | int] = {
        "agency": row["agency_code"],
        "type": row["type_code"],
        "type_version": row["type_version"],
        "number": row["number"],
        "version": row["version"],
        "pdf_sha256": made.pdf_sha256,
        "token_kid": made.token_kid,
        "seal_kid": made.seal_kid,
    }
    if row["batch"]:
        detail["batch"] = row["batch"]
    return audits.Entry(
        actor=row["operator"] or row["agency_code"], act="licence.issued", subject=row["identifier"], detail=detail
    )


def _supersede(conn: Connection, row: RowMapping, now: datetime) -> tuple[list[audits.Entry], Status | None]:
    """End the licence that a new one replaces, and say how it stood; one not in this library is nobody's to end."""
    previous = row["previous_identifier"]
    query = select(LICENCE.c.id, LICENCE.c.status).where(LICENCE.c.identifier == previous, LICENCE.c.state == "issued")
    old = conn.execute(query.with_for_update()).one_or_none()
    if old is None:
        return [], None
    status = Status(old.status)
    require_transition(status, Status.SUPERSEDED)
    conn.execute(update(LICENCE).where(LICENCE.c.id == old.id).values(status=str(Status.SUPERSEDED)))
    return [_moved(conn, old.id, row, status, Status.SUPERSEDED, now, subject=previous)], status


def _moved(  # noqa: PLR0913, PLR0917  # one row of one table
    conn: Connection, licence_id: int, row: RowMapping, old: Status, new: Status, now: datetime, *, subject: str = ""
) -> audits.Entry:
    """Put down a change of status that the new licence in `row` brings with it."""
    change = {
        "licence_id": licence_id,
        "old": str(old),
        "new": str(new),
        "reason": "",
        "document_number": "",
        "operator": row["operator"],
        "effective_at": now,
        "recorded_at": now,
    }
    conn.execute(insert(STATUS_CHANGE).values(change))
    detail: dict[str, str | int] = {"from": str(old), "to": str(new)}
    detail["by" if subject else "as"] = row["identifier"] if subject else row["previous_identifier"]
    return audits.Entry(
        actor=row["operator"] or row["agency_code"],
        act="licence.status_changed",
        subject=subject or row["identifier"],
        detail=detail,
    )


def _conflict(identifier: str) -> ConflictError:
    return ConflictError(
        f"other bytes stand under {identifier}", differs=("pdf",), identifier=identifier, code="already_recorded"
    )
