"""What may be done to an issued licence: operation by standing, as China profile 8.3 has it. Pure.

`ruling` is the one judge. `model.LEGAL_TRANSITIONS` stays the floor under it: nothing here leads out of a terminal
status, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from certlib.errors import IllegalTransitionError
from certlib.model import Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from certlib.model import Licence

DEFAULT_PENDING_DAYS: Final = 7
"""How long a change waits for its second person where the type does not say."""


class Operation(StrEnum):
    """What an operator orders. Wire-stable."""

    SUSPEND = "suspend"
    """暂扣; on a suspended licence it is noted as an extension."""
    RESTORE = "restore"
    """发还."""
    REVOKE = "revoke"
    """吊销: a penalty for later misconduct."""
    WITHDRAW = "withdraw"
    """撤销: the grant was defective from the start."""
    CANCEL = "cancel"
    """注销: the orderly closing."""
    RENEW = "renew"
    """延续: the same right for a new term, as a new version."""
    CORRECT = "correct"
    """纠错: what stood there wrongly is put right, as a new version."""
    TRANSFER = "transfer"
    """变更, 转入: another holder, as a new version."""


class Standing(StrEnum):
    """Where a licence stands when it is asked: the columns of the table. Not yet effective counts as in term."""

    IN_TERM = "in_term"
    PAST_END = "past_end"
    """Active or suspended, and past its end date: the end goes before the suspension (China profile 8.2)."""
    SUSPENDED = "suspended"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"


class Ruling(StrEnum):
    """What becomes of an operation."""

    REFUSED = "refused"
    POLICY = "policy"
    """Refused unless the type allows it; then as it is for a licence in term."""
    NOTED = "noted"
    """Put down, the status stays."""
    MOVED = "moved"
    """The status changes."""
    NEW_VERSION = "new_version"
    """A new version is issued and supersedes this one; a suspension goes over to it."""


NEW_VERSIONS: Final = frozenset({Operation.RENEW, Operation.CORRECT, Operation.TRANSFER})
"""What issues a new version."""
RESULT: Final[Mapping[Operation, Status]] = {
    Operation.SUSPEND: Status.SUSPENDED,
    Operation.RESTORE: Status.ACTIVE,
    Operation.REVOKE: Status.REVOKED,
    Operation.WITHDRAW: Status.WITHDRAWN,
    Operation.CANCEL: Status.CANCELLED,
}
"""The status that an operation leads to, where it moves one."""
ADVERSE: Final = frozenset({Operation.SUSPEND, Operation.REVOKE, Operation.WITHDRAW})
"""Need a legal document's number (China profile 8.2)."""

_NO, _IF, _PUT, _GO, _NEW = Ruling.REFUSED, Ruling.POLICY, Ruling.NOTED, Ruling.MOVED, Ruling.NEW_VERSION
TABLE: Final[Mapping[Operation, Mapping[Standing, Ruling]]] = {
    operation: dict(zip(Standing, rulings, strict=True))
    for operation, rulings in {
        #                    in term, past end, suspended, superseded, cancelled, withdrawn, revoked
        Operation.TRANSFER: (_NEW, _NO, _IF, _NO, _NO, _NO, _NO),
        Operation.RENEW: (_NEW, _IF, _IF, _NO, _NO, _NO, _NO),
        Operation.CORRECT: (_NEW, _PUT, _NEW, _PUT, _PUT, _PUT, _PUT),
        Operation.SUSPEND: (_GO, _NO, _PUT, _NO, _NO, _NO, _NO),
        Operation.RESTORE: (_NO, _NO, _GO, _NO, _NO, _NO, _NO),
        Operation.CANCEL: (_GO, _GO, _GO, _NO, _NO, _PUT, _PUT),
        # The profile lets a type withdraw what is superseded or cancelled; here a terminal status is the last one.
        Operation.WITHDRAW: (_GO, _GO, _GO, _NO, _NO, _NO, _NO),
        Operation.REVOKE: (_GO, _IF, _GO, _NO, _NO, _NO, _NO),
    }.items()
}
"""China profile 8.3."""
POLICIES: Final = frozenset(
    f"{operation}:{standing}"
    for operation, row in TABLE.items()
    for standing, ruling in row.items()
    if ruling is Ruling.POLICY
)
"""What a type may allow in `[lifecycle] allow`, as `operation:standing`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LifecyclePolicy:
    """What a licence type says about changes, in its `[lifecycle]` table."""

    maker_checker: frozenset[Operation] = frozenset()
    """Need a second person, who cannot be the first."""
    pending_days: int = DEFAULT_PENDING_DAYS
    """A change that nobody approved in this time is gone."""
    allow: frozenset[str] = frozenset()
    """Of `POLICIES`."""


NO_POLICY: Final = LifecyclePolicy()
"""Of a type that says nothing: one person is enough, nothing beyond the table."""


def standing_of(status: Status, expires_on: date | None, timezone: str, now: datetime) -> Standing:
    """Where a licence stands at `now`; the end date is inclusive, in the agency's zone."""
    if status not in (Status.ACTIVE, Status.SUSPENDED):
        return Standing(status.value)
    if expires_on is not None and now.astimezone(ZoneInfo(timezone)).date() > expires_on:
        return Standing.PAST_END
    return Standing.SUSPENDED if status is Status.SUSPENDED else Standing.IN_TERM


def ruling(operation: Operation, standing: Standing, policy: LifecyclePolicy = NO_POLICY) -> Ruling:
    """What becomes of `operation` on a licence of this standing; never POLICY or REFUSED.

    Raises:
        IllegalTransitionError: it is refused; code `not_allowed_by_type` where the type could allow it.
    """
    found = TABLE[operation][standing]
    key = f"{operation}:{standing}"
    if found is Ruling.POLICY and key in policy.allow:
        return TABLE[operation][Standing.IN_TERM]
    if found is Ruling.POLICY:
        raise IllegalTransitionError(
            f"{operation} is not possible for a licence that is {_in_words(standing)}, unless its type allows it",
            code="not_allowed_by_type",
            hint=f'The type would say: [lifecycle] allow = ["{key}"]',
        )
    if found is Ruling.REFUSED:
        raise IllegalTransitionError(f"{operation} is not possible for a licence that is {_in_words(standing)}")
    return found


def changed_names(old: Licence, new: Licence) -> tuple[str, ...]:
    """Names of what differs between two versions, never the values: `holders`, `expires_on`, `fields.address` ..."""
    base = ("number", "holders", "issued_on", "effective_on", "expires_on", "area_code", "agency_name")
    names = [name for name in base if getattr(old, name) != getattr(new, name)]
    inner = sorted({*old.fields, *new.fields})
    return (*names, *(f"fields.{each}" for each in inner if old.fields.get(each) != new.fields.get(each)))


def _in_words(standing: Standing) -> str:
    return {Standing.IN_TERM: "in term", Standing.PAST_END: "past its end date"}.get(standing, standing.value)
