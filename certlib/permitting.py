"""Grants made, ended, changed and listed, checked against the types that they are for."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from certlib.catalogue import parse_type
from certlib.clients import operator_faults
from certlib.errors import FieldFault, InvalidRequestError, NotFoundError
from certlib.grants import ASKED_CONSENT, BASE_FIELDS, MAX_CODE_CHARACTERS, Basis, Grant, Interface, networks_of
from certlib.lawfulness import bounded_text_faults
from certlib.questions import BUILT_IN, grant_name
from certlib.store import agencies, granting

if TYPE_CHECKING:
    from certlib.library import Library

MAX_CLAUSE_CHARACTERS: Final = 500
MAX_REASON_CHARACTERS: Final = 500
MAX_MATTERS: Final = 500
MAX_DAILY_CAP: Final = 10**9
NEEDS_FIELDS: Final = frozenset({Interface.CHECK, Interface.DATA, Interface.FILE})
"""Ways of asking that are about values."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GrantOrder:
    """A grant as somebody writes it down; nothing is checked yet."""

    agency_code: str
    type_code: str
    fields: tuple[str, ...]
    interfaces: tuple[str, ...]
    matters: tuple[str, ...]
    basis: str
    clause: str
    daily_cap: int
    networks: tuple[str, ...] = ()
    valid_from: datetime | None = None
    """Aware; None is now."""
    valid_until: datetime | None = None
    """Aware, exclusive; None is until it is ended."""


def add_grant(lib: Library, order: GrantOrder, *, operator: str) -> Grant:
    """Grant an agency what it may ask about licences of a type. Audited.

    Raises:
        InvalidRequestError: naming every part that is wrong; of fields, each one that the type does not have.
        NotFoundError: no such agency, or no such type.
    """
    grant = _checked(lib, order, operator)
    granting.add_grant(lib.store, grant)
    return grant


def change_grant(lib: Library, grant_id: str, *, operator: str, **changes: Any) -> Grant:  # noqa: ANN401  # its parts
    """Put another grant in the place of one, other in `changes` (names of `GrantOrder`) only. Both acts are audited.

    What was used today stays used.

    Raises:
        InvalidRequestError: as `add_grant`; or nothing is other.
        NotFoundError: no such grant.
        ConflictError: it has ended already.
    """
    old = grant_of(lib, grant_id)
    order = GrantOrder(
        agency_code=old.agency_code,
        type_code=old.type_code,
        fields=old.fields,
        interfaces=tuple(each.value for each in old.interfaces),
        matters=tuple(old.matters),
        basis=old.basis.value,
        clause=old.clause,
        daily_cap=old.daily_cap,
        networks=old.networks,
        valid_from=old.valid_from,
        valid_until=old.valid_until,
    )
    grant = _checked(lib, replace(order, **changes), operator)
    if replace(grant, id=old.id, granted_by=old.granted_by, granted_at=old.granted_at) == old:
        raise InvalidRequestError(
            (FieldFault(field="(whole)", code="nothing_other", reason="changes nothing; name what is to be other"),)
        )
    granting.add_grant(lib.store, grant, replaces=old.id)
    return grant


def end_grant(lib: Library, grant_id: str, *, reason: str, operator: str) -> Grant:
    """End a grant now. Audited.

    Raises:
        InvalidRequestError: no reason, or no operator.
        NotFoundError: no such grant.
        ConflictError: it has ended already.
    """
    faults = [*bounded_text_faults("reason", reason, MAX_REASON_CHARACTERS), *operator_faults(operator)]
    if faults:
        raise InvalidRequestError(tuple(faults))
    old = grant_of(lib, grant_id)
    granting.end_grant(lib.store, old.id, operator=operator, reason=reason, now=lib.now())
    return grant_of(lib, old.id)


def grant_of(lib: Library, grant_id: str) -> Grant:
    """One grant.

    Raises:
        NotFoundError: none of this id.
    """
    return granting.grant(lib.store, grant_id if grant_id.isascii() and grant_id.isalnum() else "-")


def list_grants(lib: Library, *, agency_code: str = "", type_code: str = "", ended: bool = False) -> tuple[Grant, ...]:
    """The grants that are in force or will be, oldest first; with `ended` those that are over, too.

    Raises:
        NotFoundError: no such agency, or no such type.
    """
    if agency_code:
        agencies.agency(lib.store, agency_code)
    if type_code:
        agencies.current_type(lib.store, type_code)
    now = lib.now()
    return tuple(
        each
        for each in granting.grants(lib.store, agency_code=agency_code, type_code=type_code)
        if ended or not _over(each, now)
    )


def grants_in_force(lib: Library, agency_code: str) -> tuple[Grant, ...]:
    """The grants of an agency that are in force now, oldest first; may be empty."""
    now = lib.now()
    known = granting.grants(lib.store, agency_code=agency_code)
    return tuple(each for each in known if each.valid_from <= now and not _over(each, now))


def grant_json(lib: Library, grant: Grant) -> dict[str, Any]:
    """A grant for programs, with what is used of it today."""
    return {
        "id": grant.id,
        "agency": grant.agency_code,
        "type": grant.type_code,
        "fields": list(grant.fields),
        "interfaces": [each.value for each in Interface if each in grant.interfaces],
        "matters": sorted(grant.matters),
        "basis": grant.basis.value,
        "clause": grant.clause,
        "daily_cap": grant.daily_cap,
        "used_today": granting.used(lib.store, grant.id, lib.now().astimezone(UTC).date()),
        "networks": list(grant.networks),
        "valid_from": grant.valid_from.isoformat(),
        "valid_until": grant.valid_until.isoformat() if grant.valid_until else None,
        "granted_by": grant.granted_by,
        "granted_at": grant.granted_at.isoformat(),
        "ended_at": grant.ended_at.isoformat() if grant.ended_at else None,
        "ended_by": grant.ended_by,
        "end_reason": grant.end_reason,
    }


def _over(grant: Grant, now: datetime) -> bool:
    return grant.ended_at is not None or (grant.valid_until is not None and now >= grant.valid_until)


def _checked(lib: Library, order: GrantOrder, operator: str) -> Grant:
    now = lib.now()
    agency = agencies.agency(lib.store, order.agency_code)
    known = _fields_of(lib, order.type_code)
    faults = [
        *_field_faults(order, known),
        *_interface_faults(order),
        *_matter_faults(order),
        *_basis_faults(order),
        *_term_faults(order, now),
        *operator_faults(operator),
    ]
    if faults:
        raise InvalidRequestError(tuple(faults))
    return Grant(
        id=secrets.token_hex(13),
        agency_code=agency.code,
        type_code=order.type_code,
        fields=tuple(each for each in known if each in order.fields),
        interfaces=frozenset(map(Interface, order.interfaces)),
        matters=frozenset(order.matters),
        basis=Basis(order.basis),
        clause=order.clause,
        daily_cap=order.daily_cap,
        networks=networks_of(order.networks, field="network"),
        valid_from=order.valid_from or now,
        valid_until=order.valid_until,
        granted_by=operator,
        granted_at=now,
    )


def _fields_of(lib: Library, type_code: str) -> tuple[str, ...]:
    """All names that can be granted for a type: its fields in the order of the form, then its questions."""
    registered = [each for each in agencies.all_types(lib.store) if each.code == type_code]
    if not registered:
        message = "no type of this code is registered"
        raise NotFoundError(message, code="type_not_found", hint="See: certlib type list")
    names, questions = list(BASE_FIELDS), [grant_name(BUILT_IN.name)]
    for each in registered:
        kind = parse_type(each.type_toml, where=each.code, version=each.version)
        names += [field.name for field in kind.fields]
        questions += [grant_name(question.name) for question in kind.questions]
    return tuple(dict.fromkeys([*names, *questions]))


def _field_faults(order: GrantOrder, known: tuple[str, ...]) -> list[FieldFault]:
    unknown = [each for each in dict.fromkeys(order.fields) if each not in known]
    if unknown:
        reason = f"{{}} is no field of {order.type_code}; it has {', '.join(known)}"
        return [
            FieldFault(field="fields", code="unknown_field", reason=reason.format(repr(each[:64]))) for each in unknown
        ]
    if not order.fields and NEEDS_FIELDS & set(order.interfaces):
        return [FieldFault(field="fields", code="required", reason="is missing: check, data and file are about values")]
    return []


def _interface_faults(order: GrantOrder) -> list[FieldFault]:
    if order.interfaces and all(each in list(Interface) for each in order.interfaces):
        unasked = sorted(set(order.interfaces) - ASKED_CONSENT)
        if order.basis == Basis.CONSENT and unasked:
            reason = f"hold {', '.join(unasked)}: holders are asked for data and files only; grant the rest by a law"
            return [FieldFault(field="interfaces", code="needs_law", reason=reason)]
        return []
    return [FieldFault(field="interfaces", code="bad_interface", reason=f"must be some of {', '.join(Interface)}")]


def _matter_faults(order: GrantOrder) -> list[FieldFault]:
    if not 1 <= len(order.matters) <= MAX_MATTERS:
        reason = f"must name 1 to {MAX_MATTERS} codes: nobody asks without a purpose"
        return [FieldFault(field="matters", code="required", reason=reason)]
    for each in order.matters:
        if not each.isprintable() or " " in each or not 1 <= len(each) <= MAX_CODE_CHARACTERS:
            reason = f"{each[:64]!r} is no code of 1 to {MAX_CODE_CHARACTERS} characters without spaces"
            return [FieldFault(field="matters", code="bad_form", reason=reason)]
    return []


def _basis_faults(order: GrantOrder) -> list[FieldFault]:
    if order.basis not in list(Basis):
        return [FieldFault(field="basis", code="bad_basis", reason=f"must be {' or '.join(Basis)}")]
    if order.clause:
        return bounded_text_faults("clause", order.clause, MAX_CLAUSE_CHARACTERS)
    if order.basis == Basis.STATUTORY:
        reason = "is missing: a statutory basis names the law, article and paragraph"
        return [FieldFault(field="clause", code="required", reason=reason)]
    return []


def _term_faults(order: GrantOrder, now: datetime) -> list[FieldFault]:
    faults = []
    if not 1 <= order.daily_cap <= MAX_DAILY_CAP:
        faults.append(
            FieldFault(field="daily_cap", code="bad_number", reason=f"must be a number from 1 to {MAX_DAILY_CAP}")
        )
    begin = order.valid_from or now
    if order.valid_until is not None and order.valid_until <= max(begin, now):
        faults.append(FieldFault(field="until", code="bad_date", reason="must lie after the beginning, and ahead"))
    return faults
