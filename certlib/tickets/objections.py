"""Objections: a holder objects to a look at a licence; the agency that looked answers, in working days."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from certlib.errors import FieldFault, InvalidRequestError, LimitReachedError
from certlib.holding.ledger import own_look
from certlib.holding.sessions import require_standing
from certlib.receipting import new_receipt_id
from certlib.store import tickets
from certlib.store.converting import holder_index
from certlib.store.ticketing import Action, TicketKind, TicketState, Writing
from certlib.store.tickets import NewTicket
from certlib.tickets.following import due_at, own_ticket
from certlib.tickets.rules import Side, next_state
from certlib.tickets.wording import operator_faults, require, text_faults

if TYPE_CHECKING:
    from certlib.holding.sessions import HolderCaller
    from certlib.library import Library
    from certlib.store.ticketing import Ticket

JUSTIFIED, NOT_JUSTIFIED = "justified", "not_justified"
MAX_OPEN_OF_HOLDER: Final = 50
"""Tickets that one holder may have open at a time."""


def object_to(lib: Library, me: HolderCaller, *, look_id: int, reason: str) -> Ticket:
    """Open an objection of the holder to one row of the ledger.

    Raises:
        InvalidRequestError: no reason; or nobody looked but somebody to whom the holder showed it.
        NotFoundError: the ledger of this holder has no such row.
        ConflictError: code `ticket_open`: the holder has objected to it before.
        LimitReachedError: code `too_many_open`.
        ForbiddenError: the session or delegation is over.
    """
    require(text_faults("reason", reason))
    look = own_look(lib, me, look_id)
    if not look.agency_code:
        reason = "is a look that you allowed by showing the licence; no agency answers for it"
        raise InvalidRequestError((FieldFault(field="look", code="no_agency", reason=reason),))
    require_room(lib, me)
    now = lib.now()
    holder = holder_index(lib.store.cipher, me.holder_code).hex()
    new = NewTicket(
        code=new_receipt_id(),
        kind=TicketKind.OBJECTION,
        state=TicketState.OPEN,
        agency_code=look.agency_code,
        raiser=me.actor,
        holder_code=me.holder_code,
        identifier=look.identifier,
        look_id=look.id,
        type_code=look.type_code,
        due_at=due_at(lib, look.agency_code, lib.settings.objection_days),
        writing=Writing(text=reason),
        claims=(f"look:{look.id}:{holder}",),
    )
    return tickets.open_ticket(lib.store, new, first=partial(require_standing, me=me, now=now), now=now)


def answer(  # noqa: PLR0913  # who says what to which
    lib: Library, agency_code: str, code: str, *, operator: str, justified: bool, text: str
) -> Ticket:
    """Answer an objection: the look was justified, or it was not; the text explains, for the holder to read.

    Raises:
        InvalidRequestError: operator or text is missing.
        NotFoundError: the agency has no such ticket.
        ConflictError: code `ticket_closed`, or `not_now`: it is no objection.
    """
    require([*operator_faults(operator), *text_faults("text", text)])
    own_ticket(lib, agency_code, code)
    return tickets.take_step(
        lib.store,
        code,
        Action.ANSWER,
        lambda seen: next_state(seen, Action.ANSWER, Side.AGENCY),
        by=agency_code,
        operator=operator,
        words=text,
        values={"outcome": JUSTIFIED if justified else NOT_JUSTIFIED},
        now=lib.now(),
    )


def require_room(lib: Library, me: HolderCaller) -> None:
    """Pass if the holder may open one more ticket.

    Raises:
        LimitReachedError: code `too_many_open`.
    """
    if tickets.open_of_holder(lib.store, me.holder_code) >= MAX_OPEN_OF_HOLDER:
        raise LimitReachedError(f"{MAX_OPEN_OF_HOLDER} of your tickets are open", code="too_many_open")
