"""Changes of a licence's status after its issue. Each writes status and audit record in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certlib.errors import FieldFault, InvalidRequestError
from certlib.lawfulness import text_fault
from certlib.model import Status
from certlib.store import statuses

if TYPE_CHECKING:
    from datetime import datetime

    from certlib.identifiers import LicenceIdentifier
    from certlib.library import Library
    from certlib.store.values import StatusChange

MAX_REASON_CHARACTERS = 500
ADVERSE = frozenset({Status.SUSPENDED, Status.WITHDRAWN, Status.REVOKED})
"""Need a legal document's number (China profile, 8.2)."""
AS_IN_REGISTER: Final = "as in the register: "
"""How the reason begins where a register's row was issued as it stood there; since when it stood so is not known."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StatusRequest:
    """A change of status as an operator orders it."""

    to: Status
    reason: str
    """Shown to the holder; never empty."""
    document_number: str
    """Of the legal document; empty only where the change is not adverse."""
    operator: str
    effective_at: datetime | None = None
    """None means at once."""


def change_status(lib: Library, identifier: LicenceIdentifier, request: StatusRequest) -> StatusChange:
    """Change the status of the licence `identifier`. What was answered is durable.

    Raises:
        InvalidRequestError: reason, operator or document number is missing or not printable.
        NotFoundError: no such licence.
        IllegalTransitionError: not allowed from where it stands; a terminal state never comes back.
    """
    require_ordered(
        reason=request.reason,
        document_number=request.document_number,
        operator=request.operator,
        adverse=request.to in ADVERSE,
    )
    now = lib.now()
    return statuses.change_status(
        lib.store,
        identifier,
        to=request.to,
        reason=request.reason,
        document_number=request.document_number,
        operator=request.operator,
        effective_at=request.effective_at or now,
        now=now,
    )


def require_ordered(*, reason: str, document_number: str, operator: str, adverse: bool) -> None:
    """Pass if a change says what the law wants to know: a reason, who, and where it is adverse the legal document.

    Raises:
        InvalidRequestError: one of them is missing, too long or not printable.
    """
    faults: list[FieldFault] = []
    needed = {"reason": reason, "operator": operator}
    if adverse:
        needed["document_number"] = document_number
    for name, value in needed.items():
        if not value.strip():
            faults.append(FieldFault(field=name, code="required", reason="is missing"))
    for name, value in {**needed, "document_number": document_number}.items():
        if len(value) > MAX_REASON_CHARACTERS:
            fault = f"has {len(value)} characters, at most {MAX_REASON_CHARACTERS}"
            faults.append(FieldFault(field=name, code="too_long", reason=fault))
        elif (unprintable := text_fault(name, value)) is not None:
            faults.append(unprintable)
    if faults:
        raise InvalidRequestError(tuple(faults))
