"""Changes of licences: ordered, decided, done. Each step is one transaction with its audit record.

Locks are taken in one order: licence, change, head of the audit chain.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from certlib.errors import ConflictError, ForbiddenError, NotFoundError
from certlib.identifiers import MAX_IDENTIFIER_CHARS
from certlib.model import Status, require_transition
from certlib.operations import RESULT, LifecyclePolicy, Operation, Ruling, ruling, standing_of
from certlib.store import audits
from certlib.store.changes import OPEN, Change, ChangeState, Order, change_value, order_row
from certlib.store.engine import reading, writing
from certlib.store.tables import LICENCE, STATUS_CHANGE
from certlib.store.tables_lifecycle import LICENCE_CHANGE

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store

_LICENCE: Final = tuple(
    LICENCE.c[name] for name in ("id", "identifier", "agency_code", "status", "expires_on", "timezone", "number")
)
LISTED: Final = 500
"""More than this at once is a search too wide, not an answer."""


def place(store: Store, order: Order, *, now: datetime, expires_at: datetime | None = None) -> Change:
    """Take an order, and do it at once where nothing more is needed. The same order again gives the same change.

    With `expires_at` it waits for a second person. Else what moves the status or is only noted is done here, and what
    issues a new version is `approved`: the caller issues and calls `finish`.

    Raises:
        NotFoundError: the agency has no such licence.
        IllegalTransitionError: refused by `operations.ruling`.
        ConflictError: code `change_in_progress`: the same operation is open on this licence; `other_change`: another
            order stands under this id.
    """
    with writing(store) as conn:
        licence = _locked(conn, order.identifier, order.agency_code)
        known = _joined(conn, order.id)
        if known is not None:
            if known["order_digest"] != store.cipher.digest("change", order.given):
                raise ConflictError("another change stands under this request id", code="other_change")
            return change_value(store.cipher, known, now=now)
        found = judged(licence, order.operation, order.policy, now)
        row = order_row(store.cipher, order, now=now) | {"licence_id": licence["id"]}
        row |= {"old": licence["status"], "new": licence["status"]}
        if expires_at is not None or found is Ruling.NEW_VERSION:
            _require_none_open(conn, licence["id"], order.operation, now)
            waits = expires_at is not None
            row |= {"state": ChangeState.PENDING.value if waits else ChangeState.APPROVED.value}
            row |= {"expires_at": expires_at, "decided_at": None if waits else now}
            entry = entry_of(store, row, order.identifier, "requested" if waits else "begun", actor=order.operator)
        else:
            entry = carry_out(store, conn, licence, row, found, now=now, actor=order.operator)
        try:
            conn.execute(insert(LICENCE_CHANGE).values(row))
        except IntegrityError as error:  # at this moment, on another licence
            raise ConflictError("another change stands under this request id", code="other_change") from error
        audits.append(conn, [entry], at=now)
    return change(store, order.id, now=now)


def decide(  # noqa: PLR0913  # who decides what, and by which rules
    store: Store,
    change_id: str,
    *,
    agency_code: str,
    checker: str,
    approve: bool,
    policy: LifecyclePolicy,
    now: datetime,
) -> Change:
    """Approve or decline what is pending. One that was approved before is given as it stands, to be gone on with.

    Raises:
        NotFoundError: the agency has no such change.
        ForbiddenError: code `maker_is_checker`.
        ConflictError: code `change_expired`, or `already_decided` in another way.
        IllegalTransitionError: the licence does not stand as it did; the change stays pending.
    """
    known = change(store, change_id, now=now, agency_code=agency_code)
    with writing(store) as conn:
        licence = _locked(conn, known.identifier, agency_code)
        row = conn.execute(
            select(LICENCE_CHANGE).where(LICENCE_CHANGE.c.id == change_id).with_for_update()
        ).mappings().one()  # fmt: skip
        state = ChangeState(row["state"])
        if state is not ChangeState.PENDING:
            if approve and row["expires_at"] is not None and state in (ChangeState.APPROVED, ChangeState.DONE):
                return known if known.state is state else change_value(store.cipher, _joined(conn, change_id), now=now)
            raise ConflictError(f"change {change_id} is {state}", identifier=known.identifier, code="already_decided")
        if now >= row["expires_at"]:
            raise ConflictError(f"change {change_id} has expired", identifier=known.identifier, code="change_expired")
        if approve:
            require_other_person(row["maker"], checker)
        values: dict[str, Any] = {"checker": checker, "decided_at": now}
        if not approve:
            values["state"] = ChangeState.DECLINED.value
            entry = entry_of(store, {**row, **values}, known.identifier, "declined", actor=checker)
        else:
            found = judged(licence, known.operation, policy, now)
            if found is Ruling.NEW_VERSION:
                values["state"] = ChangeState.APPROVED.value
                entry = entry_of(store, {**row, **values}, known.identifier, "approved", actor=checker)
            else:
                whole = {**row, **values}
                entry = carry_out(store, conn, licence, whole, found, now=now, actor=checker)
                values = {name: whole[name] for name in (*values, "state", "old", "new", "done_at")}
        conn.execute(update(LICENCE_CHANGE).where(LICENCE_CHANGE.c.id == change_id).values(values))
        audits.append(conn, [entry], at=now)
    return change(store, change_id, now=now)


def require_other_person(maker: str, checker: str) -> None:
    """Pass if these are two persons, whatever the case and width of letters.

    Raises:
        ForbiddenError: code `maker_is_checker`.
    """
    if _person(maker) == _person(checker):
        raise ForbiddenError("who asked for it cannot approve it", code="maker_is_checker")


def finish(store: Store, change_id: str, *, successor: str, changed: tuple[str, ...], now: datetime) -> Change:
    """Put down that the new version stands. Again changes nothing."""
    _close(store, change_id, {"state": "done", "successor": successor, "changed": " ".join(changed)}, "done", now)
    return change(store, change_id, now=now)


def refuse(store: Store, change_id: str, *, code: str, now: datetime) -> Change:
    """Put down that it could not be done any more."""
    _close(store, change_id, {"state": "refused", "code": code}, "refused", now)
    return change(store, change_id, now=now)


def change(store: Store, change_id: str, *, now: datetime, agency_code: str | None = None) -> Change:
    """One change.

    Raises:
        NotFoundError: none, or of another agency.
    """
    with reading(store) as conn:
        row = _joined(conn, change_id) if change_id.isascii() and change_id.isalnum() else None
    if row is None or (agency_code is not None and row["agency_code"] != agency_code):
        raise NotFoundError("no change is known under this id")
    return change_value(store.cipher, row, now=now)


def open_changes(store: Store, agency_code: str, *, now: datetime) -> tuple[Change, ...]:
    """What is pending, expired ones among them, or approved and not finished; oldest first, at most `LISTED`."""
    query = _query().where(
        LICENCE_CHANGE.c.agency_code == agency_code, LICENCE_CHANGE.c.state.in_(OPEN), LICENCE_CHANGE.c.act_id == ""
    )
    with reading(store) as conn:
        rows = conn.execute(query.order_by(LICENCE_CHANGE.c.made_at, LICENCE_CHANGE.c.id).limit(LISTED)).mappings()
        return tuple(change_value(store.cipher, row, now=now) for row in rows)


def unfinished(store: Store) -> tuple[str, ...]:
    """Ids of changes that were approved and not finished, in all agencies, oldest first, at most `LISTED`."""
    query = select(LICENCE_CHANGE.c.id).where(
        LICENCE_CHANGE.c.state == ChangeState.APPROVED.value, LICENCE_CHANGE.c.act_id == ""
    )
    with reading(store) as conn:
        return tuple(conn.execute(query.order_by(LICENCE_CHANGE.c.made_at).limit(LISTED)).scalars())


def changes_of(store: Store, identifier: str, *, now: datetime) -> tuple[Change, ...]:
    """All that was ordered on a licence, oldest first."""
    query = _query().where(LICENCE.c.identifier == identifier).order_by(LICENCE_CHANGE.c.made_at, LICENCE_CHANGE.c.id)
    with reading(store) as conn:
        return tuple(change_value(store.cipher, row, now=now) for row in conn.execute(query).mappings())


def issued_for(store: Store, agency_code: str, request_id: str) -> str:
    """Identifier of the licence that was issued under this request id, or empty."""
    query = select(LICENCE.c.identifier).where(
        LICENCE.c.agency_code == agency_code, LICENCE.c.request_id == request_id, LICENCE.c.state == "issued"
    )
    with reading(store) as conn:
        return str(conn.execute(query).scalar_one_or_none() or "")


def judged(licence: RowMapping, operation: Operation, policy: LifecyclePolicy, now: datetime) -> Ruling:
    """The ruling on a licence's row.

    Raises:
        IllegalTransitionError: refused.
    """
    standing = standing_of(Status(licence["status"]), licence["expires_on"], licence["timezone"], now)
    return ruling(operation, standing, policy)


def carry_out(  # noqa: PLR0913  # one change in all its parts
    store: Store,
    conn: Connection,
    licence: RowMapping,
    row: dict[str, Any],
    found: Ruling,
    *,
    now: datetime,
    actor: str,
) -> audits.Entry:
    """Move or note inside the caller's transaction; fills the end of `row` and gives the audit record."""
    old = Status(licence["status"])
    row |= {"state": ChangeState.DONE.value, "old": str(old), "new": str(old), "done_at": now}
    if found is not Ruling.MOVED:
        return entry_of(store, row, licence["identifier"], "noted", actor=actor)
    new = RESULT[Operation(row["operation"])]
    require_transition(old, new)
    row["new"] = str(new)
    conn.execute(update(LICENCE).where(LICENCE.c.id == licence["id"]).values(status=str(new)))
    moved = {
        "licence_id": licence["id"],
        "old": str(old),
        "new": str(new),
        "reason": row["reason"],
        "document_number": row["document_number"],
        "operator": row["maker"],
        "effective_at": row["effective_at"],
        "recorded_at": now,
    }
    conn.execute(insert(STATUS_CHANGE).values(moved))
    entry = entry_of(store, row, licence["identifier"], "", actor=actor)
    detail = {**entry.detail, "from": str(old), "to": str(new)}
    return audits.Entry(actor=actor, act="licence.status_changed", subject=licence["identifier"], detail=detail)


def entry_of(store: Store, row: Any, identifier: str, what: str, *, actor: str) -> audits.Entry:  # noqa: ANN401  # a row
    """The audit record of a step of the change in `row`; nothing personal is in it."""
    detail: dict[str, str | int] = {
        "change": row["id"],
        "operation": row["operation"],
        "document_number": row["document_number"],
        "reason_digest": store.cipher.digest("reason", row["reason"].encode()).hex(),
    }
    named = {"maker": row["maker"] if row["checker"] else "", "bulk": row["act_id"], "code": row["code"]}
    detail |= {name: value for name, value in {**named, "successor": row["successor"]}.items() if value}
    return audits.Entry(actor=actor, act=f"licence.change_{what}", subject=identifier, detail=detail)


def _close(store: Store, change_id: str, values: dict[str, Any], what: str, now: datetime) -> None:
    with writing(store) as conn:
        query = _query().where(LICENCE_CHANGE.c.id == change_id).with_for_update(of=LICENCE_CHANGE)
        row = conn.execute(query).mappings().one()
        if row["state"] not in (ChangeState.APPROVED.value, ChangeState.PLANNED.value):
            return
        values = {**values, "done_at": now, "new": "superseded" if what == "done" else row["new"]}
        conn.execute(update(LICENCE_CHANGE).where(LICENCE_CHANGE.c.id == change_id).values(values))
        actor = row["checker"] or row["maker"]
        audits.append(conn, [entry_of(store, {**row, **values}, row["identifier"], what, actor=actor)], at=now)


def _locked(conn: Connection, identifier: str, agency_code: str) -> RowMapping:
    query = select(*_LICENCE).where(LICENCE.c.identifier == identifier, LICENCE.c.state == "issued")
    fit = len(identifier) <= MAX_IDENTIFIER_CHARS and identifier.isascii() and identifier.isprintable()
    row = conn.execute(query.with_for_update()).mappings().one_or_none() if fit else None
    if row is None or row["agency_code"] != agency_code:
        raise NotFoundError("no licence is known under this key")
    return row


def _require_none_open(conn: Connection, licence_id: int, operation: Operation, now: datetime) -> None:
    query = select(LICENCE_CHANGE.c.id, LICENCE_CHANGE.c.state, LICENCE_CHANGE.c.expires_at).where(
        LICENCE_CHANGE.c.licence_id == licence_id,
        LICENCE_CHANGE.c.operation == str(operation),
        LICENCE_CHANGE.c.state.in_(OPEN),
    )
    for row in conn.execute(query).mappings():
        if row["state"] == ChangeState.APPROVED.value or now < row["expires_at"]:
            raise ConflictError(f"change {row['id']} of this kind is open on the licence", code="change_in_progress")


def _query() -> Any:  # noqa: ANN401  # a Select
    return select(LICENCE_CHANGE, LICENCE.c.identifier).join(LICENCE, LICENCE.c.id == LICENCE_CHANGE.c.licence_id)


def _joined(conn: Connection, change_id: str) -> Any:  # noqa: ANN401  # RowMapping | None
    return conn.execute(_query().where(LICENCE_CHANGE.c.id == change_id)).mappings().one_or_none()


def _person(name: str) -> str:
    return unicodedata.normalize("NFKC", name).casefold().strip()
