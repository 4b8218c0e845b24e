"""Agencies, the keys of the library and of its agencies, and the licence types that may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from certlib.errors import ConflictError, NotFoundError
from certlib.identifiers import AgencyCode
from certlib.model import Agency, Sha256
from certlib.store import audits
from certlib.store.engine import reading, writing
from certlib.store.tables import AGENCY, LICENCE_TYPE, SIGNING_KEY
from certlib.store.values import KeyRecord, RegisteredType

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store


def add_agency(store: Store, agency: Agency, *, operator: str, now: datetime) -> None:
    """Take in an agency.

    Raises:
        ConflictError: code `agency_exists`: one of this code is there.
    """
    row = {
        "code": agency.code,
        "name": agency.name,
        "name_en": agency.name_en,
        "timezone": agency.timezone,
        "area_code": agency.area_code,
        "created_at": now,
    }
    try:
        with writing(store) as conn:
            conn.execute(insert(AGENCY).values(row))
            entry = audits.Entry(actor=operator, act="agency.added", subject=agency.code, detail={"name": agency.name})
            audits.append(conn, [entry], at=now)
    except IntegrityError as error:
        raise ConflictError(f"agency {agency.code} is in this library already", code="agency_exists") from error


def agency(store: Store, code: str) -> Agency:
    """The agency of this code.

    Raises:
        NotFoundError: code `agency_not_found`.
    """
    _require_code(code, "agency_not_found")
    with reading(store) as conn:
        row = conn.execute(select(AGENCY).where(AGENCY.c.code == code)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"agency {code} is not in this library", code="agency_not_found")
    return _agency(row)


def all_agencies(store: Store) -> tuple[Agency, ...]:
    """Every agency, in the order of codes; may be empty."""
    with reading(store) as conn:
        rows = conn.execute(select(AGENCY).order_by(AGENCY.c.code)).mappings().all()
    return tuple(_agency(row) for row in rows)


def add_key(store: Store, record: KeyRecord, *, operator: str) -> None:
    """Take in a key, as of its `created_at`.

    Raises:
        ConflictError: code `key_exists`: this key is there.
        NotFoundError: code `agency_not_found`: the owner is not in this library.
    """
    if record.owner is not None:
        agency(store, record.owner)
    try:
        with writing(store) as conn:
            conn.execute(insert(SIGNING_KEY).values(_key_row(record)))
            _audit_key(conn, "key.added", record, operator, record.created_at)
    except IntegrityError as error:
        raise ConflictError(f"key {record.kid} is in this library already", code="key_exists") from error


def key(store: Store, kid: str) -> KeyRecord:
    """The key of this id (16 lower-case hex).

    Raises:
        NotFoundError: code `key_not_found`.
    """
    with reading(store) as conn:
        return _locked_key(conn, kid)


def keys(store: Store, *, owner: str | None = None, purpose: str | None = None) -> tuple[KeyRecord, ...]:
    """Keys, oldest first, withdrawn and expired ones included; may be empty.

    `owner` and `purpose` narrow it; without an owner, keys of the library and of all agencies.
    """
    query = select(SIGNING_KEY).order_by(SIGNING_KEY.c.created_at, SIGNING_KEY.c.kid)
    if owner is not None:
        query = query.where(SIGNING_KEY.c.owner == owner)
    if purpose is not None:
        query = query.where(SIGNING_KEY.c.purpose == purpose)
    with reading(store) as conn:
        rows = conn.execute(query).mappings().all()
    return tuple(_key(row) for row in rows)


def certify_key(store: Store, record: KeyRecord, *, operator: str, now: datetime) -> None:
    """Put a certified key in the place of the one that waited under the same id; its bits stay the same.

    Raises:
        NotFoundError: code `key_not_found`.
        ConflictError: code `key_exists`: the key has a certificate already, or is another key.
    """
    with writing(store) as conn:
        waiting = _locked_key(conn, record.kid)
        if waiting.certificate_der is not None or waiting.spki_der != record.spki_der or waiting.owner != record.owner:
            raise ConflictError(f"key {record.kid} does not wait for this certificate", code="key_exists")
        values = _key_row(record)
        conn.execute(update(SIGNING_KEY).where(SIGNING_KEY.c.kid == record.kid).values(values))
        _audit_key(conn, "key.certified", record, operator, now)


def shorten_key(store: Store, kid: str, *, not_after_at: datetime, operator: str, now: datetime) -> None:
    """Let a key end earlier than it was made for. Nothing happens if it ends before that anyway.

    Raises:
        NotFoundError: code `key_not_found`.
    """
    with writing(store) as conn:
        record = _locked_key(conn, kid)
        if record.not_after_at <= not_after_at:
            return
        conn.execute(update(SIGNING_KEY).where(SIGNING_KEY.c.kid == kid).values(not_after_at=not_after_at))
        _audit_key(conn, "key.shortened", record, operator, now, not_after_at=not_after_at.isoformat())


def withdraw_key(  # noqa: PLR0913  # what an auditor asks about a withdrawn key
    store: Store, kid: str, *, withdrawn_at: datetime, reason: str, operator: str, now: datetime
) -> None:
    """Withdraw a key as of `withdrawn_at`, which may lie in the past: nothing signed after it is trusted.

    A key that is withdrawn already may only be withdrawn as of an earlier time.

    Raises:
        NotFoundError: code `key_not_found`.
        ConflictError: code `key_withdrawn`: it was withdrawn as of that time or before.
    """
    with writing(store) as conn:
        record = _locked_key(conn, kid)
        if record.withdrawn_at is not None and record.withdrawn_at <= withdrawn_at:
            raise ConflictError(f"key {kid} is withdrawn already", code="key_withdrawn")
        conn.execute(update(SIGNING_KEY).where(SIGNING_KEY.c.kid == kid).values(withdrawn_at=withdrawn_at))
        _audit_key(conn, "key.withdrawn", record, operator, now, withdrawn_at=withdrawn_at.isoformat(), reason=reason)


def register_type(  # noqa: PLR0913  # the parts of one row
    store: Store,
    *,
    code: str,
    version: int,
    digest: Sha256,
    type_toml: str,
    operator: str,
    now: datetime,
    amends: str = "",
) -> RegisteredType:
    """Let a version of a type be used. The same again changes nothing; an unused version may be put in anew.

    A used one only if it `amends` the digest on record: the caller knows that licences would look the same.

    Raises:
        ConflictError: code `type_frozen`: licences were made with this version, and its folder was another one.
    """
    this = (LICENCE_TYPE.c.code == code) & (LICENCE_TYPE.c.version == version)
    with writing(store) as conn:
        row = conn.execute(select(LICENCE_TYPE).where(this).with_for_update()).mappings().one_or_none()
        if row is not None and row["digest"] == digest:
            return _type(row)
        values = {"digest": digest, "type_toml": type_toml, "registered_at": now}
        if row is None:
            conn.execute(insert(LICENCE_TYPE).values(code=code, version=version, first_used_at=None, **values))
        elif row["first_used_at"] is None or row["digest"] == amends:
            conn.execute(update(LICENCE_TYPE).where(this).values(values))
        else:
            message = f"licences were made with {code} v{version}; a change is a new version"
            raise ConflictError(message, differs=("digest",), code="type_frozen")
        entry = audits.Entry(
            actor=operator, act="type.registered", subject=code, detail={"version": version, "digest": digest}
        )
        audits.append(conn, [entry], at=now)
        return _type(conn.execute(select(LICENCE_TYPE).where(this)).mappings().one())


def type_version(store: Store, code: str, version: int) -> RegisteredType:
    """One registered version of a type.

    Raises:
        NotFoundError: code `type_not_found`.
    """
    this = (LICENCE_TYPE.c.code == code) & (LICENCE_TYPE.c.version == version)
    with reading(store) as conn:
        row = conn.execute(select(LICENCE_TYPE).where(this)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(
            f"type {code} v{version} is not registered", code="type_not_found", hint="See: certlib type list"
        )
    return _type(row)


def current_type(store: Store, code: str) -> RegisteredType:
    """The newest registered version of a type, which new licences are made with.

    Raises:
        NotFoundError: code `type_not_found`.
    """
    _require_code(code, "type_not_found")
    query = select(LICENCE_TYPE).where(LICENCE_TYPE.c.code == code).order_by(LICENCE_TYPE.c.version.desc()).limit(1)
    with reading(store) as conn:
        row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"type {code} is not registered", code="type_not_found", hint="See: certlib type list")
    return _type(row)


def all_types(store: Store) -> tuple[RegisteredType, ...]:
    """Every registered version of every type, by code and version; may be empty."""
    query = select(LICENCE_TYPE).order_by(LICENCE_TYPE.c.code, LICENCE_TYPE.c.version)
    with reading(store) as conn:
        rows = conn.execute(query).mappings().all()
    return tuple(_type(row) for row in rows)


def _require_code(text: str, otherwise: str) -> None:
    """Codes are printable ASCII; drivers choke on some of the rest, and messages do."""
    if not (text.isascii() and text.isprintable()):
        raise NotFoundError("nothing has such a code", code=otherwise)


def _locked_key(conn: Connection, kid: str) -> KeyRecord:
    query = select(SIGNING_KEY).where(SIGNING_KEY.c.kid == kid).with_for_update()
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"key {kid} is not in this library", code="key_not_found")
    return _key(row)


def _audit_key(conn: Connection, act: str, record: KeyRecord, operator: str, now: datetime, **more: str) -> None:
    detail: dict[str, str | int] = {"purpose": record.purpose, "owner": record.owner or "", **more}
    audits.append(conn, [audits.Entry(actor=operator, act=act, subject=record.kid, detail=detail)], at=now)


def _agency(row: RowMapping) -> Agency:
    return Agency(
        code=AgencyCode(row["code"]),
        name=row["name"],
        name_en=row["name_en"],
        timezone=row["timezone"],
        area_code=row["area_code"],
    )


def _key_row(record: KeyRecord) -> dict[str, Any]:
    return {
        "kid": record.kid,
        "purpose": record.purpose,
        "algorithm": record.algorithm,
        "owner": record.owner,
        "uri": record.uri,
        "spki_der": record.spki_der,
        "certificate_der": record.certificate_der,
        "delegation": record.delegation,
        "not_before_at": record.not_before_at,
        "not_after_at": record.not_after_at,
        "withdrawn_at": record.withdrawn_at,
        "created_at": record.created_at,
    }


def _key(row: RowMapping) -> KeyRecord:
    return KeyRecord(
        kid=row["kid"],
        purpose=row["purpose"],
        algorithm=row["algorithm"],
        owner=None if row["owner"] is None else AgencyCode(row["owner"]),
        uri=row["uri"],
        spki_der=bytes(row["spki_der"]),
        certificate_der=None if row["certificate_der"] is None else bytes(row["certificate_der"]),
        delegation=row["delegation"],
        not_before_at=row["not_before_at"],
        not_after_at=row["not_after_at"],
        withdrawn_at=row["withdrawn_at"],
        created_at=row["created_at"],
    )


def _type(row: RowMapping) -> RegisteredType:
    return RegisteredType(
        code=row["code"],
        version=row["version"],
        digest=Sha256(row["digest"]),
        type_toml=row["type_toml"],
        registered_at=row["registered_at"],
        first_used_at=row["first_used_at"],
    )
