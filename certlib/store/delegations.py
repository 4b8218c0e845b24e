"""Delegations in the database: who may act for whom, within what, until when."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, select, update

from certlib.errors import ConflictError, LimitReachedError, NotFoundError
from certlib.store.converting import holder_index
from certlib.store.engine import reading
from certlib.store.sessions import ID_FORM
from certlib.store.tables_holding import DELEGATION

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store


class DelegationKind(StrEnum):
    """Why one acts for another. Wire-stable."""

    GUARDIAN = "guardian"
    """Of a child or a ward; an agency puts it down."""
    AGENT = "agent"
    """Whom the holder has chosen."""
    OFFICER = "officer"
    """Of a company, which can act through nobody else."""


class Act(StrEnum):
    """What a delegate may do. Wire-stable."""

    SEE = "see"
    """The licences, their files and the ledger."""
    SHOW = "show"
    """Make codes to show."""
    CONSENT = "consent"
    """Make consent codes, approve and decline requests."""
    REPORT = "report"
    """Report errors, object to looks, rate."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Party:
    """One of the two."""

    code: str = field(repr=False)
    code_type: str
    name: str = field(default="", repr=False)
    """For the other one to read; may be empty."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Delegation:
    """One delegation. Only its end is ever written into it."""

    id: str
    """26 hex characters."""
    kind: DelegationKind
    principal: Party
    """Whose licences."""
    delegate: Party
    """A person, who logs in."""
    acts: frozenset[Act]
    types: tuple[str, ...]
    """Type codes; together with `licences` the scope. Both empty is everything."""
    licences: tuple[str, ...]
    """Identifiers; a later version of one is another licence."""
    basis: str = field(repr=False)
    """Legal basis in words: power of attorney, birth certificate, register entry. May hold personal data."""
    agency_code: str
    """The agency that put it down, or empty: the holder did."""
    made_by: str
    """The agency's operator, or empty."""
    made_at: datetime
    ends_at: datetime
    """Exclusive."""
    ended_at: datetime | None = None
    ended_by: str = ""

    def stands_at(self, now: datetime) -> bool:
        """Whether it is in force."""
        return self.ended_at is None and now < self.ends_at

    def covers(self, *, type_code: str = "", identifier: str = "") -> bool:
        """Whether a licence, or licences of a type, lie in its scope."""
        if not self.types and not self.licences:
            return True
        return (bool(type_code) and type_code in self.types) or (bool(identifier) and identifier in self.licences)


def put(store: Store, conn: Connection, made: Delegation, *, most: int) -> None:
    """Keep a new delegation, inside the caller's transaction.

    Raises:
        LimitReachedError: code `too_many_delegations`: so many of the principal's are in force.
    """
    principal_index = holder_index(store.cipher, made.principal.code)
    still = (
        DELEGATION.c.principal_index == principal_index,
        DELEGATION.c.ended_at.is_(None),
        DELEGATION.c.ends_at > made.made_at,
    )
    if conn.execute(select(func.count()).select_from(DELEGATION).where(*still)).scalar_one() >= most:
        raise LimitReachedError(
            f"{most} delegations are in force", code="too_many_delegations", hint="End one that is not needed."
        )
    inner = {
        "principal": [made.principal.code, made.principal.code_type, made.principal.name],
        "delegate": [made.delegate.code, made.delegate.code_type, made.delegate.name],
        "basis": made.basis,
    }
    row = {
        "id": made.id,
        "kind": made.kind.value,
        "principal_index": principal_index,
        "delegate_index": holder_index(store.cipher, made.delegate.code),
        "acts": " ".join(sorted(made.acts)),
        "types": json.dumps(made.types),
        "licences": json.dumps(made.licences),
        "agency_code": made.agency_code,
        "made_by": made.made_by,
        "made_at": made.made_at,
        "ends_at": made.ends_at,
        "ended_at": made.ended_at,
        "ended_by": made.ended_by,
        "key_id": store.cipher.key_id,
        "sealed": store.cipher.seal(json.dumps(inner).encode(), _binding(made.id)),
    }
    conn.execute(insert(DELEGATION).values(row))


def delegation(store: Store, delegation_id: str) -> Delegation:
    """One delegation, ended ones too.

    Raises:
        NotFoundError: none of this id.
    """
    row = None
    if ID_FORM.fullmatch(delegation_id):
        with reading(store) as conn:
            row = conn.execute(select(DELEGATION).where(DELEGATION.c.id == delegation_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no delegation is known under this id", code="delegation_not_found")
    return _delegation(store, row)


def delegations_of(store: Store, code: str, code_type: str) -> tuple[Delegation, ...]:
    """All that a holder gave or was given: those not ended first, then newest first, at most 500."""
    index = holder_index(store.cipher, code)
    query = (
        select(DELEGATION)
        .where(or_(DELEGATION.c.principal_index == index, DELEGATION.c.delegate_index == index))
        .order_by(DELEGATION.c.ended_at.is_not(None), DELEGATION.c.made_at.desc(), DELEGATION.c.id)
        .limit(500)
    )
    with reading(store) as conn:
        found = [_delegation(store, row) for row in conn.execute(query).mappings()]
    return tuple(
        each for each in found if is_party(each.principal, code, code_type) or is_party(each.delegate, code, code_type)
    )


def is_party(party: Party, code: str, code_type: str) -> bool:
    """Whether this holder is that one; case does not matter, the kind of code does."""
    return party.code.upper() == code.upper() and party.code_type == code_type


def stands(conn: Connection, delegation_id: str, *, now: datetime) -> bool:
    """Whether a delegation is in force, for the rest of the caller's transaction; an empty id always is."""
    if not delegation_id:
        return True
    query = select(DELEGATION.c.ends_at, DELEGATION.c.ended_at).where(DELEGATION.c.id == delegation_id)
    row = conn.execute(query.with_for_update(read=True)).one_or_none()
    return row is not None and row.ended_at is None and now < row.ends_at


def end(conn: Connection, delegation_id: str, *, by: str, now: datetime) -> None:
    """End a delegation now, inside the caller's transaction.

    Raises:
        ConflictError: code `delegation_ended`: it has ended already.
    """
    still = (DELEGATION.c.id == delegation_id, DELEGATION.c.ended_at.is_(None))
    ended = conn.execute(update(DELEGATION).where(*still).values(ended_at=now, ended_by=by))
    if ended.rowcount != 1:
        raise ConflictError("the delegation has ended already", code="delegation_ended")


def _binding(delegation_id: str) -> str:
    return f"delegation:{delegation_id}"


def _delegation(store: Store, row: RowMapping) -> Delegation:
    inner = json.loads(store.cipher.open(row["sealed"], _binding(row["id"]), row["key_id"]))
    same: dict[str, Any] = {
        name: row[name]
        for name in ("id", "agency_code", "made_by", "made_at", "ends_at", "ended_at", "ended_by")
    }  # fmt: skip
    return Delegation(
        **same,
        kind=DelegationKind(row["kind"]),
        principal=_party(inner["principal"]),
        delegate=_party(inner["delegate"]),
        acts=frozenset(map(Act, row["acts"].split())),
        types=tuple(json.loads(row["types"])),
        licences=tuple(json.loads(row["licences"])),
        basis=inner["basis"],
    )


def _party(parts: list[str]) -> Party:
    code, code_type, name = parts
    return Party(code=code, code_type=code_type, name=name)
