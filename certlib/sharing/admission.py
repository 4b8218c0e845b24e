"""Who may ask what: judged by grants before anything is looked up, counted and put down before anything is answered."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Final

from certlib.errors import ForbiddenError, LimitReachedError
from certlib.grants import REASONS, Asking, Grant, Interface, Rule, fitting, require_asking
from certlib.store import audits, granting, looks
from certlib.store.engine import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from certlib.callers import AgencyCaller
    from certlib.library import Library
    from certlib.store.engine import Transaction
    from certlib.store.looks import Look

HINT: Final = "See what is granted: GET /v1/grants. More is granted by the library: certlib grant add"
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """An asking that its grants allow. Made by `admit`; nothing is counted yet."""

    caller: AgencyCaller
    asking: Asking
    interface: Interface
    type_code: str
    fields: tuple[str, ...]
    grants: tuple[Grant, ...]
    """Those that allow it, in the order in which they are drawn on; never empty."""
    at: datetime

    def look(  # noqa: PLR0913  # what one look differs in
        self,
        *,
        kind: str = "",
        outcome: str,
        identifier: str = "",
        holder_code: str = "",
        reference: str = "",
        fields: tuple[str, ...] | None = None,
    ) -> Look:
        """The ledger's row for one licence of this asking; `settle` fills in the grant."""
        return looks.Look(
            at=self.at,
            kind=kind or self.interface.value,
            agency_code=self.caller.agency_code,
            client_id=self.caller.client_id,
            operator=self.asking.operator,
            matter_code=self.asking.matter_code,
            case_number=self.asking.case_number,
            purpose=self.asking.purpose,
            type_code=self.type_code,
            fields=self.fields if fields is None else fields,
            basis="",
            grant_id="",
            outcome=outcome,
            reference=reference,
            identifier=identifier,
            holder_code=holder_code,
        )


def admit(  # noqa: PLR0913  # what a grant is about
    lib: Library,
    caller: AgencyCaller,
    asking: Asking,
    *,
    interface: Interface,
    type_code: str,
    fields: Sequence[str] = (),
) -> Admission:
    """Judge an asking by the caller's grants alone. A refusal is audited.

    Raises:
        InvalidRequestError: matter, case, purpose or operator is missing.
        ForbiddenError: its code is the `grants.Rule` that failed, the same whatever is on record.
        UnavailableError: the database does not answer.
    """
    require_asking(asking)
    now = lib.now()
    known = granting.grants(lib.store, agency_code=caller.agency_code, type_code=type_code)
    found = fitting(
        known,
        interface=interface,
        matter_code=asking.matter_code,
        fields=fields,
        address=caller.address,
        now=now,
    )
    if isinstance(found, Rule):
        refuse(lib, caller, asking, interface=interface, type_code=type_code, code=found.value)
        missing = sorted(set(fields).difference(*(each.fields for each in known))) if found is Rule.FIELD else []
        reason = REASONS[found] + (f": not {', '.join(missing)}" if missing else "")
        raise ForbiddenError(reason, code=found.value, hint=HINT)
    return Admission(
        caller=caller,
        asking=asking,
        interface=interface,
        type_code=type_code,
        fields=tuple(fields),
        grants=found,
        at=now,
    )


def settle(
    lib: Library,
    admission: Admission,
    found: Sequence[Look],
    *,
    times: int | None = None,
    also: Callable[[Transaction, Grant], None] | None = None,
) -> Grant:
    """Count an admitted asking and put down its looks, in one transaction; gives the grant that it drew on.

    Call it after the answer is made and before it leaves. `times` is what counts against the cap, one for each look
    unless said. `also` does more in the same transaction, before the looks.

    Raises:
        LimitReachedError: code `daily_cap_reached`: no grant has so much left today; nothing is put down but the
            refusal.
        ForbiddenError: code `grant_not_in_force`: the grant was ended since it admitted the asking; the same.
        UnavailableError: it cannot be written down, so there is no answer.
    """
    try:
        with writing(lib.store) as conn:
            grant = drawn(conn, admission, len(found) if times is None else times)
            if also is not None:
                also(conn, grant)
            rows = [replace(each, grant_id=grant.id, basis=each.basis or grant.basis.value) for each in found]
            looks.put(lib.store, conn, rows)
    except (LimitReachedError, _EndedMeanwhileError) as error:
        refuse(
            lib,
            admission.caller,
            admission.asking,
            interface=admission.interface,
            type_code=admission.type_code,
            code=error.code,
        )
        raise
    return grant


class _EndedMeanwhileError(ForbiddenError):
    """The grant was ended between admission and count."""

    code = Rule.NOT_IN_FORCE.value


def drawn(conn: Transaction, admission: Admission, times: int) -> Grant:
    """The grant of the admission on which `times` were counted, inside the caller's transaction.

    Raises:
        LimitReachedError: code `daily_cap_reached`: none has so much left today.
        ForbiddenError: code `grant_not_in_force`: all were ended since.
    """
    day = admission.at.astimezone(UTC).date()
    standing = [grant for grant in admission.grants if granting.stands(conn, grant.id)]
    if not standing:
        raise _EndedMeanwhileError(REASONS[Rule.NOT_IN_FORCE], hint=HINT)
    for grant in standing:
        if granting.count(conn, grant, day=day, times=times):
            return grant
    raise LimitReachedError("what is granted for one day is used up", code="daily_cap_reached", hint=HINT)


def guard_holder(lib: Library, caller: AgencyCaller, asking: Asking, holder_code: str, *, type_code: str) -> None:
    """Pass unless the agency has asked about this holder too often in the last hour: that is guessing.

    Raises:
        LimitReachedError: code `holder_limit_reached`, the same for holders that nobody knows.
    """
    most = lib.settings.looks_per_holder_per_hour
    if not most or not holder_code:
        return
    asked = looks.count_for_holder(lib.store, holder_code, agency_code=caller.agency_code, since=lib.now() - HOUR)
    if asked >= most:
        refuse(lib, caller, asking, interface=None, type_code=type_code, code="holder_limit_reached")
        raise LimitReachedError("too many askings about one holder in an hour", code="holder_limit_reached")


def refuse(  # noqa: PLR0913  # what a refusal tells
    lib: Library,
    caller: AgencyCaller,
    asking: Asking,
    *,
    interface: Interface | None,
    type_code: str,
    code: str,
) -> None:
    """Audit a refusal. It names no holder and no licence."""
    detail: dict[str, str | int] = {
        "agency": caller.agency_code,
        "client": caller.client_id,
        "interface": interface.value if interface else "",
        "type": type_code[:64],
        "matter": asking.matter_code,
        "case": asking.case_number,
        "code": code,
    }
    entry = audits.Entry(actor=asking.operator, act="share.refused", subject=caller.agency_code, detail=detail)
    audits.note(lib.store, entry, at=lib.now())
