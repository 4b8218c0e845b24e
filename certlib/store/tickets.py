"""Tickets in the database. Each step is one transaction with its audit record, which has codes only.

Locks are taken in one order: ticket, head of the audit chain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import and_, delete, func, insert, or_, select, text, update
from sqlalchemy.exc import IntegrityError

from certlib.errors import ConflictError, NotFoundError
from certlib.store import audits
from certlib.store.converting import holder_index
from certlib.store.engine import reading, writing
from certlib.store.looks import LISTED
from certlib.store.tables import LICENCE, LICENCE_HOLDER
from certlib.store.tables_sharing import LOOK
from certlib.store.tables_tickets import TICKET, TICKET_CLAIM, TICKET_STEP, WATCHED
from certlib.store.ticketing import (
    ACTS,
    CLOSED,
    ESCALATED,
    OPENED,
    Action,
    Ticket,
    TicketKind,
    TicketState,
    TicketStep,
    Writing,
    binding,
    sealed_writing,
    step_value,
    ticket_value,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store

LIBRARY: Final = "library"
"""Who takes the steps that nobody asks for."""
HOLDER: Final = "holder"


@dataclass(frozen=True, kw_only=True, slots=True)
class NewTicket:
    """A ticket as it is opened, checked by the caller."""

    code: str
    kind: TicketKind
    state: TicketState
    agency_code: str
    raiser_agency: str = ""
    raiser: str = HOLDER
    holder_code: str = ""
    """Who may follow it, besides the licence's holders where a clerk opened it."""
    identifier: str = ""
    look_id: int = 0
    type_code: str
    fields: tuple[str, ...] = ()
    due_at: datetime
    writing: Writing
    claims: tuple[str, ...]
    """What it is about, in words: no second ticket with one of them is opened while this one holds it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which tickets; what is given must all hold."""

    agency_code: str = ""
    """Who must answer."""
    raiser_agency: str = ""
    kind: TicketKind | None = None
    state: TicketState | None = None
    open_only: bool = False
    overdue_at: datetime | None = None
    """Overdue at this moment."""
    escalated: bool = False
    before: int = 0
    """The id of the last one seen."""


def open_ticket(
    store: Store, new: NewTicket, *, first: Callable[[Connection], None] | None = None, now: datetime
) -> Ticket:
    """Keep a new ticket with its claims and its first step; `first` is called in the same transaction, before all.

    Raises:
        ConflictError: code `ticket_open`: another ticket holds one of the claims; `identifier` is its code.
    """
    digests = [store.cipher.digest("ticket", claim.encode("utf-8", "surrogatepass")) for claim in new.claims]
    try:
        with writing(store) as conn:
            if first is not None:
                first(conn)
            row = _row(store, conn, new, now)
            ticket_id = conn.execute(insert(TICKET).values(row).returning(TICKET.c.id)).scalar_one()
            # One order of claims, so that two writers wait for each other in one direction only.
            conn.execute(insert(TICKET_CLAIM), [{"claim": each, "ticket_id": ticket_id} for each in sorted(digests)])
            by = new.raiser_agency or HOLDER
            _put_step(store, conn, row | {"id": ticket_id}, OPENED, new.state, by=by, operator=new.raiser, now=now)
            detail: dict[str, str | int] = {
                "kind": new.kind.value,
                "agency": new.agency_code,
                "type": new.type_code,
                "fields": " ".join(new.fields),
                "licence": new.identifier,
                "look": new.look_id,
                "by": by,
            }
            entry = audits.Entry(actor=new.raiser, act=ACTS[OPENED], subject=new.code, detail=detail)
            audits.append(conn, [entry], at=now)
    except IntegrityError as error:
        raise _held(store, digests) from error
    return ticket(store, new.code)


def ticket(store: Store, code: str) -> Ticket:
    """One ticket.

    Raises:
        NotFoundError: none of this code.
    """
    with reading(store) as conn:
        row = conn.execute(_query().where(TICKET.c.code == _key(code))).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no ticket is known under this code", code="ticket_not_found")
    return ticket_value(store.cipher, row)


def steps_of(store: Store, known: Ticket) -> tuple[TicketStep, ...]:
    """The steps of a ticket, oldest first."""
    query = select(TICKET_STEP).where(TICKET_STEP.c.ticket_id == known.id).order_by(TICKET_STEP.c.id)
    with reading(store) as conn:
        return tuple(step_value(store.cipher, row, known.code) for row in conn.execute(query).mappings())


def tickets(store: Store, wanted: Wanted, *, limit: int = LISTED) -> tuple[Ticket, ...]:
    """The tickets wanted, newest first, at most `LISTED`."""
    query = _query()
    if wanted.agency_code:
        query = query.where(TICKET.c.agency_code == wanted.agency_code)
    if wanted.raiser_agency:
        query = query.where(TICKET.c.raiser_agency == wanted.raiser_agency)
    if wanted.kind:
        query = query.where(TICKET.c.kind == str(wanted.kind))
    if wanted.state:
        query = query.where(TICKET.c.state == str(wanted.state))
    if wanted.open_only:
        query = query.where(TICKET.c.closed_at.is_(None))
    if wanted.overdue_at:
        query = query.where(TICKET.c.closed_at.is_(None), TICKET.c.due_at <= wanted.overdue_at)
    if wanted.escalated:
        query = query.where(TICKET.c.escalated_at.is_not(None))
    return _listed(store, query, wanted.before, limit)


def tickets_of_holder(
    store: Store, holder_code: str, *, kinds: Sequence[TicketKind], before: int = 0, limit: int = LISTED
) -> tuple[Ticket, ...]:
    """What a holder opened, and what clerks reported about the holder's licences; newest first."""
    query = _query().where(_followed_by(store, holder_code), TICKET.c.kind.in_([str(each) for each in kinds]))
    return _listed(store, query, before, limit)


def ticket_of_holder(store: Store, holder_code: str, code: str) -> Ticket:
    """One ticket that the holder may follow.

    Raises:
        NotFoundError: none, or another's.
    """
    query = _query().where(_followed_by(store, holder_code), TICKET.c.code == _key(code))
    with reading(store) as conn:
        row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no ticket is known under this code", code="ticket_not_found")
    return ticket_value(store.cipher, row)


def open_of_holder(store: Store, holder_code: str) -> int:
    """How many tickets that the holder opened are not closed."""
    index = holder_index(store.cipher, holder_code)
    query = select(func.count()).where(
        TICKET.c.holder_index == index, TICKET.c.raiser_agency == "", TICKET.c.closed_at.is_(None)
    )
    with reading(store) as conn:
        return conn.execute(query).scalar_one()


def is_reported(store: Store, identifier: str) -> bool:
    """Whether an open ticket says that something in this licence is wrong."""
    licence_id = select(LICENCE.c.id).where(LICENCE.c.identifier == identifier).scalar_subquery()
    query = select(TICKET.c.id).where(
        TICKET.c.licence_id == licence_id, TICKET.c.kind == TicketKind.WRONG.value, TICKET.c.closed_at.is_(None)
    )
    with reading(store) as conn:
        return conn.execute(query.limit(1)).scalar_one_or_none() is not None


def take_step(  # noqa: PLR0913  # one step in all its parts
    store: Store,
    code: str,
    action: str,
    judge: Callable[[Ticket], TicketState],
    *,
    by: str,
    operator: str,
    words: str = "",
    values: Mapping[str, Any] | None = None,
    first: Callable[[Connection], None] | None = None,
    now: datetime,
) -> Ticket:
    """Move a ticket to where `judge` says, seen under its lock; `values` are columns that change with it.

    Raises:
        NotFoundError: none of this code.
        CertlibError: whatever `judge` raises; nothing is done then.
    """
    with writing(store) as conn:
        if first is not None:
            first(conn)
        query = _query().where(TICKET.c.code == _key(code)).with_for_update(of=TICKET)
        row = conn.execute(query).mappings().one_or_none()
        if row is None:
            raise NotFoundError("no ticket is known under this code", code="ticket_not_found")
        state = judge(ticket_value(store.cipher, row))
        changed: dict[str, Any] = {**(values or {}), "state": str(state)}
        if state in CLOSED:
            changed["closed_at"] = now
            if action != Action.ANSWER:  # an objection is answered once; what else is closed may be opened anew
                conn.execute(delete(TICKET_CLAIM).where(TICKET_CLAIM.c.ticket_id == row["id"]))
        conn.execute(update(TICKET).where(TICKET.c.id == row["id"]).values(changed))
        _put_step(store, conn, row, action, state, by=by, operator=operator, words=words, now=now)
        audits.append(conn, [_entry({**row, **changed}, action, by=by, operator=operator)], at=now)
    return ticket(store, code)


def escalate_overdue(store: Store, *, now: datetime, agency_code: str = "", limit: int = LISTED) -> tuple[str, ...]:
    """Put down, once for each, that the deadline of a ticket has passed; the codes of those that are new."""
    query = select(TICKET.c.id).where(text(WATCHED), TICKET.c.due_at <= now)
    if agency_code:
        query = query.where(TICKET.c.agency_code == agency_code)
    with reading(store) as conn:
        due = list(conn.execute(query.order_by(TICKET.c.due_at).limit(limit)).scalars())
    return tuple(code for each in due if (code := _escalated(store, each, now)))


def look_of_holder(store: Store, holder_code: str, look_id: int) -> Mapping[Any, Any]:
    """Agency, type, reference and licence of a row of the holder's ledger.

    Raises:
        NotFoundError: the ledger of this holder has no such row.
    """
    index = holder_index(store.cipher, holder_code)
    held = select(LICENCE_HOLDER.c.licence_id).where(LICENCE_HOLDER.c.code_index == index)
    query = (
        select(LOOK.c.id, LOOK.c.agency_code, LOOK.c.type_code, LOOK.c.reference, LICENCE.c.identifier)
        .select_from(LOOK.outerjoin(LICENCE, LICENCE.c.id == LOOK.c.licence_id))
        .where(LOOK.c.id == look_id, or_(LOOK.c.holder_index == index, LOOK.c.licence_id.in_(held)))
    )
    with reading(store) as conn:
        row = conn.execute(query).mappings().one_or_none() if 0 < look_id < 2**63 else None
    if row is None:
        raise NotFoundError("no look is known under this number", code="look_not_found")
    return row


def has_looked(store: Store, agency_code: str, identifier: str) -> bool:
    """Whether the agency has ever seen this licence under its grants."""
    licence_id = select(LICENCE.c.id).where(LICENCE.c.identifier == identifier).scalar_subquery()
    query = select(LOOK.c.id).where(LOOK.c.licence_id == licence_id, LOOK.c.agency_code == agency_code).limit(1)
    with reading(store) as conn:
        return conn.execute(query).scalar_one_or_none() is not None


def _escalated(store: Store, ticket_id: int, now: datetime) -> str:
    """The code of the ticket if it was this call that put it down; judged again under its lock."""
    with writing(store) as conn:
        query = _query().where(TICKET.c.id == ticket_id, text(WATCHED), TICKET.c.due_at <= now)
        row = conn.execute(query.with_for_update(of=TICKET)).mappings().one_or_none()
        if row is None:
            return ""
        conn.execute(update(TICKET).where(TICKET.c.id == ticket_id).values(escalated_at=now))
        state = TicketState(row["state"])
        _put_step(store, conn, row, ESCALATED, state, by=LIBRARY, operator=LIBRARY, now=now)
        audits.append(conn, [_entry(row, ESCALATED, by=LIBRARY, operator=LIBRARY)], at=now)
        return str(row["code"])


def _entry(row: Mapping[Any, Any], action: str, *, by: str, operator: str) -> audits.Entry:
    named = ("outcome", "change_id", "successor")
    detail: dict[str, str | int] = {
        "kind": row["kind"],
        "agency": row["agency_code"],
        "type": row["type_code"],
        "state": row["state"],
        "by": by,
        **{name: row[name] for name in named if row[name]},
    }
    return audits.Entry(actor=operator, act=ACTS[action], subject=row["code"], detail=detail)


def _put_step(  # noqa: PLR0913  # one step in all its parts
    store: Store,
    conn: Connection,
    row: Mapping[Any, Any] | RowMapping,
    action: str,
    state: TicketState,
    *,
    by: str,
    operator: str,
    words: str = "",
    now: datetime,
) -> None:
    values = {
        "ticket_id": row["id"],
        "at": now,
        "action": str(action),
        "state": str(state),
        "by": by,
        "operator": operator,
        "key_id": store.cipher.key_id,
        "sealed": store.cipher.seal(words.encode(), binding(row["code"])),
    }
    conn.execute(insert(TICKET_STEP).values(values))


def _row(store: Store, conn: Connection, new: NewTicket, now: datetime) -> dict[str, Any]:
    query = select(LICENCE.c.id).where(LICENCE.c.identifier == new.identifier)
    return {
        "code": new.code,
        "kind": str(new.kind),
        "state": str(new.state),
        "agency_code": new.agency_code,
        "raiser_agency": new.raiser_agency,
        "raiser": new.raiser,
        "holder_index": holder_index(store.cipher, new.holder_code) if new.holder_code else None,
        "licence_id": conn.execute(query).scalar_one_or_none() if new.identifier else None,
        "look_id": new.look_id or None,
        "type_code": new.type_code,
        "fields": " ".join(new.fields),
        "opened_at": now,
        "due_at": new.due_at,
        "escalated_at": None,
        "closed_at": None,
        "outcome": "",
        "change_id": "",
        "successor": "",
        "attempts": 0,
        "key_id": store.cipher.key_id,
        "sealed": sealed_writing(store.cipher, new.writing, new.code),
    }


def _held(store: Store, digests: Sequence[bytes]) -> ConflictError:
    query = (
        select(TICKET.c.code)
        .join(TICKET_CLAIM, TICKET_CLAIM.c.ticket_id == TICKET.c.id)
        .where(TICKET_CLAIM.c.claim.in_(digests))
        .order_by(TICKET.c.id)
    )
    with reading(store) as conn:
        code = conn.execute(query.limit(1)).scalar_one_or_none() or ""
    hint = "Follow that ticket; what it does not name yet can be reported apart."
    return ConflictError(f"ticket {code} is about the same", identifier=code, code="ticket_open", hint=hint)


def _followed_by(store: Store, holder_code: str) -> Any:  # noqa: ANN401  # a condition
    index = holder_index(store.cipher, holder_code)
    held = select(LICENCE_HOLDER.c.licence_id).where(LICENCE_HOLDER.c.code_index == index)
    return or_(TICKET.c.holder_index == index, and_(TICKET.c.raiser_agency != "", TICKET.c.licence_id.in_(held)))


def _listed(store: Store, query: Any, before: int, limit: int) -> tuple[Ticket, ...]:  # noqa: ANN401  # a query
    if before:
        query = query.where(TICKET.c.id < before)
    with reading(store) as conn:
        rows = conn.execute(query.order_by(TICKET.c.id.desc()).limit(min(limit, LISTED))).mappings()
        return tuple(ticket_value(store.cipher, row) for row in rows)


def _query() -> Any:  # noqa: ANN401  # a query
    joined = TICKET.outerjoin(LICENCE, LICENCE.c.id == TICKET.c.licence_id)
    return select(TICKET, LICENCE.c.identifier).select_from(joined)


def _key(code: str) -> str:
    """`code` if it can be one: drivers choke on some of the rest."""
    return code if code.isascii() and code.isalnum() and len(code) <= 26 else ""  # noqa: PLR2004  # the column's width
