"""Uses: an agency asks for data or copies of a holder's licences; the law answers at once, the holder when asked.

A use code names the use. It is bound to agency, matter, case, purpose, operator, types, fields, licences and an end,
and each reading under it is judged anew (`use_data`, `use_files`). Asking tells nothing about the holder: what needs
consent waits in the same way for holders that nobody knows.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from certlib.errors import ConflictError, FieldFault, ForbiddenError, InvalidRequestError, NotFoundError
from certlib.grants import Basis, Interface, require_asking
from certlib.lawfulness import text_fault
from certlib.receipting import new_receipt_id
from certlib.sharing.admission import admit, guard_holder, refuse
from certlib.sharing.finding import find, folded_code
from certlib.store import audits, consents
from certlib.store import uses as rows
from certlib.store.uses import REFUSED, Part, Use, UseState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from certlib.callers import AgencyCaller
    from certlib.grants import Asking
    from certlib.library import Library
    from certlib.sharing.admission import Admission
    from certlib.store.engine import Transaction

__all__ = ["Part", "Use", "UseRequest", "UseState", "ask", "decide", "own_use", "own_uses", "requests_of"]

MAX_TYPES: Final = 20
MAX_CODE_CHARACTERS: Final = 128
MAX_REQUEST_CHARACTERS: Final = 128
_CODE: Final = re.compile(r"[0-9a-f]{26}")
TYPE_FORM: Final = "[a-z][a-z0-9-]{0,63}"
_TYPE: Final = re.compile(TYPE_FORM)
_LAW: Final = "law"
_BY_CODE: Final = "code"


@dataclass(frozen=True, kw_only=True, slots=True)
class UseRequest:
    """What an agency asks for. Checked by `ask`."""

    asking: Asking
    interfaces: tuple[Interface, ...]
    types: tuple[str, ...]
    holder_code: str = ""
    identifier: str = ""
    """One licence, of the one type that is named."""
    named: str = ""
    """As the caller named it, where that was no identifier: which one it was found to be tells no request id."""
    fields: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By type; what is left out is all that is granted."""
    consent_code: str = ""
    request_id: str = ""


def ask(lib: Library, caller: AgencyCaller, request: UseRequest) -> tuple[Use, bool]:
    """A use, granted or waiting for the holder, and whether it is new. The same request id gives the same use.

    Nothing is looked up before the grants have allowed it, and for what needs consent nothing before the holder has.

    Raises:
        InvalidRequestError: something is missing or badly formed; or the consent code is mistyped.
        ForbiddenError: a `grants.Rule`, or the code of a consent that does not serve (`consents.redeem_consent`).
        LimitReachedError: too much was asked about this holder.
        ConflictError: code `other_use`: another request stands under this id.
    """
    _require_form(request)
    judged = [_judged(lib, caller, request, name) for name in request.types]
    statutory = all(by_law for _part, by_law in judged) and not request.consent_code
    holder_code = folded_code(request.holder_code)
    if not (statutory or holder_code or request.consent_code):
        reason = "is missing: this needs the holder's consent, so name the holder or bring a consent code"
        raise InvalidRequestError((FieldFault(field="holder_code", code="required", reason=reason),))
    guard_holder(lib, caller, request.asking, holder_code, type_code=request.types[0])
    now = lib.now()
    granted = statutory or bool(request.consent_code)
    new = Use(
        id=new_receipt_id(),
        agency_code=caller.agency_code,
        client_id=caller.client_id,
        asking=request.asking,
        interfaces=tuple(each for each in (Interface.DATA, Interface.FILE) if each in request.interfaces),
        parts=tuple(part for part, _by_law in judged),
        basis=Basis.STATUTORY if statutory else Basis.CONSENT,
        state=UseState.GRANTED if granted else UseState.PENDING,
        made_at=now,
        expires_at=now + timedelta(hours=lib.settings.use_hours if granted else lib.settings.consent_hours),
        decided_at=now if granted else None,
        decided_by=(_LAW if statutory else _BY_CODE) if granted else "",
        holder_code=holder_code,
        identifier=request.identifier,
    )
    given = _given(request)
    if request.consent_code:
        return _with_code(lib, caller, request, new, given)
    found = _few(_found(lib, new, holder_code)) if statutory else ()
    return rows.place(lib.store, new, request_id=request.request_id, given=given, found=found)


def _with_code(lib: Library, caller: AgencyCaller, request: UseRequest, new: Use, given: bytes) -> tuple[Use, bool]:
    """Use up the consent and keep the use, together or not at all. Wrong codes are counted."""
    source = f"agency:{caller.agency_code}"
    consents.require_attempts(lib.store, source, most=lib.settings.wrong_codes_per_hour, now=new.made_at)

    def redeem(conn: Transaction) -> tuple[str, Sequence[str]]:
        holder_code = folded_code(
            consents.redeem_consent(
                lib.store,
                conn,
                request.consent_code,
                agency_code=caller.agency_code,
                type_codes=request.types,
                fields={part.type_code: part.fields for part in new.parts},
                now=new.made_at,
                reference=new.id,
            )
        )
        if new.holder_code and new.holder_code != holder_code:
            # Whose code it is, is not told to somebody who guesses.
            raise ForbiddenError("this code is not known", code="code_unknown", hint="Ask the holder for a new code.")
        return holder_code, _few(_found(lib, new, holder_code))

    def placed() -> tuple[Use, bool]:
        return rows.place(lib.store, new, request_id=request.request_id, given=given, redeem=redeem)

    try:
        try:
            return placed()
        except ForbiddenError as error:
            if error.code != "code_used" or not request.request_id:
                raise
            return placed()  # perhaps the same request has used it at this moment; then its use is there now
    except ForbiddenError as error:
        detail: dict[str, str | int] = {"agency": caller.agency_code, "client": caller.client_id, "code": error.code}
        entry = audits.Entry(
            actor=request.asking.operator, act="share.refused", subject=caller.agency_code, detail=detail
        )
        consents.note_failure(lib.store, source, entry, now=new.made_at)
        raise
    except InvalidRequestError as error:  # mistyped: it is named as the caller named it
        raise InvalidRequestError(tuple(replace(each, field="consent_code") for each in error.faults)) from error


def own_use(lib: Library, caller: AgencyCaller, code: str) -> Use:
    """The caller's own use under this code. Another agency's is not known to it, and the asking is audited.

    Raises:
        NotFoundError: code `use_not_found`, the same for all.
    """
    use: Use | None = None
    if _CODE.fullmatch(code):
        try:
            use = rows.use(lib.store, code, now=lib.now())
        except NotFoundError:
            use = None
        if use is None or use.agency_code != caller.agency_code:
            detail: dict[str, str | int] = {
                "agency": caller.agency_code,
                "client": caller.client_id,
                "code": "use_not_found",
                "of_another": 0 if use is None else 1,
            }
            entry = audits.Entry(
                actor=f"api:{caller.agency_code}", act="share.refused", subject=caller.agency_code, detail=detail
            )
            audits.note(lib.store, entry, at=lib.now())
            use = None
    if use is None:
        raise NotFoundError("no use is known under this code", code="use_not_found")
    return use


def own_uses(lib: Library, caller: AgencyCaller) -> tuple[Use, ...]:
    """What the caller's agency waits for or may still read, newest first, at most 500."""
    return rows.open_uses(lib.store, caller.agency_code, now=lib.now())


def require_readable(lib: Library, caller: AgencyCaller, use: Use, interface: Interface) -> None:
    """Pass if the use is granted, still runs, and is for this way of reading. A refusal is audited.

    Raises:
        ConflictError: code `use_pending`: the holder has not answered.
        ForbiddenError: code `use_declined`, `consent_withdrawn`, `use_expired`, `interface_not_asked`.
    """
    if use.state is UseState.PENDING:
        raise ConflictError("the holder has not answered yet", code="use_pending")
    text, code = REFUSED.get(use.state, ("", ""))
    if not code and interface not in use.interfaces:
        text, code = f"this use was not asked for: {interface}", "interface_not_asked"
    if code:
        refuse(lib, caller, use.asking, interface=interface, type_code=use.parts[0].type_code, code=code)
        raise ForbiddenError(text, code=code, hint="Ask anew: POST /v1/uses")


def requests_of(lib: Library, holder_code: str) -> tuple[Use, ...]:
    """What the holder is or was asked to agree to, newest first, at most 500."""
    return rows.requests_of(lib.store, folded_code(holder_code), now=lib.now()) if holder_code else ()


def decide(  # noqa: PLR0913  # whose word on what
    lib: Library,
    holder_code: str,
    use_code: str,
    *,
    approve: bool,
    by: str,
    first: Callable[[Transaction], None] | None = None,
) -> Use:
    """The holder's word on a request; a no also takes back a yes. `by` names who answered, never by a personal value.

    `first` judges, in the transaction that decides, whether the word still counts: a delegation may have ended.

    Raises:
        NotFoundError: code `request_not_found`: no request of this holder.
        ConflictError: code `request_expired`, `already_decided`.
    """
    now, holder = lib.now(), folded_code(holder_code)
    missing = NotFoundError("no request is known under this code", code="request_not_found")
    if not holder or not _CODE.fullmatch(use_code):
        raise missing
    try:
        known = rows.use(lib.store, use_code, now=now)
    except NotFoundError:
        raise missing from None
    mine = approve and known.holder_code == holder
    return rows.decide(
        lib.store,
        use_code,
        holder_code=holder,
        approve=approve,
        by=by,
        found=_found(lib, known, holder) if mine else (),
        now=now,
        expires_at=now + timedelta(hours=lib.settings.use_hours),
        first=first,
    )


def _judged(lib: Library, caller: AgencyCaller, request: UseRequest, type_code: str) -> tuple[Part, bool]:
    """What is asked of one type, as its grants allow it, and whether the law alone allows it."""

    def allowed(wanted: tuple[str, ...], interface: Interface) -> Admission:
        return admit(lib, caller, request.asking, interface=interface, type_code=type_code, fields=wanted)

    wanted = request.fields.get(type_code)
    if wanted is None:
        granted = [allowed((), each).grants[0].fields for each in request.interfaces]
        wanted = tuple(name for name in granted[0] if all(name in names for names in granted))
    admissions = [allowed(wanted, each) for each in request.interfaces]
    by_law = all(each.grants[0].basis is Basis.STATUTORY for each in admissions)
    part = Part(
        type_code=type_code,
        fields=wanted,
        grants=tuple(each.grants[0].id for each in admissions),
        clause=admissions[0].grants[0].clause if by_law else "",
    )
    return part, by_law


def _found(lib: Library, use: Use, holder_code: str) -> tuple[str, ...]:
    """Identifiers of the licences that the use is about."""
    if use.identifier:
        (part,) = use.parts
        found = find(lib, type_code=part.type_code, holder_code=holder_code, identifier=use.identifier)
        return tuple(each.identifier for each in found)
    return tuple(
        each.identifier for part in use.parts for each in find(lib, type_code=part.type_code, holder_code=holder_code)
    )


def _few(found: tuple[str, ...]) -> tuple[str, ...]:
    """What was found, if one use can be bound to it.

    Raises:
        InvalidRequestError: more than 500 licences.
    """
    if len(found) > rows.LISTED:
        reason = f"find more than {rows.LISTED} licences: name fewer types, or one licence"
        raise InvalidRequestError((FieldFault(field="types", code="too_many", reason=reason),))
    return found


def _given(request: UseRequest) -> bytes:
    """All that makes this request this request, but its id."""
    asking = request.asking
    parts = [
        [asking.matter_code, asking.case_number, asking.purpose, asking.operator],
        sorted(request.interfaces),
        sorted(request.types),
        {name: sorted(names) for name, names in request.fields.items()},
        [folded_code(request.holder_code), request.named or request.identifier, request.consent_code],
    ]
    return json.dumps(parts, sort_keys=True).encode()


def _require_form(request: UseRequest) -> None:
    """Pass if the request is well formed.

    Raises:
        InvalidRequestError: with each fault.
    """
    require_asking(request.asking)
    faults = [*_scope_faults(request), *_key_faults(request)]
    if faults:
        raise InvalidRequestError(tuple(faults))


def _scope_faults(request: UseRequest) -> Iterator[FieldFault]:
    """What is wrong with interfaces, types and fields."""
    if not request.interfaces or set(request.interfaces) - {Interface.DATA, Interface.FILE}:
        yield FieldFault(field="interfaces", code="bad_value", reason="must be data, file, or both")
    if not 0 < len(request.types) <= MAX_TYPES or len(set(request.types)) != len(request.types):
        yield FieldFault(field="types", code="required", reason=f"must name 1 to {MAX_TYPES} types, each once")
    elif not all(_TYPE.fullmatch(each) for each in request.types):
        yield FieldFault(field="types", code="bad_form", reason="holds what is no code of a type")
    if set(request.fields) - set(request.types):
        yield FieldFault(field="fields", code="unknown_type", reason="names a type that is not among types")
    if any(len(set(names)) != len(names) for names in request.fields.values()):
        yield FieldFault(field="fields", code="twice", reason="names a field twice")


def _key_faults(request: UseRequest) -> Iterator[FieldFault]:
    """What is wrong with whom the request is about, and with its id."""
    for name in ("holder_code", "identifier", "consent_code"):
        value = getattr(request, name)
        if len(value) > MAX_CODE_CHARACTERS or not value.isprintable():
            reason = f"must have at most {MAX_CODE_CHARACTERS} characters, all of them printed"
            yield FieldFault(field=name, code="bad_form", reason=reason)
    if Interface.FILE in request.interfaces and (unfit := text_fault("purpose", request.asking.purpose)) is not None:
        yield unfit  # it is printed on the copies
    if request.identifier and len(request.types) != 1:
        yield FieldFault(field="types", code="bad_value", reason="must name the one type of the licence")
    if not (request.holder_code.strip() or request.identifier or request.consent_code):
        reason = "is missing: name a holder or a licence, or bring a consent code"
        yield FieldFault(field="holder_code", code="required", reason=reason)
    if len(request.request_id) > MAX_REQUEST_CHARACTERS or not request.request_id.isprintable():
        reason = f"has at most {MAX_REQUEST_CHARACTERS} characters"
        yield FieldFault(field="Idempotency-Key", code="too_long", reason=reason)
