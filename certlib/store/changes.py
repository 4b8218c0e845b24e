"""Values of the life cycle, and between them and their rows."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from certlib.identifiers import LicenceIdentifier
from certlib.model import Status
from certlib.operations import LifecyclePolicy, Operation

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import RowMapping

    from certlib.store.cipher import Cipher


class ChangeState(StrEnum):
    """How far a change has come. Wire-stable."""

    PLANNED = "planned"
    """Part of a bulk act, not yet done."""
    PENDING = "pending"
    """Waits for its second person."""
    APPROVED = "approved"
    """Decided; its new version is being issued."""
    DONE = "done"
    DECLINED = "declined"
    EXPIRED = "expired"
    """Nobody decided in time. Derived at the moment of asking, never stored."""
    REFUSED = "refused"
    """It could not be done any more; `code` says why."""


OPEN = (ChangeState.PENDING.value, ChangeState.APPROVED.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """An operation on one licence as it is ordered, checked by the caller."""

    id: str
    """26 characters; the same for the same request."""
    agency_code: str
    """Whose licence it must be."""
    identifier: str
    operation: Operation
    reason: str
    document_number: str
    effective_at: datetime
    operator: str
    policy: LifecyclePolicy
    """Of the licence's type as it is now."""
    given: bytes
    """All that was asked, to tell the same request from another under one id."""
    content: bytes | None = None
    """The whole request for the new version, as JSON; None where there is none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """An operation on one licence, from its order to its end."""

    id: str
    agency_code: str
    identifier: LicenceIdentifier
    operation: Operation
    state: ChangeState
    old: Status
    """Where the licence stood when it was ordered, or done."""
    new: Status
    """Where it stands after it; as `old` for what is only noted or waits."""
    reason: str
    document_number: str
    effective_at: datetime
    maker: str
    made_at: datetime
    expires_at: datetime | None
    """Until when somebody may decide; None where nobody has to."""
    checker: str
    decided_at: datetime | None
    done_at: datetime | None
    code: str
    """Why it was refused."""
    successor: str
    """Identifier of the new version."""
    changed: tuple[str, ...]
    """Names of what is other in it."""
    act_id: str
    """The bulk act that it belongs to, or empty."""
    content: bytes | None
    """The whole request for the new version, as JSON."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One operation on many licences."""

    id: str
    agency_code: str
    operation: Operation
    state: ChangeState
    """`pending`, `approved`, `done`, `declined` or `expired`."""
    reason: str
    document_number: str
    effective_at: datetime
    selection: str
    """What was asked for, as JSON: the filter, or the digest of the file."""
    total: int
    """Licences that it was planned for."""
    two_persons: bool
    maker: str
    made_at: datetime
    expires_at: datetime
    checker: str
    decided_at: datetime | None
    finished_at: datetime | None


def new_id() -> str:
    """26 random characters."""
    return secrets.token_hex(13)


def binding(change_id: str) -> str:
    """What a sealed content is bound to."""
    return f"change:{change_id}"


def order_row(cipher: Cipher, order: Order, *, now: datetime) -> dict[str, Any]:
    """The columns that an order fills; licence, state, `old`, `new` and the times of its end are the caller's."""
    return {
        "id": order.id,
        "agency_code": order.agency_code,
        "operation": str(order.operation),
        "reason": order.reason,
        "document_number": order.document_number,
        "effective_at": order.effective_at,
        "maker": order.operator,
        "made_at": now,
        "expires_at": None,
        "checker": "",
        "decided_at": None,
        "done_at": None,
        "code": "",
        "successor": "",
        "changed": "",
        "act_id": "",
        "key_id": cipher.key_id,
        "order_digest": cipher.digest("change", order.given),
        "sealed": None if order.content is None else cipher.seal(order.content, binding(order.id)),
    }


def change_value(cipher: Cipher, row: RowMapping, *, now: datetime) -> Change:
    """The change in `row`, joined with its licence's identifier."""
    state = ChangeState(row["state"])
    if state is ChangeState.PENDING and row["expires_at"] is not None and now >= row["expires_at"]:
        state = ChangeState.EXPIRED
    sealed = row["sealed"]
    return Change(
        id=row["id"],
        agency_code=row["agency_code"],
        identifier=LicenceIdentifier(row["identifier"]),
        operation=Operation(row["operation"]),
        state=state,
        old=Status(row["old"]),
        new=Status(row["new"]),
        reason=row["reason"],
        document_number=row["document_number"],
        effective_at=row["effective_at"],
        maker=row["maker"],
        made_at=row["made_at"],
        expires_at=row["expires_at"],
        checker=row["checker"],
        decided_at=row["decided_at"],
        done_at=row["done_at"],
        code=row["code"],
        successor=row["successor"],
        changed=tuple(row["changed"].split()),
        act_id=row["act_id"],
        content=None if sealed is None else cipher.open(sealed, binding(row["id"]), row["key_id"]),
    )


def act_value(row: RowMapping, *, now: datetime) -> Act:
    """The act in `row`."""
    values = dict(row)
    state = ChangeState(values["state"])
    if state is ChangeState.PENDING and now >= values["expires_at"]:
        state = ChangeState.EXPIRED
    return Act(**{**values, "state": state, "operation": Operation(values["operation"])})
