"""Acting for another holder: a guardian, an agent, an officer of a company; within a scope, until a day.

A delegate logs in as who he is and names the delegation. Nobody acts for another through a third one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError, NotFoundError
from certlib.holding.codes import known_fields
from certlib.holding.sessions import holder_mark, require_holder, require_person, require_standing, require_words
from certlib.identifiers import ORGANISATION_CODE_TYPES, masked_code, normalise_identifier
from certlib.receipting import new_receipt_id
from certlib.store import audits, delegations, owning
from certlib.store.delegations import Act, Delegation, DelegationKind, Party, is_party
from certlib.store.engine import writing
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from certlib.callers import AgencyCaller
    from certlib.faces import JsonValue
    from certlib.holding.sessions import HolderCaller
    from certlib.library import Library

__all__ = ["Act", "Delegation", "DelegationKind", "Party", "Wanted", "give", "put_down", "revoke", "revoke_by_agency"]

MAX_NAME_CHARACTERS: Final = 100
MAX_SCOPE: Final = 100
"""Types, and licences, that one delegation names."""
MAX_IN_FORCE: Final = 100
"""Delegations of one holder at a time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """A delegation as somebody asks for it. Checked by `give` and `put_down`."""

    kind: DelegationKind
    delegate: Party
    acts: frozenset[Act]
    ends_at: datetime
    """Aware; exclusive."""
    types: tuple[str, ...] = ()
    licences: tuple[str, ...] = ()
    """With `types` the scope; both empty is everything."""
    basis: str = ""
    """Legal basis in words; may be empty only where the holder delegates."""


def give(lib: Library, me: HolderCaller, wanted: Wanted) -> Delegation:
    """A delegation that a person gives an agent. `me` is the holder in person: chains are refused.

    Raises:
        InvalidRequestError: naming each member that is not lawful.
        ForbiddenError: code `not_for_delegates`.
    """
    if me.delegation is not None:
        raise ForbiddenError("a delegate cannot do this", code="not_for_delegates")
    if wanted.kind is not DelegationKind.AGENT:
        reason = "is put down at the counter, with its legal basis; a holder chooses an agent"
        raise InvalidRequestError((FieldFault(field="kind", code="not_here", reason=reason),))
    principal = Party(code=me.holder_code, code_type=me.code_type)
    made = _made(lib, principal, wanted, agency_code="", made_by="")
    return _kept(lib, made, me=me)


def put_down(
    lib: Library, wanted: Wanted, *, principal: Party, operator: str, caller: AgencyCaller | None = None
) -> Delegation:
    """A delegation that an agency has seen the legal basis of: guardians, officers, agents.

    A child cannot log in, and a company never does, so neither could give it. Without `caller` it is the library's own
    counter.

    Raises:
        InvalidRequestError: naming each member that is not lawful.
    """
    require_words(basis=wanted.basis, operator=operator)
    code = require_holder(lib, principal.code, principal.code_type, field="principal.")
    organisation = principal.code_type in ORGANISATION_CODE_TYPES
    if organisation != (wanted.kind is DelegationKind.OFFICER):
        reason = "must be officer for an organisation, and cannot be for a person"
        raise InvalidRequestError((FieldFault(field="kind", code="wrong_kind", reason=reason),))
    agency = caller.agency_code if caller else ""
    made = _made(lib, replace(principal, code=code), wanted, agency_code=agency, made_by=operator)
    return _kept(lib, made, operator=operator)


def given_and_received(lib: Library, me: HolderCaller) -> tuple[list[Delegation], list[Delegation]]:
    """What the holder gave, and what the holder was given; ended ones too, newest first."""
    found = delegations.delegations_of(lib.store, me.holder_code, me.code_type)
    given = [each for each in found if is_party(each.principal, me.holder_code, me.code_type)]
    received = [each for each in found if is_party(each.delegate, me.holder_code, me.code_type)]
    return given, received


def revoke(lib: Library, me: HolderCaller, delegation_id: str) -> None:
    """End a delegation now: the holder one that was given, the delegate one that was received.

    Raises:
        NotFoundError: code `delegation_not_found`: none that the holder is a party of.
        ForbiddenError: code `set_by_agency`: a ward cannot end the guardianship.
        ConflictError: code `delegation_ended`.
    """
    found = delegations.delegation(lib.store, delegation_id)
    gave = is_party(found.principal, me.holder_code, me.code_type)
    if not gave and not is_party(found.delegate, me.holder_code, me.code_type):
        raise NotFoundError("no delegation is known under this id", code="delegation_not_found")
    if gave and found.kind is DelegationKind.GUARDIAN:
        raise ForbiddenError(
            "a guardianship is ended by the agency that put it down", code="set_by_agency", hint="Ask at the counter."
        )
    _end(lib, found, by="principal" if gave else "delegate", actor="holder", me=me)


def revoke_by_agency(
    lib: Library, delegation_id: str, *, operator: str, caller: AgencyCaller | None = None
) -> Delegation:
    """End a delegation now: an agency one that it put down, the library's own counter any.

    Raises:
        InvalidRequestError: no operator.
        NotFoundError: code `delegation_not_found`; another agency's is not known to the caller.
        ConflictError: code `delegation_ended`.
    """
    require_words(operator=operator)
    found = delegations.delegation(lib.store, delegation_id)
    if caller is not None and found.agency_code != caller.agency_code:
        raise NotFoundError("no delegation is known under this id", code="delegation_not_found")
    _end(lib, found, by=caller.agency_code if caller else "counter", actor=operator)
    return delegations.delegation(lib.store, delegation_id)


def delegation_json(made: Delegation, now: datetime) -> dict[str, JsonValue]:
    """A delegation as its parties read it; codes are masked."""
    state = "ended" if made.ended_at is not None else "in_force" if now < made.ends_at else "over"
    return {
        "id": made.id,
        "kind": made.kind.value,
        "state": state,
        "principal": _party_json(made.principal),
        "delegate": _party_json(made.delegate),
        "acts": [each.value for each in Act if each in made.acts],
        "types": list(made.types),
        "licences": list(made.licences),
        "basis": made.basis,
        "agency": made.agency_code,
        "made_at": moment(made.made_at),
        "ends_at": moment(made.ends_at),
        "ended_at": moment(made.ended_at) if made.ended_at else None,
        "ended_by": made.ended_by,
    }


def _party_json(party: Party) -> dict[str, JsonValue]:
    return {"name": party.name, "code": masked_code(party.code), "code_type": party.code_type}


def _made(lib: Library, principal: Party, wanted: Wanted, *, agency_code: str, made_by: str) -> Delegation:
    """What is kept of `wanted`, checked."""
    now = lib.now()
    try:
        code = require_person(lib, wanted.delegate.code, wanted.delegate.code_type)
    except InvalidRequestError as error:
        named = tuple(replace(each, field=f"delegate.{each.field}") for each in error.faults)
        raise InvalidRequestError(named) from error
    delegate = replace(wanted.delegate, code=code)
    licences = tuple(map(normalise_identifier, wanted.licences))
    faults = [
        *_term_faults(lib, wanted.ends_at, now),
        *_scope_faults(lib, principal, wanted.types, licences),
        *_name_faults("principal.name", principal.name),
        *_name_faults("delegate.name", delegate.name),
    ]
    if not wanted.acts:
        faults.append(FieldFault(field="acts", code="required", reason=f"must be some of {' '.join(Act)}"))
    if len(wanted.basis) > MAX_NAME_CHARACTERS * 2 or not wanted.basis.isprintable():
        faults.append(FieldFault(field="basis", code="bad_form", reason="has at most 200 characters, all printed"))
    if is_party(delegate, principal.code, principal.code_type):
        faults.append(FieldFault(field="delegate.code", code="same_holder", reason="is the holder"))
    if faults:
        raise InvalidRequestError(tuple(faults))
    return Delegation(
        id=new_receipt_id(),
        kind=wanted.kind,
        # What the record says an agency is not told: it has no grant for that, and no ledger would show it.
        principal=replace(principal, name=principal.name or ("" if agency_code else _name_of(lib, principal))),
        delegate=delegate,
        acts=wanted.acts,
        types=tuple(sorted(set(wanted.types))),
        licences=tuple(sorted(set(licences))),
        basis=wanted.basis,
        agency_code=agency_code,
        made_by=made_by,
        made_at=now,
        ends_at=wanted.ends_at.astimezone(UTC),
    )


def _term_faults(lib: Library, ends_at: datetime, now: datetime) -> Iterator[FieldFault]:
    days = lib.settings.delegation_max_days
    if ends_at <= now:
        yield FieldFault(field="ends_at", code="in_past", reason="is past")
    elif ends_at > now + timedelta(days=days):
        yield FieldFault(field="ends_at", code="too_late", reason=f"is more than {days} days ahead")


def _scope_faults(
    lib: Library, principal: Party, types: tuple[str, ...], licences: tuple[str, ...]
) -> Iterator[FieldFault]:
    """What is wrong with a scope. Licences are the principal's own: one answer for all others."""
    if len(types) > MAX_SCOPE or len(licences) > MAX_SCOPE:
        yield FieldFault(field="types", code="too_long", reason=f"names more than {MAX_SCOPE}")
        return
    if any(known_fields(lib, each) is None for each in types):
        yield FieldFault(field="types", code="unknown_type", reason="names a type that this library does not have")
    found = owning.licences_named(lib.store, [each for each in licences if each.isascii() and each.isprintable()])
    held = {name for name, each in found.items() if owning.held_by(each, principal.code, principal.code_type)}
    if set(licences) - held:
        yield FieldFault(field="licences", code="unknown_licence", reason="names one that is not the holder's")


def _name_faults(name: str, value: str) -> Iterator[FieldFault]:
    if len(value) > MAX_NAME_CHARACTERS or not value.isprintable():
        reason = f"has at most {MAX_NAME_CHARACTERS} characters, all printed"
        yield FieldFault(field=name, code="bad_form", reason=reason)


def _name_of(lib: Library, principal: Party) -> str:
    """The name on the holder's newest licence, or empty."""
    found, _next = owning.owned(lib.store, principal.code, principal.code_type, limit=1)
    names = (
        holder.name
        for each in found
        for holder in each.holders
        if is_party(principal, holder.code, holder.code_type)
    )  # fmt: skip
    return next(names, "")


def _kept(lib: Library, made: Delegation, *, me: HolderCaller | None = None, operator: str = "holder") -> Delegation:
    detail: dict[str, str | int] = {
        "kind": made.kind.value,
        "principal": holder_mark(lib, made.principal.code),
        "delegate": holder_mark(lib, made.delegate.code),
        "acts": " ".join(sorted(made.acts)),
        "types": " ".join(made.types),
        "licences": " ".join(made.licences),
        "agency": made.agency_code,
        "ends_at": made.ends_at.isoformat(),
    }
    with writing(lib.store) as conn:
        if me is not None:
            require_standing(conn, me, now=made.made_at)
        delegations.put(lib.store, conn, made, most=MAX_IN_FORCE)
        entry = audits.Entry(actor=operator, act="delegation.made", subject=made.id, detail=detail)
        audits.append(conn, [entry], at=made.made_at)
    return made


def _end(lib: Library, found: Delegation, *, by: str, actor: str, me: HolderCaller | None = None) -> None:
    now = lib.now()
    detail: dict[str, str | int] = {"kind": found.kind.value, "by": by}
    with writing(lib.store) as conn:
        if me is not None:
            require_standing(conn, me, now=now)
        delegations.end(conn, found.id, by=by, now=now)
        audits.append(
            conn, [audits.Entry(actor=actor, act="delegation.ended", subject=found.id, detail=detail)], at=now
        )
