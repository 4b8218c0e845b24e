"""Daily figures in the database, counted from the audit chain: each record once, whatever is cut short.

What a block of records adds and how far the counting has come are written in one transaction, under the lock of the
cursor. `figure_day` also holds the stock of active licences at the end of each closed month, as bounds.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from certlib.audit import AuditRecord
from certlib.store.engine import reading, writing
from certlib.store.tables import AUDIT, AUDIT_HEAD, LICENCE
from certlib.store.tables_tickets import FIGURE_CURSOR, FIGURE_DAY

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import Connection

    from certlib.store.engine import Store

BLOCK: Final = 2000
"""Audit records counted in one transaction."""
_AT_ONCE: Final = 500
STOCK_LOW, STOCK_HIGH = "stock_low", "stock_high"
_OF_LICENCES: Final = ("licence.issued", "licence.status_changed")


@dataclass(frozen=True, order=True, slots=True)
class Cell:
    """One thing that is counted."""

    figure: str
    day: date
    agency_code: str
    type_code: str
    key: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LicenceFacts:
    """What the figures need to know of a licence."""

    agency_code: str
    type_code: str
    expires_on: date | None
    timezone: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far the counting has come."""

    seq: int
    at: datetime | None
    """Of the last record counted."""
    behind: int
    """Records not yet counted."""
    closed_on: date | None
    """Last day of the last month whose stock is known."""


def count_block(
    store: Store, counted: Callable[[Sequence[AuditRecord], Mapping[str, LicenceFacts]], Mapping[Cell, int]]
) -> int:
    """Count the next block of audit records; how many they were, 0 at the end."""
    with writing(store) as conn:
        seq = conn.execute(select(FIGURE_CURSOR.c.seq).with_for_update()).scalar_one()
        query = select(AUDIT).where(AUDIT.c.seq > seq).order_by(AUDIT.c.seq).limit(BLOCK)
        rows = conn.execute(query).mappings().all()
        if not rows:
            return 0
        records = [AuditRecord(**{**row, "detail": json.loads(row["detail"])}) for row in rows]
        facts = _facts(conn, {each.subject for each in records if each.act in _OF_LICENCES})
        _add(conn, counted(records, facts))
        conn.execute(update(FIGURE_CURSOR).values(seq=records[-1].seq, at=records[-1].at))
        return len(records)


def progress(store: Store) -> Progress:
    """How far the counting has come."""
    with reading(store) as conn:
        row = conn.execute(select(FIGURE_CURSOR)).mappings().one()
        head = int(conn.execute(select(AUDIT_HEAD.c.seq)).scalar() or 0)
    return Progress(seq=row["seq"], at=row["at"], behind=max(0, head - row["seq"]), closed_on=row["closed_on"])


def first_day(store: Store) -> date | None:
    """The first day on which a licence was issued, as far as it is counted."""
    with reading(store) as conn:
        return conn.execute(select(func.min(FIGURE_DAY.c.day)).where(FIGURE_DAY.c.figure == "issued")).scalar()


def close_month(store: Store, *, before: date | None, end: date, stock: Mapping[Cell, int]) -> bool:
    """Keep the stock at the `end` of a month that follows the one closed `before`; False: another was the first."""
    with writing(store) as conn:
        closed = conn.execute(select(FIGURE_CURSOR.c.closed_on).with_for_update()).scalar_one_or_none()
        if closed != before:
            return False
        _add(conn, stock)
        conn.execute(update(FIGURE_CURSOR).values(closed_on=end))
        return True


def cells(  # noqa: PLR0913  # what a search is narrowed by
    store: Store,
    *,
    figures: Collection[str],
    since: date,
    until: date,
    agency_code: str = "",
    type_code: str = "",
    most: int,
) -> dict[Cell, int]:
    """What was counted from `since` to `until`, both included, at most `most` and one more; never a zero."""
    query = select(FIGURE_DAY).where(
        FIGURE_DAY.c.figure.in_(sorted(figures)),
        FIGURE_DAY.c.day >= since,
        FIGURE_DAY.c.day <= until,
        FIGURE_DAY.c.count != 0,
    )
    if agency_code:
        query = query.where(FIGURE_DAY.c.agency_code == agency_code)
    if type_code:
        query = query.where(FIGURE_DAY.c.type_code == type_code)
    with reading(store) as conn:
        rows = conn.execute(query.limit(most + 1)).mappings()
        return {
            Cell(row["figure"], row["day"], row["agency_code"], row["type_code"], row["key"]): row["count"]
            for row in rows
        }


def _facts(conn: Connection, identifiers: set[str]) -> dict[str, LicenceFacts]:
    found: dict[str, LicenceFacts] = {}
    wanted = sorted(identifiers)
    named = (LICENCE.c[name] for name in ("identifier", "agency_code", "type_code", "expires_on", "timezone"))
    query = select(*named)
    for begin in range(0, len(wanted), _AT_ONCE):
        for row in conn.execute(query.where(LICENCE.c.identifier.in_(wanted[begin : begin + _AT_ONCE]))).mappings():
            kept: dict[str, Any] = {name: row[name] for name in LicenceFacts.__slots__}
            found[row["identifier"]] = LicenceFacts(**kept)
    return found


def _add(conn: Connection, counts: Mapping[Cell, int]) -> None:
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    rows = [
        {
            "figure": cell.figure,
            "day": cell.day,
            "agency_code": cell.agency_code,
            "type_code": cell.type_code,
            "key": cell.key,
            "count": count,
        }
        for cell, count in sorted(counts.items())
        if count
    ]
    if not rows:
        return
    statement = dialect.insert(FIGURE_DAY)
    conn.execute(
        statement.on_conflict_do_update(
            index_elements=["figure", "day", "agency_code", "type_code", "key"],
            set_={"count": FIGURE_DAY.c.count + statement.excluded.count},
        ),
        rows,
    )
