"""How a holder is known: by a session that a counter or a log-in service opens, in person or through a delegate."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from certlib.errors import FieldFault, ForbiddenError, InvalidRequestError, NotFoundError, UnauthenticatedError
from certlib.grants import MAX_OPERATOR_CHARACTERS
from certlib.holding.bearers import bearer_of, refused, session_in
from certlib.identifiers import ORGANISATION_CODE_TYPES, holder_code_fault, normalise_holder_code
from certlib.receipting import new_receipt_id
from certlib.store import audits, clients, delegations, sessions
from certlib.store.converting import holder_index
from certlib.store.engine import writing
from certlib.store.sessions import Session

if TYPE_CHECKING:
    from datetime import datetime

    from certlib.callers import AgencyCaller
    from certlib.library import Library
    from certlib.store.delegations import Act, Delegation
    from certlib.store.engine import Transaction

MAX_HOW_CHARACTERS: Final = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class HolderCaller:
    """The holder whose rights a call uses, proved; and who really calls, when that is a delegate."""

    session_id: str
    holder_code: str = field(repr=False)
    """Of the holder whose rights they are: the principal when a delegate calls."""
    code_type: str
    delegation: Delegation | None = None
    """Under which a delegate calls; None when the holder does."""
    address: str = ""

    @property
    def actor(self) -> str:
        """Who calls, for audit records and ledgers: `holder` or `delegate`."""
        return "holder" if self.delegation is None else "delegate"

    @property
    def delegation_id(self) -> str:
        """The delegation's id, or empty."""
        return "" if self.delegation is None else self.delegation.id

    def covers(self, *, type_code: str = "", identifier: str = "") -> bool:
        """Whether the call may be about this licence, or licences of this type; a holder's own always may."""
        return self.delegation is None or self.delegation.covers(type_code=type_code, identifier=identifier)


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedSession:
    """A session that was just opened."""

    id: str
    bearer: str = field(repr=False)
    expires_at: datetime


def open_session(  # noqa: PLR0913  # who, how, by whom
    lib: Library,
    *,
    code: str,
    code_type: str,
    how: str,
    operator: str,
    ttl_seconds: int = 0,
    caller: AgencyCaller | None = None,
) -> OpenedSession:
    """Log a holder in whom somebody has identified: an agency's log-in service, or without `caller` the counter.

    `ttl_seconds` may shorten the setting `holder_session_seconds`; 0 is the setting. Nobody asks whether the holder
    has any licence: the answer is the same.

    Raises:
        InvalidRequestError: the code is none, or not a person's; how or by whom is missing.
        UnavailableError: it cannot be written down.
    """
    code = require_person(lib, code, code_type)
    require_words(how=how, operator=operator)
    most = lib.settings.holder_session_seconds
    now = lib.now()
    made = Session(
        id=new_receipt_id(),
        holder_code=code,
        code_type=code_type,
        how=how,
        agency_code=caller.agency_code if caller else "",
        client_id=caller.client_id if caller else "",
        operator=operator,
        created_at=now,
        expires_at=now + timedelta(seconds=min(ttl_seconds or most, most)),
    )
    with writing(lib.store) as conn:
        sessions.put(lib.store, conn, made)
        detail: dict[str, str | int] = {
            "holder": holder_mark(lib, code),
            "code_type": code_type,
            "agency": made.agency_code,
            "client": made.client_id,
            "expires_at": made.expires_at.isoformat(),
        }
        entry = audits.Entry(actor=operator, act="holder.session_opened", subject=made.id, detail=detail)
        audits.append(conn, [entry], at=now)
    bearer = bearer_of(lib, made.id, created_at=now, expires_at=made.expires_at)
    return OpenedSession(id=made.id, bearer=bearer, expires_at=made.expires_at)


def holder_of(lib: Library, bearer: str, *, acting_for: str = "", address: str = "") -> HolderCaller:
    """The holder that `bearer` proves; with `acting_for`, the id of a delegation, the one for whom that one acts.

    Raises:
        UnauthenticatedError: with one text for every cause but an expired bearer or an ended session.
        ForbiddenError: code `delegation_unknown` or `delegation_over`.
    """
    now = lib.now()
    try:
        found = sessions.session(lib.store, session_in(lib, bearer))
    except NotFoundError as error:
        raise refused() from error
    if found.ended_at is not None or now >= found.expires_at or _is_disabled(lib, found.client_id):
        raise UnauthenticatedError("this session is over", code="session_over", hint="Log in again.")
    own = HolderCaller(session_id=found.id, holder_code=found.holder_code, code_type=found.code_type, address=address)
    return _acting(lib, own, acting_for, now) if acting_for else own


def _is_disabled(lib: Library, client_id: str) -> bool:
    """Whether the log-in service that opened a session is trusted no more; the counter's sessions have none."""
    try:
        return bool(client_id) and clients.client(lib.store, client_id).disabled_at is not None
    except NotFoundError:
        return True


def _acting(lib: Library, own: HolderCaller, delegation_id: str, now: datetime) -> HolderCaller:
    try:
        found = delegations.delegation(lib.store, delegation_id)
    except NotFoundError:
        found = None
    if found is None or not delegations.is_party(found.delegate, own.holder_code, own.code_type):
        raise ForbiddenError("you were given no such delegation", code="delegation_unknown")
    if not found.stands_at(now):
        raise _over()
    return HolderCaller(
        session_id=own.session_id,
        holder_code=found.principal.code,
        code_type=found.principal.code_type,
        delegation=found,
        address=own.address,
    )


def require_act(me: HolderCaller, act: Act) -> None:
    """Pass if the caller may do this at all: holders may, delegates as far as their delegation says.

    Raises:
        ForbiddenError: code `delegation_act`.
    """
    if me.delegation is not None and act not in me.delegation.acts:
        raise ForbiddenError(f"your delegation is not for this: {act}", code="delegation_act")


def require_own(me: HolderCaller) -> None:
    """Pass if it is the holder who calls, not a delegate.

    Raises:
        ForbiddenError: code `not_for_delegates`.
    """
    if me.delegation is not None:
        raise ForbiddenError("a delegate cannot do this", code="not_for_delegates")


def require_standing(conn: Transaction, me: HolderCaller, *, now: datetime) -> None:
    """Pass if session and delegation go on; nobody ends them before the caller's transaction does.

    Call it first in each transaction that acts for a holder: what was revoked meanwhile is not done.

    Raises:
        UnauthenticatedError: code `session_over`.
        ForbiddenError: code `delegation_over`.
    """
    if not sessions.stands(conn, me.session_id, now=now):
        raise UnauthenticatedError("this session is over", code="session_over", hint="Log in again.")
    if not delegations.stands(conn, me.delegation_id, now=now):
        raise _over()


def end_session(lib: Library, me: HolderCaller) -> None:
    """Log out. The bearer is worth nothing from now on; codes given out stay good until they are taken back."""
    now = lib.now()
    with writing(lib.store) as conn:
        if sessions.end(conn, me.session_id, now=now):
            entry = audits.Entry(actor="holder", act="holder.session_ended", subject=me.session_id, detail={})
            audits.append(conn, [entry], at=now)


def holder_mark(lib: Library, code: str) -> str:
    """How audit records name a holder: a keyed hash, never the code."""
    return f"holder:{holder_index(lib.store.cipher, code).hex()[:32]}"


def require_person(lib: Library, code: str, code_type: str) -> str:
    """The code, mended in the one way that is lawful, of a person who can log in.

    Raises:
        InvalidRequestError: the code is none, or an organisation's.
    """
    code = require_holder(lib, code, code_type)
    if code_type in ORGANISATION_CODE_TYPES:
        reason = "is an organisation's, which acts through an officer only: certlib holder delegate --kind officer"
        raise InvalidRequestError((FieldFault(field="code_type", code="not_a_person", reason=reason),))
    return code


def require_holder(lib: Library, code: str, code_type: str, *, field: str = "") -> str:
    """The code, mended in the one way that is lawful; `field` stands before the names in faults.

    Raises:
        InvalidRequestError: the code is none.
    """
    code = normalise_holder_code(code, code_type)
    fault = holder_code_fault(code, code_type, today=lib.now().date())
    if fault is None and not code:
        fault = FieldFault(field="holder_code", code="required", reason="the code is missing")
    if fault is not None:
        name = field + fault.field.removeprefix("holder_")
        raise InvalidRequestError((FieldFault(field=name, code=fault.code, reason=fault.reason),))
    return code


def require_words(**words: str) -> None:
    """Pass if each text says something that can be printed: `operator` in 100 characters, others in 200.

    Raises:
        InvalidRequestError: with a fault for each that does not.
    """
    faults = []
    for name, value in words.items():
        most = MAX_OPERATOR_CHARACTERS if name == "operator" else MAX_HOW_CHARACTERS
        if not value.strip():
            faults.append(FieldFault(field=name, code="required", reason="is missing"))
        elif len(value) > most:
            faults.append(FieldFault(field=name, code="too_long", reason=f"has more than {most} characters"))
        elif not value.isprintable():
            faults.append(FieldFault(field=name, code="bad_character", reason="holds a character that is not printed"))
    if faults:
        raise InvalidRequestError(tuple(faults))


def _over() -> ForbiddenError:
    return ForbiddenError("your delegation is over", code="delegation_over")
