"""Uses in the database: requested, granted, declined, withdrawn. Each step is one transaction with its audit record.

Locks are taken in one order: consent, use, licence, counted day, head of the audit chain.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from certlib.errors import ConflictError, ForbiddenError, LimitReachedError, NotFoundError
from certlib.grants import Asking, Basis, Interface
from certlib.store import audits
from certlib.store.converting import holder_index
from certlib.store.engine import reading, writing
from certlib.store.tables import LICENCE
from certlib.store.tables_sharing import LOOK
from certlib.store.tables_uses import SHARING_USE, USE_LICENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store

    Redeem = Callable[[Connection], tuple[str, Sequence[str]]]
    """Uses up a consent inside the transaction: the holder's code, and identifiers of the licences found."""

LISTED: Final = 500
MAX_WAITING: Final = 5
"""Requests of one agency that may wait for one holder: more of them is pestering."""
HOLDER: Final = "holder"


class UseState(StrEnum):
    """Where a use stands. Wire-stable; `expired` is derived, never stored."""

    PENDING = "pending"
    GRANTED = "granted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    """The holder took the consent back."""
    EXPIRED = "expired"


REFUSED: Final = {
    UseState.DECLINED: ("the holder declined", "use_declined"),
    UseState.WITHDRAWN: ("the holder took the consent back", "consent_withdrawn"),
    UseState.EXPIRED: ("its time is over", "use_expired"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """What a use is about, of one type."""

    type_code: str
    fields: tuple[str, ...]
    """Those that were granted and asked for; nothing beyond them ever leaves."""
    grants: tuple[str, ...]
    """Ids of the grants that stood behind it when it was asked, one for each interface."""
    clause: str
    """The law that the statutory grant names, or empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """One use, bound to all that it was asked with."""

    id: str
    """The use code: 26 hex characters."""
    agency_code: str
    client_id: str
    asking: Asking
    interfaces: tuple[Interface, ...]
    """`data`, `file`, or both."""
    parts: tuple[Part, ...]
    basis: Basis
    state: UseState
    made_at: datetime
    expires_at: datetime
    """Of the request while it waits, then of the use."""
    decided_at: datetime | None
    decided_by: str
    """`law`, `code`, or who answered for the holder; empty while it waits."""
    holder_code: str
    """As asked; empty for a use that named a licence."""
    identifier: str
    """The licence that was named, or empty."""


def place(  # noqa: PLR0913  # what makes one use
    store: Store,
    new: Use,
    *,
    request_id: str,
    given: bytes,
    found: Sequence[str] = (),
    redeem: Redeem | None = None,
) -> tuple[Use, bool]:
    """Keep a use, pending or granted; with `redeem` a consent is used up in the same transaction.

    Gives the use, and whether it is new: the same `given` under the same request id gives the use that stands.

    Raises:
        ConflictError: code `other_use`: something else was asked for under this request id.
        LimitReachedError: code `too_many_waiting`: the holder has enough to answer.
    """
    row = _row(store, new) | {"request_id": request_id, "request_digest": store.cipher.digest("use", given)}
    try:
        with writing(store) as conn:
            if (known := _by_request(conn, new.agency_code, request_id)) is not None:
                return _same(store, known, row["request_digest"], new.made_at), False
            if redeem is not None:
                holder_code, found = redeem(conn)
                new = replace(new, holder_code=holder_code)
                row |= _row(store, new)
            elif new.state is UseState.PENDING:
                _require_few(conn, row, new.made_at)
            conn.execute(insert(SHARING_USE).values(row))
            _bind(conn, new.id, found)
            act = "use.requested" if new.state is UseState.PENDING else "use.granted"
            audits.append(conn, [_entry(row, act, actor=new.asking.operator)], at=new.made_at)
    except IntegrityError:  # the same request at the same moment
        with reading(store) as conn:
            known = _by_request(conn, new.agency_code, request_id)
        if known is None:
            raise
        return _same(store, known, row["request_digest"], new.made_at), False
    return new, True


def decide(  # noqa: PLR0913  # who decides what, until when
    store: Store,
    use_id: str,
    *,
    holder_code: str,
    approve: bool,
    by: str,
    found: Sequence[str],
    now: datetime,
    expires_at: datetime,
    first: Callable[[Connection], None] | None = None,
) -> Use:
    """The holder's word on a request: approved, it is bound to `found` until `expires_at`. No also takes back a yes.

    The same word again changes nothing. `first` judges, in the transaction, whether the word still counts.

    Raises:
        NotFoundError: no such request of this holder.
        ConflictError: code `request_expired`, `already_decided`.
    """
    index = holder_index(store.cipher, holder_code)
    with writing(store) as conn:
        if first is not None:
            first(conn)
        row = _locked(conn, use_id)
        if row is None or row["holder_index"] != index or row["basis"] != Basis.CONSENT.value:
            raise NotFoundError("no request is known under this code", code="request_not_found")
        known = _use(store, row, now=now)
        stored = UseState(row["state"])
        wanted = UseState.GRANTED if approve else UseState.DECLINED
        if stored is UseState.GRANTED and not approve:
            wanted = UseState.WITHDRAWN
        elif stored is wanted or (stored is UseState.WITHDRAWN and not approve):
            return known
        elif stored is not UseState.PENDING:
            raise ConflictError(f"this request is {stored}", code="already_decided")
        if known.state is UseState.EXPIRED:
            raise ConflictError("this request has expired", code="request_expired")
        values: dict[str, Any] = {"state": wanted.value, "decided_at": now, "decided_by": by}
        if wanted is UseState.GRANTED:
            values["expires_at"] = expires_at
            _bind(conn, use_id, found)
        conn.execute(update(SHARING_USE).where(SHARING_USE.c.id == use_id).values(values))
        act = {"granted": "use.consent", "declined": "use.declined", "withdrawn": "use.withdrawn"}[wanted.value]
        audits.append(conn, [_entry(row, act, actor=by)], at=now)
    return use(store, use_id, now=now)


def use(store: Store, use_id: str, *, now: datetime) -> Use:
    """One use.

    Raises:
        NotFoundError: code `use_not_found`.
    """
    with reading(store) as conn:
        row = conn.execute(select(SHARING_USE).where(SHARING_USE.c.id == use_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no use is known under this code", code="use_not_found")
    return _use(store, row, now=now)


def require_granted(conn: Connection, known: Use, *, now: datetime) -> None:
    """Pass if the use still stands, and let it stand until the caller's transaction ends.

    Raises:
        ForbiddenError: it was taken back or has expired since it was read.
    """
    row = _locked(conn, known.id)
    state = UseState.WITHDRAWN if row is None else derived_state(UseState(row["state"]), row["expires_at"], now)
    if state is not UseState.GRANTED:
        reason, code = REFUSED.get(state, ("it is not granted", "use_not_granted"))
        raise ForbiddenError(reason, code=code)


def derived_state(stored: UseState, expires_at: datetime, now: datetime) -> UseState:
    """Where a use stands at `now`."""
    open_ = stored in (UseState.PENDING, UseState.GRANTED)
    return UseState.EXPIRED if open_ and now >= expires_at else stored


def licences_of(store: Store, use_id: str) -> tuple[str, ...]:
    """Identifiers of the licences that the use is bound to, oldest first; may be empty."""
    joined = USE_LICENCE.join(LICENCE, LICENCE.c.id == USE_LICENCE.c.licence_id)
    query = select(LICENCE.c.identifier).select_from(joined).where(USE_LICENCE.c.use_id == use_id)
    with reading(store) as conn:
        return tuple(conn.execute(query.order_by(LICENCE.c.id)).scalars())


def note_words(conn: Connection, use_id: str, words: Mapping[str, str], *, now: datetime) -> None:
    """Put down what was said of the licences of a use, identifier -> word, inside the caller's transaction."""
    for identifier, word in words.items():
        licence_id = select(LICENCE.c.id).where(LICENCE.c.identifier == identifier).scalar_subquery()
        this = (USE_LICENCE.c.use_id == use_id, USE_LICENCE.c.licence_id == licence_id)
        conn.execute(update(USE_LICENCE).where(*this).values(word=word, read_at=now))


def words_of(store: Store, use_id: str) -> dict[str, tuple[str, datetime]]:
    """What was last said of the licences that were read under a use: identifier -> word and when; oldest first."""
    joined = USE_LICENCE.join(LICENCE, LICENCE.c.id == USE_LICENCE.c.licence_id)
    query = select(LICENCE.c.identifier, USE_LICENCE.c.word, USE_LICENCE.c.read_at).select_from(joined)
    query = query.where(USE_LICENCE.c.use_id == use_id, USE_LICENCE.c.word != "").order_by(LICENCE.c.id)
    with reading(store) as conn:
        return {row.identifier: (row.word, row.read_at) for row in conn.execute(query)}


def count_looks(store: Store, use_id: str) -> int:
    """How many looks stand under a use."""
    with reading(store) as conn:
        query = select(func.count()).select_from(LOOK).where(LOOK.c.reference == use_id, text("reference <> ''"))
        return int(conn.execute(query).scalar_one())


def open_uses(store: Store, agency_code: str, *, now: datetime) -> tuple[Use, ...]:
    """What an agency waits for or may still read, newest first, at most `LISTED`."""
    query = select(SHARING_USE).where(
        SHARING_USE.c.agency_code == agency_code,
        SHARING_USE.c.expires_at > now,
        SHARING_USE.c.state.in_((UseState.PENDING.value, UseState.GRANTED.value)),
    )
    return _listed(store, query, now)


def requests_of(store: Store, holder_code: str, *, now: datetime) -> tuple[Use, ...]:
    """What a holder was asked to agree to, or agreed to by a code, newest first, at most `LISTED`."""
    index = holder_index(store.cipher, holder_code)
    query = select(SHARING_USE).where(SHARING_USE.c.holder_index == index, SHARING_USE.c.basis == Basis.CONSENT.value)
    return _listed(store, query, now)


def _listed(store: Store, query: Any, now: datetime) -> tuple[Use, ...]:  # noqa: ANN401  # a query
    query = query.order_by(SHARING_USE.c.made_at.desc(), SHARING_USE.c.id).limit(LISTED)
    with reading(store) as conn:
        return tuple(_use(store, row, now=now) for row in conn.execute(query).mappings())


def _require_few(conn: Connection, row: dict[str, Any], now: datetime) -> None:
    query = select(func.count()).where(
        SHARING_USE.c.holder_index == row["holder_index"],
        SHARING_USE.c.agency_code == row["agency_code"],
        SHARING_USE.c.state == UseState.PENDING.value,
        SHARING_USE.c.expires_at > now,
    )
    if conn.execute(query).scalar_one() >= MAX_WAITING:
        raise LimitReachedError(
            f"{MAX_WAITING} requests of yours wait for this holder already", code="too_many_waiting"
        )


def _bind(conn: Connection, use_id: str, identifiers: Sequence[str]) -> None:
    if identifiers:
        ids = conn.execute(select(LICENCE.c.id).where(LICENCE.c.identifier.in_(identifiers[:LISTED]))).scalars().all()
        conn.execute(
            insert(USE_LICENCE),
            [{"use_id": use_id, "licence_id": each, "word": "", "read_at": None} for each in sorted(ids)],
        )


def _locked(conn: Connection, use_id: str) -> RowMapping | None:
    query = select(SHARING_USE).where(SHARING_USE.c.id == use_id).with_for_update()
    return conn.execute(query).mappings().one_or_none()


def _by_request(conn: Connection, agency_code: str, request_id: str) -> RowMapping | None:
    if not request_id:
        return None
    query = select(SHARING_USE).where(SHARING_USE.c.agency_code == agency_code, SHARING_USE.c.request_id == request_id)
    return conn.execute(query).mappings().one_or_none()


def _same(store: Store, row: RowMapping, digest: bytes, now: datetime) -> Use:
    if bytes(row["request_digest"]) != digest:
        raise ConflictError("something else was asked for under this request id", code="other_use")
    return _use(store, row, now=now)


def _entry(row: Any, act: str, *, actor: str) -> audits.Entry:  # noqa: ANN401  # a row
    """The audit record of a step; nothing personal is in it."""
    parts = json.loads(row["parts"])
    detail: dict[str, str | int] = {
        "agency": row["agency_code"],
        "client": row["client_id"],
        "matter": row["matter_code"],
        "case": row["case_number"],
        "basis": row["basis"],
        "interfaces": row["interfaces"],
        "types": " ".join(part["type"] for part in parts),
        "grants": " ".join(grant for part in parts for grant in part["grants"]),
    }
    return audits.Entry(actor=actor or HOLDER, act=act, subject=row["id"], detail=detail)


def _binding(use_id: str) -> str:
    return f"use:{use_id}"


def _row(store: Store, new: Use) -> dict[str, Any]:
    secret = {"purpose": new.asking.purpose, "holder_code": new.holder_code, "identifier": new.identifier}
    parts = [
        {"type": part.type_code, "fields": part.fields, "grants": part.grants, "clause": part.clause}
        for part in new.parts
    ]
    return {
        "id": new.id,
        "agency_code": new.agency_code,
        "client_id": new.client_id,
        "operator": new.asking.operator,
        "matter_code": new.asking.matter_code,
        "case_number": new.asking.case_number,
        "parts": json.dumps(parts, ensure_ascii=False),
        "interfaces": " ".join(new.interfaces),
        "basis": new.basis.value,
        "state": new.state.value,
        "made_at": new.made_at,
        "expires_at": new.expires_at,
        "decided_at": new.decided_at,
        "decided_by": new.decided_by,
        "holder_index": holder_index(store.cipher, new.holder_code) if new.holder_code else None,
        "key_id": store.cipher.key_id,
        "sealed": store.cipher.seal(json.dumps(secret, ensure_ascii=False).encode(), _binding(new.id)),
    }


def _use(store: Store, row: RowMapping, *, now: datetime) -> Use:
    secret = json.loads(store.cipher.open(row["sealed"], _binding(row["id"]), row["key_id"]))
    return Use(
        id=row["id"],
        agency_code=row["agency_code"],
        client_id=row["client_id"],
        asking=Asking(
            matter_code=row["matter_code"],
            case_number=row["case_number"],
            purpose=secret["purpose"],
            operator=row["operator"],
        ),
        interfaces=tuple(map(Interface, row["interfaces"].split())),
        parts=tuple(
            Part(
                type_code=each["type"],
                fields=tuple(each["fields"]),
                grants=tuple(each["grants"]),
                clause=each["clause"],
            )
            for each in json.loads(row["parts"])
        ),
        basis=Basis(row["basis"]),
        state=derived_state(UseState(row["state"]), row["expires_at"], now),
        made_at=row["made_at"],
        expires_at=row["expires_at"],
        decided_at=row["decided_at"],
        decided_by=row["decided_by"],
        holder_code=secret["holder_code"],
        identifier=secret["identifier"],
    )
