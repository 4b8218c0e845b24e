"""Values of tickets, and between them and their rows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import RowMapping

    from certlib.store.cipher import Cipher


class TicketKind(StrEnum):
    """What a ticket is about. Wire-stable."""

    OBJECTION = "objection"
    """A holder objects to a look at a licence."""
    WRONG = "wrong"
    """错证: something stands wrongly in a licence."""
    MISSING = "missing"
    """缺证: a licence that should be here is not."""


class TicketState(StrEnum):
    """How far a ticket has come. Wire-stable."""

    OPEN = "open"
    """An objection waits for its answer."""
    ANSWERED = "answered"
    RECEIVED = "received"
    """A correction, not yet taken in hand."""
    IN_PROGRESS = "in_progress"
    RETURNED = "returned"
    """Sent back for information: the agency's time stands still."""
    CORRECTING = "correcting"
    """The new version is ordered, or waits for its second person."""
    CORRECTED = "corrected"
    EXPLAINED = "explained"
    """Nothing is wrong; the text says why."""
    DECLINED = "declined"
    """不办理."""
    WITHDRAWN = "withdrawn"


CLOSED: Final = frozenset(
    {
        *(TicketState.ANSWERED, TicketState.CORRECTED, TicketState.EXPLAINED),
        *(TicketState.DECLINED, TicketState.WITHDRAWN),
    }
)
"""Nothing leads out of these."""


class Action(StrEnum):
    """A step that somebody takes. Wire-stable."""

    ANSWER = "answer"
    TAKE = "take"
    RETURN = "return"
    SUPPLEMENT = "supplement"
    CORRECT = "correct"
    EXPLAIN = "explain"
    DECLINE = "decline"
    WITHDRAW = "withdraw"


OPENED, FINISHED, REVERTED, ESCALATED = "open", "finish", "revert", "escalate"
"""Steps that nobody asks for: the first one, and what the library itself puts down."""
ACTS: Final = {
    OPENED: "ticket.opened",
    Action.ANSWER: "ticket.answered",
    Action.TAKE: "ticket.taken",
    Action.RETURN: "ticket.returned",
    Action.SUPPLEMENT: "ticket.supplemented",
    Action.CORRECT: "ticket.correction_ordered",
    Action.EXPLAIN: "ticket.explained",
    Action.DECLINE: "ticket.declined",
    Action.WITHDRAW: "ticket.withdrawn",
    FINISHED: "ticket.corrected",
    REVERTED: "ticket.reopened",
    ESCALATED: "ticket.escalated",
}
"""Step -> act of its audit record."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketItem:
    """One field that is said to be wrong. Personal: sealed at rest."""

    field: str
    """Of the licence, by the name under which it is granted."""
    wrong: str
    """What is wrong with it."""
    right: str
    """What should stand there; may be empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Writing:
    """What the raiser wrote. Personal: sealed at rest, never in an audit record."""

    text: str
    items: tuple[TicketItem, ...] = ()
    contact: str = ""
    holder_code: str = ""
    """With `missing`: whose licence should be here."""
    case: str = ""
    """With a clerk's ticket: matter code and case number in which it was met."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket:
    """One objection or correction."""

    id: int
    code: str
    """26 hex characters: what people and programs call it."""
    kind: TicketKind
    state: TicketState
    agency_code: str
    """Who must answer."""
    raiser_agency: str
    """Whose clerk opened it; empty when a holder did."""
    raiser: str
    """The clerk; `holder` when a holder did."""
    identifier: str
    """The licence, or empty."""
    look_id: int
    """The look objected to, or 0."""
    type_code: str
    fields: tuple[str, ...]
    """Names of the fields that are said to be wrong."""
    opened_at: datetime
    due_at: datetime | None
    """From this moment on it is overdue; None while it waits for its raiser."""
    escalated_at: datetime | None
    closed_at: datetime | None
    outcome: str
    """`justified` or `not_justified` of an objection; else empty: the state says it."""
    change_id: str
    """The change of the licence that the correction became, or empty."""
    successor: str
    """Identifier of the licence that came of it, or empty."""
    attempts: int
    """How often a correction was ordered."""
    writing: Writing


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketStep:
    """One step of a ticket."""

    at: datetime
    action: str
    state: TicketState
    """After it."""
    by: str
    """Code of the agency, `holder`, or `library`."""
    operator: str
    text: str


def binding(code: str) -> str:
    """What a ticket's sealed texts are bound to."""
    return f"ticket:{code}"


def sealed_writing(cipher: Cipher, writing: Writing, code: str) -> bytes:
    """The writing, encrypted and bound to the ticket."""
    items = [[each.field, each.wrong, each.right] for each in writing.items]
    plain = [writing.text, items, writing.contact, writing.holder_code, writing.case]
    return cipher.seal(orjson.dumps(plain), binding(code))


def ticket_value(cipher: Cipher, row: RowMapping) -> Ticket:
    """The ticket in `row`, joined with its licence's identifier."""
    plain = orjson.loads(cipher.open(row["sealed"], binding(row["code"]), row["key_id"]))
    text, items, contact, holder_code, case = plain
    writing = Writing(
        text=text,
        items=tuple(TicketItem(field=name, wrong=wrong, right=right) for name, wrong, right in items),
        contact=contact,
        holder_code=holder_code,
        case=case,
    )
    kept: dict[str, Any] = {
        name: row[name]
        for name in (
            *("id", "code", "agency_code", "raiser_agency", "raiser", "type_code", "opened_at", "due_at"),
            *("escalated_at", "closed_at", "outcome", "change_id", "successor", "attempts"),
        )
    }
    return Ticket(
        **kept,
        kind=TicketKind(row["kind"]),
        state=TicketState(row["state"]),
        identifier=row["identifier"] or "",
        look_id=row["look_id"] or 0,
        fields=tuple(row["fields"].split()),
        writing=writing,
    )


def step_value(cipher: Cipher, row: RowMapping, code: str) -> TicketStep:
    """The step in `row`, of the ticket `code`."""
    return TicketStep(
        at=row["at"],
        action=row["action"],
        state=TicketState(row["state"]),
        by=row["by"],
        operator=row["operator"],
        text=cipher.open(row["sealed"], binding(code), row["key_id"]).decode(),
    )
