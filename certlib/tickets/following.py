"""Tickets after they are opened: found, shown, moved on, and put down as overdue once their deadline has passed.

The agency that must answer and whoever raised a ticket see all of it; nobody else sees that there is one. The
library's operator sees codes, never what people wrote.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from certlib.errors import ForbiddenError, NotFoundError
from certlib.holding.sessions import require_standing
from certlib.store import agencies, looks, owning, tickets
from certlib.store.ticketing import Action, Ticket, TicketKind
from certlib.store.tickets import HOLDER, Wanted
from certlib.tickets.rules import TABLE, TEXTLESS, Side, is_overdue, next_state
from certlib.tickets.wording import operator_faults, require, text_faults
from certlib.tickets.working_days import deadline, read_calendars
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from certlib.holding.sessions import HolderCaller
    from certlib.library import Library
    from certlib.store.ticketing import TicketStep

__all__ = [
    "AGENCY_STEPS",
    "CORRECTIONS",
    "RAISER_STEPS",
    "Wanted",
    "due_at",
    "overdue_only",
    "own_ticket",
    "step_by_agency",
    "step_by_holder",
    "sweep",
    "ticket_for",
    "ticket_json",
    "ticket_of",
    "ticket_unwritten",
    "tickets_for",
    "tickets_of",
    "whole_json",
]
AGENCY_STEPS: Final = (Action.TAKE, Action.RETURN, Action.EXPLAIN, Action.DECLINE)
RAISER_STEPS: Final = (Action.SUPPLEMENT, Action.WITHDRAW)
"""Steps that need words at most; answers and corrections need more."""
CORRECTIONS: Final = (TicketKind.WRONG, TicketKind.MISSING)
SWEPT_AT_ONCE: Final = 500


def due_at(lib: Library, agency_code: str, days: int) -> datetime:
    """When a deadline of so many working days ends that begins now, for this agency.

    Raises:
        NotFoundError: no such agency.
        SetupError: the calendar cannot be read.
    """
    agency = agencies.agency(lib.store, agency_code)
    calendar = read_calendars(lib.settings.home).of(agency_code)
    return deadline(lib.now(), days, timezone=agency.timezone, calendar=calendar)


def tickets_for(lib: Library, wanted: Wanted, *, limit: int = SWEPT_AT_ONCE) -> tuple[Ticket, ...]:
    """The tickets wanted, newest first; what became overdue meanwhile is put down first."""
    now = lib.now()
    tickets.escalate_overdue(lib.store, now=now, agency_code=wanted.agency_code)
    return tickets.tickets(lib.store, wanted, limit=limit)


def overdue_only(lib: Library, wanted: Wanted) -> Wanted:
    """The same, but only what is overdue now."""
    return replace(wanted, overdue_at=lib.now())


def ticket_for(lib: Library, agency_code: str, code: str) -> tuple[Ticket, Side]:
    """A ticket of the agency, and on which side of it the agency is.

    Raises:
        NotFoundError: none, or it is between others.
    """
    found = tickets.ticket(lib.store, code)
    if agency_code == found.agency_code:
        return found, Side.AGENCY
    if agency_code == found.raiser_agency:
        return found, Side.RAISER
    raise NotFoundError("no ticket is known under this code", code="ticket_not_found")


def ticket_unwritten(lib: Library, code: str) -> Ticket:
    """Any ticket, for the library's operator, who is shown nothing that people wrote.

    Raises:
        NotFoundError: none.
    """
    return tickets.ticket(lib.store, code)


def own_ticket(lib: Library, agency_code: str, code: str) -> Ticket:
    """A ticket that the agency must answer.

    Raises:
        NotFoundError: none, or it is another's.
        ForbiddenError: code `not_your_step`: the agency raised it.
    """
    found, side = ticket_for(lib, agency_code, code)
    if side is Side.RAISER:
        raise ForbiddenError("this is for the agency of a ticket", code="not_your_step")
    return found


def tickets_of(
    lib: Library, me: HolderCaller, *, kinds: Sequence[TicketKind], before: int = 0, limit: int = SWEPT_AT_ONCE
) -> tuple[Ticket, ...]:
    """The holder's tickets of these kinds, newest first; a delegate sees those in the scope of the delegation."""
    found = tickets.tickets_of_holder(lib.store, me.holder_code, kinds=kinds, before=before, limit=limit)
    return _followed(lib, me, found)


def ticket_of(lib: Library, me: HolderCaller, code: str) -> Ticket:
    """One ticket that the holder may follow.

    Raises:
        NotFoundError: none, or another's.
    """
    found = _followed(lib, me, (tickets.ticket_of_holder(lib.store, me.holder_code, code),))
    if not found:
        raise NotFoundError("no ticket is known under this code", code="ticket_not_found")
    return found[0]


def _followed(lib: Library, me: HolderCaller, found: Sequence[Ticket]) -> tuple[Ticket, ...]:
    """Those in the scope, without the ones about a licence of whoever has the same code in another document."""
    named = owning.licences_named(lib.store, {each.identifier for each in found} - {""})
    others = {name for name, each in named.items() if not owning.held_by(each, me.holder_code, me.code_type)}
    return tuple(
        each
        for each in found
        if me.covers(type_code=each.type_code, identifier=each.identifier) and each.identifier not in others
    )


def step_by_agency(  # noqa: PLR0913  # who does what to which, with which words
    lib: Library, agency_code: str, code: str, action: Action, *, operator: str, text: str = ""
) -> Ticket:
    """A step of one of the two agencies of a ticket that needs words at most.

    Raises:
        InvalidRequestError: operator or text is missing.
        NotFoundError: the ticket is not the agency's.
        ForbiddenError: code `not_your_step`.
        ConflictError: code `ticket_closed` or `not_now`.
    """
    require([*operator_faults(operator), *text_faults("text", text, needed=action not in TEXTLESS)])
    known, side = ticket_for(lib, agency_code, code)
    if known.raiser_agency == known.agency_code:  # its own clerk reported it: both sides are here
        side = TABLE[action][1]
    return tickets.take_step(
        lib.store,
        code,
        action,
        lambda seen: next_state(seen, action, side),
        by=agency_code,
        operator=operator,
        words=text,
        values=_clock(lib, known, action),
        now=lib.now(),
    )


def step_by_holder(lib: Library, me: HolderCaller, code: str, action: Action, *, text: str = "") -> Ticket:
    """A step of the holder who opened a ticket, or of a delegate.

    Raises:
        InvalidRequestError: the text is missing.
        NotFoundError: the holder has no such ticket.
        ForbiddenError: code `not_your_step`: a clerk opened it; or the session or delegation is over.
        ConflictError: code `ticket_closed` or `not_now`.
    """
    require(text_faults("text", text, needed=action not in TEXTLESS))
    known = ticket_of(lib, me, code)
    if known.raiser_agency:
        raise ForbiddenError("this is for the clerk who opened the ticket", code="not_your_step")
    now = lib.now()
    return tickets.take_step(
        lib.store,
        code,
        action,
        lambda seen: next_state(seen, action, Side.RAISER),
        by=HOLDER,
        operator=me.actor,
        words=text,
        values=_clock(lib, known, action),
        first=partial(require_standing, me=me, now=now),
        now=now,
    )


def _clock(lib: Library, known: Ticket, action: Action) -> dict[str, Any]:
    """The deadline that a step changes: it stands still while the raiser is asked, and begins anew with the answer."""
    if action is Action.RETURN:
        return {"due_at": None}
    if action is Action.SUPPLEMENT:
        return {"due_at": due_at(lib, known.agency_code, lib.settings.correction_days)}
    return {}


def sweep(lib: Library) -> tuple[str, ...]:
    """Put down every ticket that is overdue and was not yet put down; their codes. Safe to run at any time, by many."""
    found: list[str] = []
    while True:
        codes = tickets.escalate_overdue(lib.store, now=lib.now(), limit=SWEPT_AT_ONCE)
        found += codes
        if len(codes) < SWEPT_AT_ONCE:
            return tuple(found)


def ticket_json(lib: Library, known: Ticket, *, written: bool = True) -> dict[str, Any]:
    """A ticket as programs read it; without `written` nothing that people wrote is in it."""
    now = lib.now()
    shown: dict[str, Any] = {
        "id": known.code,
        "position": known.id,
        "kind": known.kind.value,
        "state": known.state.value,
        "agency": known.agency_code,
        "raised_by": known.raiser_agency or HOLDER,
        "type": known.type_code,
        "identifier": known.identifier,
        "look": known.look_id or None,
        "fields": list(known.fields),
        "opened_at": moment(known.opened_at),
        "due_at": moment(known.due_at) if known.due_at else None,
        "overdue": is_overdue(known, now),
        "escalated_at": moment(known.escalated_at) if known.escalated_at else None,
        "closed_at": moment(known.closed_at) if known.closed_at else None,
        "outcome": known.outcome,
        "change": known.change_id,
        "successor": known.successor,
    }
    if written:
        shown |= {
            "raiser": known.raiser,
            "text": known.writing.text,
            "items": [{"field": i.field, "wrong": i.wrong, "right": i.right} for i in known.writing.items],
            "contact": known.writing.contact,
            "holder_code": known.writing.holder_code,
            "case": known.writing.case,
        }
    return shown


def whole_json(lib: Library, known: Ticket, *, written: bool = True) -> dict[str, Any]:
    """A ticket with its steps, and with the look that it objects to."""
    shown = ticket_json(lib, known, written=written)
    shown["steps"] = [_step_json(each, written=written) for each in tickets.steps_of(lib.store, known)]
    shown["about"] = _look_json(lib, known.look_id, written=written) if known.look_id else None
    return shown


def _step_json(step: TicketStep, *, written: bool) -> dict[str, Any]:
    return {
        "at": moment(step.at),
        "action": step.action,
        "state": step.state.value,
        "by": step.by,
        "operator": step.operator,
        "text": step.text if written else "",
    }


def _look_json(lib: Library, look_id: int, *, written: bool) -> dict[str, Any]:
    look = looks.look(lib.store, look_id)
    return {
        "look": look.id,
        "at": moment(look.at),
        "kind": look.kind,
        "agency": look.agency_code,
        "operator": look.operator,
        "matter_code": look.matter_code,
        "case_number": look.case_number,
        "purpose": look.purpose if written else "",
        "type": look.type_code,
        "fields": list(look.fields),
        "basis": look.basis,
        "outcome": look.outcome,
    }
