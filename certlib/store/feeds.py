"""The catalogue's changes in the order in which they were committed, read from the audit chain.

A record's number is given under the lock of the chain's head, which its transaction holds to its end: who sees a
record sees all before it. So a reader that goes on after the last one it saw neither skips nor repeats.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from certlib.audit import GENESIS_HASH
from certlib.model import LEGAL_TRANSITIONS, Status
from certlib.store.engine import reading
from certlib.store.tables import AGENCY, AUDIT, AUDIT_HEAD, LICENCE

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date, datetime

    from sqlalchemy import RowMapping

    from certlib.store.engine import Store

ISSUED: Final = "licence.issued"
CHANGED: Final = "licence.status_changed"
_COLUMNS: Final = tuple(
    LICENCE.c[name]
    for name in (
        *("identifier", "type_code", "type_segment", "number", "version", "agency_code", "agency_name"),
        *("issued_on", "effective_on", "expires_on", "previous_identifier", "public_json", "status"),
    )
)
_AREA: Final = func.coalesce(func.nullif(LICENCE.c.area_code, ""), AGENCY.c.area_code).label("area_code")
"""The licence's, or else its agency's, as on its face."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueEntry:
    """What a catalogue says of one licence; no value of its fields."""

    identifier: str
    type_code: str
    type_segment: str
    type_name: str
    type_name_en: str
    number: str
    """As the public answer shows it: masked where it may point to a person."""
    number_masked: bool
    version: int
    agency_code: str
    agency_name: str
    area_code: str
    issued_on: date
    effective_on: date
    expires_on: date | None
    status: Status
    previous_identifier: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogueChange:
    """One change of the catalogue."""

    seq: int
    """Of its audit record; grows, with gaps."""
    at: datetime
    operation: str
    """`insert`, `update`, or `delete` when the status is a terminal one."""
    entry: CatalogueEntry
    """Its status is the one that this change brought."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChangePage:
    """Changes after a mark."""

    changes: tuple[CatalogueChange, ...]
    """In their order; may be empty although there is more."""
    seq: int
    """How far the chain was read."""
    hash: str
    """Of the record of that number."""
    more: bool
    """Whether the chain went on when it was read."""


def change_page(store: Store, *, after: int, type_codes: Collection[str], limit: int, scan: int) -> ChangePage:
    """The changes of licences of these types after the record `after`; at most `scan` records are looked at."""
    with reading(store) as conn:
        head = conn.execute(select(AUDIT_HEAD.c.seq)).scalar_one()
        end = min(head, after + scan)
        query = (
            select(AUDIT.c.seq, AUDIT.c.at, AUDIT.c.act, AUDIT.c.detail, *_COLUMNS, _AREA)
            .join(LICENCE, LICENCE.c.identifier == AUDIT.c.subject)
            .join(AGENCY, AGENCY.c.code == LICENCE.c.agency_code)
            .where(AUDIT.c.seq > after, AUDIT.c.seq <= end, AUDIT.c.act.in_((ISSUED, CHANGED)))
            .where(LICENCE.c.type_code.in_(type_codes))
            .order_by(AUDIT.c.seq)
            .limit(limit + 1)
        )
        rows = conn.execute(query).mappings().all()
        if len(rows) > limit:
            rows, end = rows[:limit], rows[limit - 1]["seq"]
    changes = tuple(_change(row) for row in rows)
    end = max(end, after)
    return ChangePage(changes=changes, seq=end, hash=hash_at(store, end), more=end < head)


def hash_at(store: Store, seq: int) -> str:
    """The hash of one audit record; empty when there is none of this number."""
    if seq == 0:
        return GENESIS_HASH
    with reading(store) as conn:
        return conn.execute(select(AUDIT.c.hash).where(AUDIT.c.seq == seq)).scalar_one_or_none() or ""


def own_entries(store: Store, *, identifier: str, type_codes: Collection[str]) -> tuple[CatalogueEntry, ...]:
    """The catalogue's entry of the licence with this identifier, if it is of one of these types."""
    query = (
        select(*_COLUMNS, _AREA)
        .join(AGENCY, AGENCY.c.code == LICENCE.c.agency_code)
        .where(LICENCE.c.identifier == identifier, LICENCE.c.state == "issued", LICENCE.c.type_code.in_(type_codes))
    )
    with reading(store) as conn:
        return tuple(_entry(row, Status(row["status"])) for row in conn.execute(query).mappings())


def _change(row: RowMapping) -> CatalogueChange:
    status = Status.ACTIVE if row["act"] == ISSUED else Status(json.loads(row["detail"])["to"])
    operation = "insert" if row["act"] == ISSUED else "update" if LEGAL_TRANSITIONS[status] else "delete"
    return CatalogueChange(seq=row["seq"], at=row["at"], operation=operation, entry=_entry(row, status))


def _entry(row: RowMapping, status: Status) -> CatalogueEntry:
    public: dict[str, Any] = json.loads(row["public_json"])
    values = {name: row[name] for name in row if name in CatalogueEntry.__slots__}
    return CatalogueEntry(
        **{
            **values,
            "number": public["number"],
            "number_masked": public["number"] != row["number"],
            "type_name": public["type"]["zh"],
            "type_name_en": public["type"]["en"],
            "status": status,
        }
    )
