"""What may be done with a ticket, by whom and when: the table that every step is judged by. Pure.

Whether a ticket is overdue is never stored: it follows from its deadline and the clock (China profile, 9).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from certlib.errors import ConflictError, ForbiddenError
from certlib.store.ticketing import CLOSED, Action, Ticket, TicketKind, TicketState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


__all__ = ["TABLE", "TEXTLESS", "Action", "Side", "Ticket", "TicketKind", "TicketState", "is_overdue", "next_state"]


class Side(StrEnum):
    """Who takes a step. Wire-stable."""

    AGENCY = "agency"
    """The one that must answer."""
    RAISER = "raiser"
    """The holder or clerk who opened it."""


_OBJECTION: Final = frozenset({TicketKind.OBJECTION})
_CORRECTION: Final = frozenset({TicketKind.WRONG, TicketKind.MISSING})
_S = TicketState

TABLE: Final[Mapping[Action, tuple[frozenset[TicketKind], Side, frozenset[TicketState], TicketState]]] = {
    Action.ANSWER: (_OBJECTION, Side.AGENCY, frozenset({_S.OPEN}), _S.ANSWERED),
    Action.TAKE: (_CORRECTION, Side.AGENCY, frozenset({_S.RECEIVED}), _S.IN_PROGRESS),
    Action.RETURN: (_CORRECTION, Side.AGENCY, frozenset({_S.RECEIVED, _S.IN_PROGRESS}), _S.RETURNED),
    Action.SUPPLEMENT: (_CORRECTION, Side.RAISER, frozenset({_S.RETURNED}), _S.IN_PROGRESS),
    Action.CORRECT: (_CORRECTION, Side.AGENCY, frozenset({_S.RECEIVED, _S.IN_PROGRESS}), _S.CORRECTING),
    Action.EXPLAIN: (_CORRECTION, Side.AGENCY, frozenset({_S.RECEIVED, _S.IN_PROGRESS}), _S.EXPLAINED),
    Action.DECLINE: (_CORRECTION, Side.AGENCY, frozenset({_S.RECEIVED, _S.IN_PROGRESS}), _S.DECLINED),
    Action.WITHDRAW: (
        _OBJECTION | _CORRECTION,
        Side.RAISER,
        frozenset({_S.OPEN, _S.RECEIVED, _S.IN_PROGRESS, _S.RETURNED}),
        _S.WITHDRAWN,
    ),
}
"""Action -> the kinds it is for, whose it is, from where, to where."""
TEXTLESS: Final = frozenset({Action.TAKE, Action.WITHDRAW})
"""Need no words; every other step says something to the other side."""

HINT: Final = "See where the ticket stands, and which steps lead on from there."


def next_state(ticket: Ticket, action: Action, side: Side) -> TicketState:
    """Where `action` by `side` leads.

    Raises:
        ForbiddenError: code `not_your_step`: it is the other side's.
        ConflictError: code `ticket_closed`, or `not_now`: not from where the ticket stands.
    """
    kinds, whose, begins, end = TABLE[action]
    if ticket.kind not in kinds:
        raise ConflictError(f"{action} is nothing for a ticket of kind {ticket.kind}", code="not_now", hint=HINT)
    if side is not whose:
        raise ForbiddenError(f"{action} is for the {whose} of a ticket", code="not_your_step")
    if ticket.state in CLOSED:
        hint = "What is wrong still, or again, is reported anew."
        raise ConflictError(f"ticket {ticket.code} is closed: {ticket.state}", code="ticket_closed", hint=hint)
    if ticket.state not in begins:
        raise ConflictError(f"{action} is not possible while a ticket is {ticket.state}", code="not_now", hint=HINT)
    return end


def is_overdue(ticket: Ticket, now: datetime) -> bool:
    """Whether the agency has let the deadline pass. One that waits for its raiser has no deadline."""
    return ticket.closed_at is None and ticket.due_at is not None and now >= ticket.due_at
