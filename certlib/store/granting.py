"""Grants in the database, and the daily count against them."""

from __future__ import annotations

import json
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from certlib.errors import ConflictError, NotFoundError
from certlib.grants import Basis, Grant, Interface
from certlib.store import audits
from certlib.store.engine import reading, writing
from certlib.store.tables_sharing import GRANT_DAY, SHARING_GRANT

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy import Connection, RowMapping

    from certlib.store.engine import Store


# Statements of the hot path are built once: building one costs as much as running it.
_OF_TYPE: Final = (
    select(SHARING_GRANT)
    .where(SHARING_GRANT.c.agency_code == bindparam("agency"), SHARING_GRANT.c.type_code == bindparam("type"))
    .order_by(SHARING_GRANT.c.granted_at, SHARING_GRANT.c.id)
)
_STANDS: Final = (
    select(SHARING_GRANT.c.id)
    .where(SHARING_GRANT.c.id == bindparam("grant"), SHARING_GRANT.c.ended_at.is_(None))
    .with_for_update(read=True)
)
_FIRST_OF_DAY: Final = {
    dialect: dialect_insert(GRANT_DAY)
    .values(grant_id=bindparam("grant"), day=bindparam("on"), used=0)
    .on_conflict_do_nothing()
    for dialect, dialect_insert in (("postgresql", postgresql.insert), ("sqlite", sqlite.insert))
}
_COUNT: Final = (
    update(GRANT_DAY)
    .where(
        GRANT_DAY.c.grant_id == bindparam("grant"),
        GRANT_DAY.c.day == bindparam("on"),
        GRANT_DAY.c.used + bindparam("times") <= bindparam("cap"),
    )
    .values(used=GRANT_DAY.c.used + bindparam("times"))
)


def add_grant(store: Store, grant: Grant, *, replaces: str = "") -> None:
    """Keep a grant; with `replaces` the one of that id ends at the same moment. Both acts are audited.

    What the day has used of the replaced one stays used: a change gives nobody a second cap.

    Raises:
        NotFoundError: there is no grant `replaces` of the same agency and type.
        ConflictError: it has ended already.
    """
    with writing(store) as conn:
        entries = []
        if replaces:
            reason = f"replaced by {grant.id}"
            entries = [_ended(conn, replaces, operator=grant.granted_by, reason=reason, now=grant.granted_at)]
        conn.execute(insert(SHARING_GRANT).values(_row(grant)))
        if replaces:
            # Before the head of the audit chain: whoever counts on this day takes the two in this order.
            _carry_over(conn, replaces, grant.id, day=grant.granted_at.astimezone(UTC).date())
        detail: dict[str, str | int] = {
            "agency": grant.agency_code,
            "type": grant.type_code,
            "fields": " ".join(grant.fields),
            "interfaces": " ".join(sorted(grant.interfaces)),
            "matters": " ".join(sorted(grant.matters)),
            "basis": grant.basis.value,
            "clause": grant.clause,
            "daily_cap": grant.daily_cap,
            "networks": " ".join(grant.networks),
            "valid_from": grant.valid_from.isoformat(),
            "valid_until": grant.valid_until.isoformat() if grant.valid_until else "",
            "replaces": replaces,
        }
        entries.append(audits.Entry(actor=grant.granted_by, act="grant.added", subject=grant.id, detail=detail))
        audits.append(conn, entries, at=grant.granted_at)


def _carry_over(conn: Connection, old_id: str, new_id: str, *, day: date) -> None:
    used = select(GRANT_DAY.c.used).where(GRANT_DAY.c.grant_id == old_id, GRANT_DAY.c.day == day).with_for_update()
    if count := conn.execute(used).scalar_one_or_none():
        conn.execute(insert(GRANT_DAY).values(grant_id=new_id, day=day, used=count))


def end_grant(store: Store, grant_id: str, *, operator: str, reason: str, now: datetime) -> None:
    """End a grant now.

    Raises:
        NotFoundError: none of this id.
        ConflictError: it has ended already.
    """
    with writing(store) as conn:
        audits.append(conn, [_ended(conn, grant_id, operator=operator, reason=reason, now=now)], at=now)


def _ended(conn: Connection, grant_id: str, *, operator: str, reason: str, now: datetime) -> audits.Entry:
    """End a grant; gives the record of it."""
    query = select(SHARING_GRANT).where(SHARING_GRANT.c.id == grant_id).with_for_update()
    row = conn.execute(query).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no grant is known under this id", code="grant_not_found")
    if row["ended_at"] is not None:
        raise ConflictError(f"grant {grant_id} has ended already", code="grant_ended")
    conn.execute(
        update(SHARING_GRANT)
        .where(SHARING_GRANT.c.id == grant_id)
        .values(ended_at=now, ended_by=operator, end_reason=reason)
    )
    detail: dict[str, str | int] = {"agency": row["agency_code"], "type": row["type_code"], "reason": reason}
    return audits.Entry(actor=operator, act="grant.ended", subject=grant_id, detail=detail)


def grant(store: Store, grant_id: str) -> Grant:
    """One grant.

    Raises:
        NotFoundError: none of this id.
    """
    with reading(store) as conn:
        row = conn.execute(select(SHARING_GRANT).where(SHARING_GRANT.c.id == grant_id)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("no grant is known under this id", code="grant_not_found")
    return _grant(row)


def grants(store: Store, *, agency_code: str = "", type_code: str = "") -> tuple[Grant, ...]:
    """All grants, ended ones too, oldest first; of one agency, or for one type, if given."""
    if agency_code and type_code:
        with reading(store) as conn:
            rows = conn.execute(_OF_TYPE, {"agency": agency_code, "type": type_code}).mappings().all()
        return tuple(_grant(row) for row in rows)
    query = select(SHARING_GRANT)
    if agency_code:
        query = query.where(SHARING_GRANT.c.agency_code == agency_code)
    if type_code:
        query = query.where(SHARING_GRANT.c.type_code == type_code)
    with reading(store) as conn:
        rows = conn.execute(query.order_by(SHARING_GRANT.c.granted_at, SHARING_GRANT.c.id)).mappings().all()
    return tuple(_grant(row) for row in rows)


def stands(conn: Connection, grant_id: str) -> bool:
    """Whether nobody has ended the grant; until the caller's transaction ends, nobody does."""
    return conn.execute(_STANDS, {"grant": grant_id}).scalar_one_or_none() is not None


def count(conn: Connection, grant: Grant, *, day: date, times: int) -> bool:
    """Count `times` against the grant's cap for `day` inside the caller's transaction, if it has so much left.

    False means that nothing was counted. Callers at once never get more than the cap together.
    """
    if times > grant.daily_cap:
        return False
    values = {"grant": grant.id, "on": day, "times": times, "cap": grant.daily_cap}
    if conn.execute(_COUNT, values).rowcount == 1:
        return True
    # Nothing left, or nothing counted yet on this day: the row first, so that there is one to lock.
    conn.execute(_FIRST_OF_DAY[conn.dialect.name], {"grant": grant.id, "on": day})
    return conn.execute(_COUNT, values).rowcount == 1


def used(store: Store, grant_id: str, day: date) -> int:
    """How much of the day's cap is used."""
    query = select(GRANT_DAY.c.used).where(GRANT_DAY.c.grant_id == grant_id, GRANT_DAY.c.day == day)
    with reading(store) as conn:
        return conn.execute(query).scalar_one_or_none() or 0


def _row(grant: Grant) -> dict[str, Any]:
    return {
        "id": grant.id,
        "agency_code": grant.agency_code,
        "type_code": grant.type_code,
        "fields": json.dumps(grant.fields),
        "interfaces": " ".join(sorted(grant.interfaces)),
        "matters": json.dumps(sorted(grant.matters), ensure_ascii=False),
        "basis": grant.basis.value,
        "clause": grant.clause,
        "daily_cap": grant.daily_cap,
        "networks": " ".join(grant.networks),
        "valid_from": grant.valid_from,
        "valid_until": grant.valid_until,
        "granted_by": grant.granted_by,
        "granted_at": grant.granted_at,
        "ended_at": grant.ended_at,
        "ended_by": grant.ended_by,
        "end_reason": grant.end_reason,
    }


def _grant(row: RowMapping) -> Grant:
    return Grant(
        id=row["id"],
        agency_code=row["agency_code"],
        type_code=row["type_code"],
        fields=tuple(json.loads(row["fields"])),
        interfaces=frozenset(map(Interface, row["interfaces"].split())),
        matters=frozenset(json.loads(row["matters"])),
        basis=Basis(row["basis"]),
        clause=row["clause"],
        daily_cap=row["daily_cap"],
        networks=tuple(row["networks"].split()),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        granted_by=row["granted_by"],
        granted_at=row["granted_at"],
        ended_at=row["ended_at"],
        ended_by=row["ended_by"],
        end_reason=row["end_reason"],
    )
