"""Corrections: what an agency does about a reported error, up to the new version that the ticket then names.

1. The new version is judged. 2. The ticket is put down as `correcting`, with the id that the change will have.
3. The change is ordered under that id (`changing.order_change`). 4. The ticket follows the change: closed as corrected
when it is done, back in progress when it was declined, refused or never ordered. A crash after any of these, or a
second person who takes days, leaves a ticket that `settle` moves on; listing and the sweep call it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from certlib import changing
from certlib.changing import ChangeOrder
from certlib.errors import ConflictError, FieldFault, InvalidRequestError, NotFoundError
from certlib.operations import Operation, Ruling, ruling, standing_of
from certlib.store import lifecycles, lookups, tickets
from certlib.store.changes import ChangeState
from certlib.store.looks import LISTED
from certlib.store.ticketing import CLOSED, FINISHED, REVERTED, Action, TicketKind, TicketState
from certlib.store.tickets import LIBRARY, Wanted
from certlib.tickets.following import own_ticket
from certlib.tickets.rules import HINT, Side, next_state
from certlib.tickets.wording import operator_faults, require, text_faults

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from certlib.library import Library
    from certlib.model import Licence
    from certlib.store.changes import Change
    from certlib.store.ticketing import Ticket

PATIENCE: Final = timedelta(minutes=15)
"""A correction that was put down and not ordered in this time was cut short by a crash."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Correction:
    """How the agency puts it right."""

    operator: str
    text: str
    """For the raiser and the holder to read; the reason of the change."""
    document_number: str = ""
    new: Mapping[str, Any] = field(default_factory=dict)
    """What is other in the new version, as in `changing.ChangeOrder.renewed`."""
    identifier: str = ""
    """For a missing licence: the one that was issued since."""


def correct(lib: Library, agency_code: str, code: str, said: Correction) -> Ticket:
    """Put right what a ticket reports. It is closed when the new version stands; it waits where a second person must.

    Raises:
        InvalidRequestError: operator or text is missing, or the new version would not be lawful.
        NotFoundError: the agency has no such ticket, or the licence named is not there.
        ConflictError: code `ticket_closed` or `not_now`; or as `changing.order_change`.
        IllegalTransitionError, SetupError, OwnFaultError, UnavailableError: as `changing.order_change`.
    """
    require([*operator_faults(said.operator), *text_faults("text", said.text)])
    known = own_ticket(lib, agency_code, code)
    next_state(known, Action.CORRECT, Side.AGENCY)
    if known.kind is TicketKind.MISSING:
        return _supplied(lib, known, said)
    if said.identifier:
        reason = "is for a missing licence; say what is other in this one as `new`"
        raise InvalidRequestError((FieldFault(field="identifier", code="not_here", reason=reason),))
    licence = _newest(lib, known)
    request_id = f"ticket:{code}:{known.attempts + 1}"
    order = ChangeOrder(
        operation=Operation.CORRECT,
        reason=said.text,
        operator=said.operator,
        document_number=said.document_number,
        renewed=said.new,
        request_id=request_id,
    )
    _require_lawful(lib, licence, order)

    def judged(seen: Ticket) -> TicketState:
        if seen.attempts != known.attempts:
            raise ConflictError("somebody else corrects this now", identifier=code, code="not_now", hint=HINT)
        return next_state(seen, Action.CORRECT, Side.AGENCY)

    change_id = changing.change_id(agency_code, request_id)
    tickets.take_step(
        lib.store,
        code,
        Action.CORRECT,
        judged,
        by=agency_code,
        operator=said.operator,
        words=said.text,
        values={"change_id": change_id, "attempts": known.attempts + 1},
        now=lib.now(),
    )
    lib.step("ticket_correcting")
    try:
        changing.order_change(lib, agency_code, licence.identifier, order)
    except changing.LASTING as error:
        _reverted(lib, code, change_id, error.code)
        raise
    lib.step("ticket_ordered")
    return settle(lib, tickets.ticket(lib.store, code))


def settle(lib: Library, known: Ticket) -> Ticket:
    """The ticket after it followed its change as far as that has come. Again changes nothing."""
    if known.state is not TicketState.CORRECTING:
        return known
    try:
        change = lifecycles.change(lib.store, known.change_id, now=lib.now(), agency_code=known.agency_code)
    except NotFoundError:
        ordered_at = max(each.at for each in tickets.steps_of(lib.store, known) if each.action == Action.CORRECT)
        stale = lib.now() - ordered_at > PATIENCE
        return _reverted(lib, known.code, known.change_id, "never_ordered") if stale else known
    if change.state is ChangeState.DONE:
        return _finished(lib, known, change)
    if change.state in (ChangeState.DECLINED, ChangeState.EXPIRED, ChangeState.REFUSED):
        return _reverted(lib, known.code, known.change_id, change.code or change.state.value)
    return known


def settled(lib: Library, found: Iterable[Ticket]) -> tuple[Ticket, ...]:
    """The same tickets, each after it followed its change."""
    return tuple(settle(lib, each) for each in found)


def settle_all(lib: Library) -> tuple[str, ...]:
    """Let every ticket that waits for a change follow it; the codes of those that moved."""
    moved: list[str] = []
    before = 0
    while True:
        waiting = tickets.tickets(lib.store, Wanted(state=TicketState.CORRECTING, before=before))
        moved += (each.code for each in waiting if settle(lib, each).state is not TicketState.CORRECTING)
        if len(waiting) < LISTED:
            return tuple(moved)
        before = waiting[-1].id


def _require_lawful(lib: Library, licence: Licence, order: ChangeOrder) -> None:
    """Judge the new version before the ticket says that there will be one."""
    now = lib.now()
    changing.require_lawful(order, now)
    standing = standing_of(licence.status, licence.expires_on, licence.timezone, now)
    if ruling(order.operation, standing, changing.type_now(lib, licence.type_code).lifecycle) is Ruling.NEW_VERSION:
        changing.new_version(lib, licence, order, rehearsed=True)


def _newest(lib: Library, known: Ticket) -> Licence:
    """The version that is to be corrected: the last one that came of the licence reported."""
    licence = lookups.licence_by_identifier(lib.store, known.identifier)
    while (successor := lookups.successor_of(lib.store, licence.identifier)) is not None:
        if successor.agency_code != licence.agency_code or successor.version <= licence.version:
            break
        licence = successor
    return licence


def _supplied(lib: Library, known: Ticket, said: Correction) -> Ticket:
    """Close a ticket about a missing licence with the one that was issued since."""
    if not said.identifier:
        reason = "is missing: issue the licence, then name it here"
        raise InvalidRequestError((FieldFault(field="identifier", code="required", reason=reason),))
    licence = changing.own_licence(lib, known.agency_code, said.identifier)
    codes = {each.code.upper() for each in licence.holders}
    if licence.type_code != known.type_code or known.writing.holder_code.upper() not in codes:
        reason = "is of another type or holder than the ticket says"
        raise InvalidRequestError((FieldFault(field="identifier", code="other_licence", reason=reason),))

    def judged(seen: Ticket) -> TicketState:
        next_state(seen, Action.CORRECT, Side.AGENCY)
        return TicketState.CORRECTED

    return tickets.take_step(
        lib.store,
        known.code,
        FINISHED,
        judged,
        by=known.agency_code,
        operator=said.operator,
        words=said.text,
        values={"successor": licence.identifier},
        now=lib.now(),
    )


def _finished(lib: Library, known: Ticket, change: Change) -> Ticket:
    with suppress(_MovedError):
        return tickets.take_step(
            lib.store,
            known.code,
            FINISHED,
            lambda seen: _only(seen, change.id, TicketState.CORRECTED),
            by=known.agency_code,
            operator=change.checker or change.maker,
            values={"successor": change.successor},
            now=lib.now(),
        )
    return tickets.ticket(lib.store, known.code)


def _reverted(lib: Library, code: str, change_id: str, why: str) -> Ticket:
    with suppress(_MovedError):
        return tickets.take_step(
            lib.store,
            code,
            REVERTED,
            lambda seen: _only(seen, change_id, TicketState.IN_PROGRESS),
            by=LIBRARY,
            operator=LIBRARY,
            words=why,
            now=lib.now(),
        )
    return tickets.ticket(lib.store, code)


class _MovedError(Exception):
    """Another process was the first to let the ticket follow its change."""


def _only(seen: Ticket, change_id: str, end: TicketState) -> TicketState:
    if seen.state in CLOSED or seen.state is not TicketState.CORRECTING or seen.change_id != change_id:
        raise _MovedError("the ticket has moved")
    return end
