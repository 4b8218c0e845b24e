"""One-time codes: a holder shows licences at a counter, or lets one agency use what the code names. Good once."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from certlib.catalogue import parse_type
from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError, NotFoundError
from certlib.grants import BASE_FIELDS
from certlib.holding.own import Types, face_fields, face_json, owned_licences, require_sole
from certlib.holding.sessions import holder_mark, require_standing
from certlib.receipting import new_receipt_id
from certlib.store import agencies, audits, consents, looks, owning
from certlib.store.consents import CodeKind, OneTimeCode, ShownLicence
from certlib.store.engine import writing
from certlib.store.looks import Look
from certlib.verdict import moment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from certlib.callers import AgencyCaller
    from certlib.faces import JsonValue
    from certlib.holding.sessions import HolderCaller
    from certlib.library import Library

MAX_SHOWN: Final = 20
"""Licences behind one code."""
MAX_TYPES: Final = 20
ANYBODY: Final = "anybody"
"""Who looked, when it was nobody with a log-in."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MadeCode:
    """A code that was just made: the only time that anybody sees it."""

    id: str
    kind: CodeKind
    code: str = field(repr=False)
    """In groups of four."""
    expires_at: datetime


def code_to_show(lib: Library, me: HolderCaller, licences: Sequence[str]) -> MadeCode:
    """A code by which somebody at a counter sees the faces of these licences, once, within a minute.

    Raises:
        InvalidRequestError: no licence, too many, or one twice.
        NotFoundError: one of them is not the holder's, or outside the delegate's scope.
        LimitReachedError: too many codes are open.
    """
    if not 0 < len(licences) <= MAX_SHOWN or len(set(licences)) != len(licences):
        reason = f"must name 1 to {MAX_SHOWN} licences, each once"
        raise InvalidRequestError((FieldFault(field="licences", code="required", reason=reason),))
    types = Types(lib)
    shown = [
        ShownLicence(identifier=each.identifier, type_code=each.type_code, fields=face_fields(types.of(each)))
        for each in owned_licences(lib, me, tuple(licences))
    ]
    return _made(lib, me, CodeKind.SHOW, seconds=lib.settings.show_code_seconds, shown=tuple(shown))


def consent_code(lib: Library, me: HolderCaller, *, agency_code: str, types: Mapping[str, Sequence[str]]) -> MadeCode:
    """A code by which this agency may use these fields of the holder's licences of these types, once.

    Raises:
        InvalidRequestError: an agency, a type or a field that is not known.
        ForbiddenError: code `delegation_scope`: a type is outside the delegate's scope; `code_ambiguous`.
        LimitReachedError: too many codes are open.
    """
    faults = [*_agency_faults(lib, agency_code), *_type_faults(lib, types)]
    if faults:
        raise InvalidRequestError(tuple(faults))
    if not all(me.covers(type_code=each) for each in types):
        raise ForbiddenError("your delegation is not for all of these types", code="delegation_scope")
    require_sole(lib, me)
    agreed = {name: tuple(dict.fromkeys(fields)) for name, fields in types.items()}
    seconds = lib.settings.consent_code_seconds
    return _made(lib, me, CodeKind.CONSENT, seconds=seconds, agency_code=agency_code, types=agreed)


def own_codes(lib: Library, me: HolderCaller) -> list[dict[str, JsonValue]]:
    """The holder's newest codes and what became of them; never the codes themselves."""
    now = lib.now()
    return [
        code_json(each, now)
        for each in consents.codes_of(lib.store, me.holder_code, me.code_type)
        if me.delegation is None or each.delegation_id == me.delegation.id
    ]


def take_back(lib: Library, me: HolderCaller, code_id: str) -> None:
    """End a code that is not used yet. A delegate ends those made under the same delegation.

    Raises:
        NotFoundError: the holder has none of this id.
    """
    now = lib.now()
    if code_id not in {each["id"] for each in own_codes(lib, me)}:
        raise NotFoundError("no code is known under this id", code="code_not_found")
    with writing(lib.store) as conn:
        require_standing(conn, me, now=now)
        consents.end_code(lib.store, conn, code_id, me.holder_code, now=now)
        detail: dict[str, str | int] = {"holder": holder_mark(lib, me.holder_code), "delegation": me.delegation_id}
        audits.append(conn, [audits.Entry(actor=me.actor, act="code.ended", subject=code_id, detail=detail)], at=now)


def see_shown(
    lib: Library, code: str, *, caller: AgencyCaller | None, address: str
) -> tuple[dict[str, JsonValue], ...]:
    """The faces of the licences that a holder shows with `code`; the code is used up, and the look put down.

    Raises:
        InvalidRequestError: no code of ours, or mistyped; nothing is counted.
        NotFoundError: code `code_unknown`: one answer for one never given, used, over, or taken back; counted.
        LimitReachedError: code `too_many_wrong_codes` from this address, or of this agency.
    """
    now = lib.now()
    source = f"agency:{caller.agency_code}" if caller else f"address:{address}"
    consents.require_attempts(lib.store, source, most=lib.settings.wrong_codes_per_hour, now=now)
    agency = caller.agency_code if caller else ""
    operator = f"api:{agency}" if caller else ANYBODY
    try:
        with writing(lib.store) as conn:
            used = consents.redeem_shown(lib.store, conn, code, agency_code=agency, now=now)
            rows = [_look(used, each, caller, operator, now) for each in used.licences]
            looks.put(lib.store, conn, rows)
    except NotFoundError:
        detail: dict[str, str | int] = {"agency": agency, "client": caller.client_id if caller else ""}
        entry = audits.Entry(actor=operator, act="code.refused", subject=agency or ANYBODY, detail=detail)
        consents.note_failure(lib.store, source, entry, now=now)
        raise
    found = owning.licences_named(lib.store, [each.identifier for each in used.licences])
    types = Types(lib)
    return tuple(face_json(lib, found[each.identifier], types) for each in used.licences)


def code_json(code: OneTimeCode, now: datetime) -> dict[str, JsonValue]:
    """What a holder reads of a code that was made."""
    if code.used_at is not None:
        state = "used"
    elif code.ended_at is not None:
        state = "ended"
    else:
        state = "open" if now < code.expires_at else "expired"
    return {
        "id": code.id,
        "kind": code.kind.value,
        "state": state,
        "agency": code.agency_code,
        "types": {name: list(fields) for name, fields in code.types.items()},
        "licences": [each.identifier for each in code.licences],
        "created_at": moment(code.created_at),
        "expires_at": moment(code.expires_at),
        "used_at": moment(code.used_at) if code.used_at else None,
        "used_by": code.used_by,
        "reference": code.reference,
        "delegation": code.delegation_id,
    }


def _made(  # noqa: PLR0913  # what a code is for
    lib: Library,
    me: HolderCaller,
    kind: CodeKind,
    *,
    seconds: int,
    agency_code: str = "",
    types: Mapping[str, tuple[str, ...]] | None = None,
    shown: tuple[ShownLicence, ...] = (),
) -> MadeCode:
    now = lib.now()
    code = consents.new_code()
    made = OneTimeCode(
        id=new_receipt_id(),
        kind=kind,
        session_id=me.session_id,
        delegation_id=me.delegation_id,
        agency_code=agency_code,
        types=types or {},
        licences=shown,
        created_at=now,
        expires_at=now + timedelta(seconds=seconds),
        ended_at=None,
        used_at=None,
        used_by="",
        reference="",
        holder_code=me.holder_code,
        code_type=me.code_type,
    )
    detail: dict[str, str | int] = {
        "holder": holder_mark(lib, me.holder_code),
        "kind": kind.value,
        "agency": agency_code,
        "types": " ".join(sorted(made.types)),
        "licences": " ".join(each.identifier for each in shown),
        "delegation": me.delegation_id,
        "expires_at": made.expires_at.isoformat(),
    }
    with writing(lib.store) as conn:
        require_standing(conn, me, now=now)
        consents.put_code(lib.store, conn, code, made, most_open=lib.settings.open_codes_per_holder, now=now)
        audits.append(conn, [audits.Entry(actor=me.actor, act="code.made", subject=made.id, detail=detail)], at=now)
    return MadeCode(id=made.id, kind=kind, code=consents.printed_code(code), expires_at=made.expires_at)


def _look(used: OneTimeCode, shown: ShownLicence, caller: AgencyCaller | None, operator: str, now: datetime) -> Look:
    return Look(
        at=now,
        kind="shown",
        agency_code=caller.agency_code if caller else "",
        client_id=caller.client_id if caller else "",
        operator=operator,
        matter_code="",
        case_number="",
        purpose="",
        type_code=shown.type_code,
        fields=shown.fields,
        basis="holder",
        grant_id="",
        outcome="given",
        reference=used.id,
        identifier=shown.identifier,
        holder_code=used.holder_code,
    )


def _agency_faults(lib: Library, code: str) -> list[FieldFault]:
    try:
        if code.isascii() and code.isprintable():
            agencies.agency(lib.store, code)
            return []
    except NotFoundError:
        pass
    return [FieldFault(field="agency", code="unknown_agency", reason="is not the code of an agency of this library")]


def _type_faults(lib: Library, types: Mapping[str, Sequence[str]]) -> list[FieldFault]:
    if not 0 < len(types) <= MAX_TYPES:
        return [FieldFault(field="types", code="required", reason=f"must name 1 to {MAX_TYPES} types")]
    faults = []
    for name, fields in types.items():
        known = known_fields(lib, name)
        if known is None:
            reason = "names a type that this library does not have"
            faults.append(FieldFault(field="types", code="unknown_type", reason=reason))
        elif not fields or set(fields) - known:
            reason = "names no field, or one that the type does not have"
            faults.append(FieldFault(field=f"types.{name}", code="unknown_field", reason=reason))
    return faults


def known_fields(lib: Library, type_code: str) -> frozenset[str] | None:
    """What can be agreed to of a type, by the names of grants; None for a type that nobody knows."""
    if not (type_code.isascii() and type_code.isprintable()):
        return None
    try:
        known = agencies.current_type(lib.store, type_code)
    except NotFoundError:
        return None
    parsed = parse_type(known.type_toml, where=f"{type_code}/v{known.version}", version=known.version)
    return frozenset({*BASE_FIELDS, *(each.name for each in parsed.fields)})
