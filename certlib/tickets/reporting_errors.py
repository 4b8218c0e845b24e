"""Reports of errors in licences (纠错), and of licences that should be here and are not (补录): how tickets begin.

While such a ticket is open the licence changes no status; `is_reported` is for a neutral notice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from certlib.changing import parse_kinds
from certlib.errors import FieldFault, InvalidRequestError, NotFoundError
from certlib.grants import BASE_FIELDS
from certlib.holding.sessions import require_standing
from certlib.identifiers import normalise_identifier, normalise_public_code
from certlib.receipting import new_receipt_id
from certlib.store import agencies, lookups, tickets
from certlib.store.converting import holder_index
from certlib.store.owning import held_by
from certlib.store.ticketing import TicketItem, TicketKind, TicketState, Writing
from certlib.store.tickets import NewTicket
from certlib.tickets.following import due_at
from certlib.tickets.objections import require_room
from certlib.tickets.wording import (
    MAX_CONTACT_CHARACTERS,
    MAX_VALUE_CHARACTERS,
    operator_faults,
    require,
    text_faults,
    word_faults,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from certlib.holding.sessions import HolderCaller
    from certlib.library import Library
    from certlib.model import Licence
    from certlib.store.engine import Transaction
    from certlib.store.ticketing import Ticket

__all__ = [
    "Clerk",
    "ErrorReport",
    "TicketItem",
    "field_names",
    "is_reported",
    "report_missing",
    "report_own",
    "report_wrong",
]
MAX_ITEMS: Final = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ErrorReport:
    """What is wrong, as somebody reports it."""

    items: Sequence[TicketItem] = ()
    """At least one for a wrong licence, none for a missing one."""
    remark: str = ""
    contact: str = ""
    """Where the agency may ask back; may be empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Clerk:
    """Who reports for an agency, and in which case it was met."""

    agency_code: str
    operator: str
    matter_code: str = ""
    case_number: str = ""

    def faults(self) -> list[FieldFault]:
        """What is wrong with it."""
        optional = (("matter_code", self.matter_code), ("case_number", self.case_number))
        more = [fault for name, value in optional for fault in word_faults(name, value, needed=False)]
        return [*operator_faults(self.operator), *more]


def report_own(lib: Library, me: HolderCaller, identifier: str, report: ErrorReport) -> Ticket:
    """Open a ticket about one of the holder's licences.

    Raises:
        InvalidRequestError: no item, a field that the licence does not have, or a text that cannot be taken.
        NotFoundError: the holder has no such licence.
        ConflictError: code `ticket_open`: an open ticket is about one of the fields; `identifier` is its id.
        LimitReachedError: code `too_many_open`.
    """
    require(_report_faults(report, with_items=True))
    licence = _known(lib, identifier)
    if licence is None or not held_by(licence, me.holder_code, me.code_type) or not _covers(me, licence):
        raise _not_found()
    require_room(lib, me)
    now = lib.now()
    first = partial(require_standing, me=me, now=now)
    return _open_wrong(lib, licence, report, raiser=me.actor, holder_code=me.holder_code, first=first)


def report_wrong(lib: Library, clerk: Clerk, key: str, report: ErrorReport) -> Ticket:
    """Open a ticket about a licence that a clerk met: by its look-up code, or by its identifier.

    An identifier is taken of licences that the clerk's agency issued or has looked at; any other is not known here,
    whether it exists or not.

    Raises:
        InvalidRequestError: as `report_own`.
        NotFoundError: no such licence for this agency.
        ConflictError: code `ticket_open`.
    """
    require([*clerk.faults(), *_report_faults(report, with_items=True)])
    licence = _met(lib, clerk.agency_code, key)
    return _open_wrong(lib, licence, report, raiser=clerk.operator, clerk=clerk)


def report_missing(  # noqa: PLR0913  # what is missing, and who says so
    lib: Library, clerk: Clerk, *, type_code: str, agency_code: str, holder_code: str, report: ErrorReport
) -> Ticket:
    """Open a ticket about a licence that should be here and is not. Nothing is said about what is on record.

    Raises:
        InvalidRequestError: no such type or agency, no holder code, or a text that cannot be taken.
        ConflictError: code `ticket_open`: the agency reported the same.
    """
    faults = [*clerk.faults(), *_report_faults(report, with_items=False)]
    faults += word_faults("holder_code", holder_code)
    faults += _unknown(lib, type_code, agency_code)
    require(faults)
    index = holder_index(lib.store.cipher, holder_code).hex()
    new = NewTicket(
        code=new_receipt_id(),
        kind=TicketKind.MISSING,
        state=TicketState.RECEIVED,
        agency_code=agency_code,
        raiser_agency=clerk.agency_code,
        raiser=clerk.operator,
        holder_code=holder_code,
        type_code=type_code,
        due_at=due_at(lib, agency_code, lib.settings.correction_days),
        writing=_writing(report, clerk, holder_code=holder_code),
        # Of this agency's own reports only: nobody learns who else has met this holder.
        claims=(f"missing:{clerk.agency_code}:{agency_code}:{type_code}:{index}",),
    )
    return tickets.open_ticket(lib.store, new, now=lib.now())


def is_reported(lib: Library, identifier: str) -> bool:
    """Whether an open ticket says that something in this licence is wrong: for a neutral notice beside it."""
    return tickets.is_reported(lib.store, identifier)


def field_names(lib: Library, licence: Licence) -> frozenset[str]:
    """The fields of a licence by the names under which they are granted."""
    return frozenset({*BASE_FIELDS, *(each.name for each in parse_kinds(lib, licence))})


def _open_wrong(  # noqa: PLR0913  # who says what about which
    lib: Library,
    licence: Licence,
    report: ErrorReport,
    *,
    raiser: str,
    holder_code: str = "",
    clerk: Clerk | None = None,
    first: Callable[[Transaction], None] | None = None,
) -> Ticket:
    known = field_names(lib, licence)
    require(
        FieldFault(field=f"items.{number}.field", code="unknown_field", reason="is no field of this licence")
        for number, each in enumerate(report.items)
        if each.field not in known
    )
    names = tuple(each.field for each in report.items)
    # Versions of one licence share its number, and so the claim: nobody reports the same again on the next version.
    serial = f"{licence.agency_code}:{licence.type_code}:{licence.number}"
    new = NewTicket(
        code=new_receipt_id(),
        kind=TicketKind.WRONG,
        state=TicketState.RECEIVED,
        agency_code=licence.agency_code,
        raiser_agency=clerk.agency_code if clerk else "",
        raiser=raiser,
        holder_code=holder_code,
        identifier=licence.identifier,
        type_code=licence.type_code,
        fields=names,
        due_at=due_at(lib, licence.agency_code, lib.settings.correction_days),
        writing=_writing(report, clerk),
        claims=tuple(f"wrong:{serial}:{name}" for name in names),
    )
    return tickets.open_ticket(lib.store, new, first=first, now=lib.now())


def _writing(report: ErrorReport, clerk: Clerk | None, *, holder_code: str = "") -> Writing:
    case = "" if clerk is None else f"{clerk.matter_code} {clerk.case_number}".strip()
    return Writing(
        text=report.remark, items=tuple(report.items), contact=report.contact, holder_code=holder_code, case=case
    )


def _report_faults(report: ErrorReport, *, with_items: bool) -> list[FieldFault]:
    faults = text_faults("remark", report.remark, needed=not with_items)
    faults += word_faults("contact", report.contact, most=MAX_CONTACT_CHARACTERS, needed=False)
    if with_items and not report.items:
        faults.append(FieldFault(field="items", code="required", reason="is missing: name at least one field"))
    if not with_items and report.items:
        faults.append(FieldFault(field="items", code="not_here", reason="is for a licence that is there"))
    if len(report.items) > MAX_ITEMS:
        return [*faults, FieldFault(field="items", code="too_many", reason=f"has more than {MAX_ITEMS} entries")]
    seen: set[str] = set()
    for number, each in enumerate(report.items):
        if each.field in seen:
            faults.append(FieldFault(field=f"items.{number}.field", code="twice", reason="is named twice"))
        seen.add(each.field)
        faults += text_faults(f"items.{number}.wrong", each.wrong, most=MAX_VALUE_CHARACTERS)
        faults += text_faults(f"items.{number}.right", each.right, most=MAX_VALUE_CHARACTERS, needed=False)
    return faults


def _unknown(lib: Library, type_code: str, agency_code: str) -> list[FieldFault]:
    faults = []
    try:
        agencies.current_type(lib.store, type_code)
    except NotFoundError:
        faults.append(FieldFault(field="type", code="unknown", reason="is no type of this library"))
    try:
        agencies.agency(lib.store, agency_code)
    except NotFoundError:
        faults.append(FieldFault(field="agency", code="unknown", reason="is no agency of this library"))
    return faults


def _known(lib: Library, identifier: str) -> Licence | None:
    try:
        return lookups.licence_by_identifier(lib.store, normalise_identifier(identifier))
    except NotFoundError:
        return None


def _met(lib: Library, agency_code: str, key: str) -> Licence:
    if "." not in key:
        try:
            return lookups.licence_by_code(lib.store, normalise_public_code(key))
        except InvalidRequestError as error:
            raise _not_found() from error
    licence = _known(lib, key)
    # Asked in either case, so that the answer takes the same way.
    looked = tickets.has_looked(lib.store, agency_code, "" if licence is None else licence.identifier)
    if licence is None or not (looked or licence.agency_code == agency_code):
        raise _not_found()
    return licence


def _covers(me: HolderCaller, licence: Licence) -> bool:
    return me.covers(type_code=licence.type_code, identifier=licence.identifier)


def _not_found() -> NotFoundError:
    return NotFoundError("no licence is known under this key")
